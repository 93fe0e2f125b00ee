"""What a line that carries no words puts into the log: silence, hiss, hum, music, ringing, coughs, for a minute each.

    python -m bench.noises [--seconds 60] [--at-once 5] [--only white hold_music]

The agent greets, then the sound runs until the end of the call; the silences of the agent's configuration make it ask
whether anybody is there, so some of the sound lies over its voice. Every turn of the caller's in the log is a
hallucination: target 0 words.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.conversation import Conversation, Pace, Product, arguments, load, pace_of, product, world
from simulators.caller import HangUp, Play, Script, Step, WaitForAgent

SHOWN = 60
"""Characters of a text in the table."""
PATIENT = {"silence": {"repromptAfterS": 10, "reprompts": 10}}
"""An agent that asks every ten seconds and stays for the whole sound."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One sound at one level."""

    sound: str
    dbfs: float

    def __str__(self) -> str:
        return self.sound if self.sound == "silence" else f"{self.sound} {self.dbfs:g} dBFS"


CONDITIONS = (
    Condition("silence", -65.0),
    Condition("white", -30.0),
    Condition("white", -40.0),
    Condition("brown", -25.0),
    Condition("hum", -30.0),
    Condition("hold_music", -22.0),
    Condition("ringback_us", -20.0),
    Condition("ringback_uk", -20.0),
    Condition("busy", -20.0),
    Condition("coughing", -22.0),
)


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each sound")
    parser.add_argument("--at-once", type=int, default=5, help="calls at the same time")
    parser.add_argument("--only", nargs="+", choices=sorted({each.sound for each in CONDITIONS}))
    options = parser.parse_args()
    chosen = [each for each in CONDITIONS if options.only is None or each.sound in options.only]
    with product(call_slots=max(2, options.at_once)) as deployed:
        calls = asyncio.run(_measure(deployed, pace_of(options), chosen, options.seconds, options.at_once))
        print(f"{options.seconds:g} s each, {options.at_once} calls at once; {load()} after the last call")
    for condition, call in zip(chosen, calls, strict=True):
        _print(condition, call)
    words = sum(len(_words(call)) for call in calls)
    print(f"words in the log that nobody said: {words}, in {sum(len(call.stored) for call in calls)} turns")


async def _measure(
    deployed: Product, pace: Pace, chosen: Sequence[Condition], seconds: float, at_once: int
) -> list[Conversation]:
    """A call for each condition."""
    async with world(deployed, pace) as made:
        agent = await made.agent(**PATIENT)
        orders = [(agent, _script(each, seconds, seed)) for seed, each in enumerate(chosen)]
        return await made.calls(orders, at_once=at_once)


def _script(condition: Condition, seconds: float, seed: int) -> Script:
    steps: tuple[Step, ...] = (WaitForAgent(), Play(condition.sound, seconds, condition.dbfs), HangUp())
    return Script(steps, seed=seed)


def _words(call: Conversation) -> list[str]:
    return [word for turn in call.stored for word in turn.text.split()]


def _print(condition: Condition, call: Conversation) -> None:
    report = call.report
    played = sum(min(each.end, report.ended) - each.start for each in report.utterances)
    refused = sum(turn.timings.gate_rejections for turn in call.call.turns)
    cut = sum(turn.interrupted for turn in call.agent_turns)
    print(f"{condition!s:22} {played:3.0f} s  words {len(_words(call))}  agent cut {cut}  gates refused {refused}")
    for turn in call.stored:
        print(f"    stored: {turn.text[:SHOWN]!r} at {turn.at - report.origin:.1f} s")
    for text, count in Counter(turn.content for turn in call.agent_turns[1:]).items():
        print(f"    agent said {count} x {text[:SHOWN]!r}")
    if report.end_reason != "caller":
        print(f"    the call ended early: {report.end_reason}, {call.call.end_reason}")


if __name__ == "__main__":
    main()
