"""What a caller hears when a vendor or the recogniser fails in the middle of a call, and how long they hear nothing.

    python -m bench.vendor_faults [--times 2] [--only "model stalls" "voice answers 500"]

Each call has a sound turn, a turn during which one part fails, and one after it is well again. Dead air is silence
while the caller waits: until the first sound, and between sounds of the answer; the caller waits six seconds after the
last one. Target: never more than 3 s. A call takes about 40 seconds.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from bench.conversation import Conversation, Pace, Product, World, arguments, load, pace_of, product, world
from bench.processes import members
from bench.victims import slay
from simulators.behaviour import Behaviour, Fault
from simulators.caller import Do, HangUp, Say, Script, Step, WaitForAgent
from simulators.report import dead_air
from simulators.tts import SpeechRequest

PATIENCE_S = 6.0
RECOGNISERS = "speech to text"
KILLS_S = {"recogniser killed mid-speech": 0.6, "recogniser killed at its end": 2.2}
"""How far into an utterance of about two and a half seconds."""
BEFORE, DURING, AFTER = (
    "tuesday please",
    "i would like to book an appointment for tuesday",
    "what are your opening hours",
)
LONG_ANSWER = (
    "We are open Monday to Friday from nine in the morning to five in the afternoon. "
    "On the first Saturday of the month we are open from ten to twelve. Which day would you like?"
)
SHORT_ANSWER = "Which day would you like?"
TOKENS_BEFORE = 8
AUDIO_BEFORE_S = 0.5
SHOWN = 70
"""Characters of a text in the table."""


@dataclass(frozen=True, slots=True)
class Broken:
    """What is wrong while the second turn is spoken and answered."""

    llm: Behaviour | None = None
    tts: Behaviour | None = None
    kills_after_s: float | None = None
    """The recogniser's processes die so long after the caller has begun to speak."""


def faults(pace: Pace) -> Mapping[str, Broken]:
    """Everything that goes wrong, by name."""
    llm, tts = pace.llm, pace.tts
    return {
        "nothing": Broken(),
        "model stalls": Broken(llm=replace(llm, fault=Fault.STALL)),
        "model stalls mid-reply": Broken(llm=replace(llm, fault=Fault.STALL, after=TOKENS_BEFORE)),
        "model's stream cut": Broken(llm=replace(llm, fault=Fault.CUT, after=TOKENS_BEFORE)),
        "model answers 500": Broken(llm=replace(llm, fault=Fault.BROKEN)),
        "voice answers 500": Broken(tts=replace(tts, fault=Fault.BROKEN)),
        "voice stalls": Broken(tts=replace(tts, fault=Fault.STALL)),
        "voice stalls mid-speech": Broken(tts=replace(tts, fault=Fault.STALL, after=AUDIO_BEFORE_S)),
        **{name: Broken(kills_after_s=after_s) for name, after_s in KILLS_S.items()},
    }


@dataclass(frozen=True, slots=True)
class Outcome:
    """One call with a fault in its second turn; None: nothing was heard."""

    first_s: float | None
    longest_s: float
    said: tuple[str, ...]
    """What the log says was heard of the agent in answer to that turn."""
    voiced: int
    """Requests the voice's vendor got meanwhile."""
    stored: tuple[str, ...]
    """What the log holds of the turn itself."""
    has_recovered: bool
    """Whether the turn after it was answered."""


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    names = list(faults(Pace()))
    parser.add_argument("--times", type=int, default=2, help="calls for each fault")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    options = parser.parse_args()
    with product() as deployed:
        worst = asyncio.run(_measure(deployed, pace_of(options), options.only, options.times))
        print(f"longest dead air of all: {worst:.2f} s; {pace_of(options)}; {load()} after the last call")


async def _measure(deployed: Product, pace: Pace, names: Sequence[str], times: int) -> float:
    """One call at a time, printed as it ends: what fails, fails for every call there is. Returns the worst dead air."""
    longest_s = 0.0
    async with world(deployed, pace, answer=_answer) as made:
        agent = await made.agent()
        for name in [name for name in names for _ in range(times)]:
            script = _script(made, pace, faults(pace)[name], partial(_kill_recognisers, deployed))
            outcome = _outcome(await made.call(agent, script), made.tts.requests)
            _print(name, outcome)
            longest_s = max(longest_s, outcome.longest_s)
    return longest_s


def _answer(messages: Sequence[Mapping[str, object]]) -> str:
    return LONG_ANSWER if "appointment" in str(messages[-1].get("content")) else SHORT_ANSWER


def _script(made: World, pace: Pace, broken: Broken, kill: Callable[[], None]) -> Script:
    def fail() -> None:
        made.llm.behaviours.default = broken.llm or pace.llm
        made.tts.behaviours.default = broken.tts or pace.tts

    def recover() -> None:
        made.llm.behaviours.default, made.tts.behaviours.default = pace.llm, pace.tts

    killing = [] if broken.kills_after_s is None else [Do(kill, broken.kills_after_s)]
    waiting = WaitForAgent(timeout_s=30.0)
    steps: list[Step] = [waiting, Say(BEFORE), waiting, Do(fail), *killing, Say(DURING)]
    steps += [WaitForAgent(quiet_s=PATIENCE_S, timeout_s=40.0), Do(recover), Say(AFTER), waiting, HangUp()]
    return Script(tuple(steps))


def _kill_recognisers(deployed: Product) -> None:
    """Kill the processes that recognise speech, as a machine that runs out of memory does."""
    pids = {member.pid for member in members(deployed.children) if member.part == RECOGNISERS}
    slay(pids)
    print(f"    killed {len(pids)} recognisers")


def _outcome(call: Conversation, requests: Sequence[SpeechRequest]) -> Outcome:
    said = call.report.utterances
    broken = said[1]
    after = said[2].start if len(said) > 2 else call.report.ended
    first_s, longest_s = dead_air(call.report.agent_speech, broken.end, after)
    return Outcome(
        first_s,
        longest_s,
        tuple(turn.content for turn in call.agent_turns if broken.start < call.at(turn) < after),
        sum(broken.start < request.at < after for request in requests),
        tuple(turn.text for turn in call.stored if broken.start < turn.at < after),
        has_recovered=len(said) > 2 and call.report.replies[2].audible_s is not None,
    )


def _print(name: str, outcome: Outcome) -> None:
    first = "nothing" if outcome.first_s is None else f"first sound {outcome.first_s:.2f} s after the caller"
    well = "well again" if outcome.has_recovered else "NOT WELL AGAIN"
    print(f"{name:24} {first}, longest dead air {outcome.longest_s:.2f} s, {well}")
    print(f"    the log has {' | '.join(outcome.stored)[:SHOWN]!r} of the caller")
    print(f"    the voice's vendor was asked {outcome.voiced} times; the agent said, by the log:")
    for text in outcome.said:
        print(f"      {text[:SHOWN]!r}", flush=True)


if __name__ == "__main__":
    main()
