"""What the agent's voice does when the caller makes a sound while it speaks, measured at the virtual ear.

    python -m bench.barge_in [--each 20] [--at-once 4]

The voice's simulator speaks a steady tone, so every change of level is the product's and is seen to 10 ms; replies are
40 words long, so none ends by itself meanwhile. The caller's line carries no echo of the agent.

Targets, p95: 250 ms from the beginning of speech to ducked (8 dB down, or silent); 450 ms from the beginning of a real
interruption to silence; 600 ms from the end of a cough of 700 ms to the full level. A backchannel does not stop the
agent.

Half the coughs are breath alone, which the voice-activity detector should not even notice; half have a voice in them.
The shipped demonstration Whisper knows "okay" and "yeah", but not "mhm", of which it makes other words or none.
"""

import asyncio
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bench.conversation import VOICES, Conversation, Pace, Product, arguments, load, pace_of, product, world
from bench.spread import in_ms, of
from simulators.caller import Cough, HangUp, Interrupt, Murmur, Say, Script, StaySilent, Step, WaitForAgent
from simulators.loudness import Loudness
from simulators.report import Utterance
from simulators.tts import buzz
from simulators.words import heard_words, stored_for

PER_CALL = 4
COUGH_S = 0.7
DUCKED_DB = 8.0
RESTORED_DB = 2.0
SILENT_DBFS = -55.0
SPEAKING_DBFS = -35.0
STAYS_S = 0.1
"""A level that holds so long is no seam between two pieces of audio."""
SETTLED_S = 0.2
SILENCED_S = 0.4
"""Silence so long is more than a pause: the agent has 40 words to say."""
WATCHED_S = 3.0
"""How long after a sound of the caller's the agent is watched."""
INTERRUPTIONS = (
    "stop",
    "wait",
    "how much does it cost",
    "no i said thursday",
    "hold on",
    "can i change it to friday",
    "wait stop",
    "sorry can you repeat that",
    "i want to talk to a person",
    "where is your clinic",
)
BACKCHANNELS = ("mhm", "okay", "yeah")
OVER_GREETING = (
    "i would like to book an appointment",
    "hello this is maria",
    "what are your opening hours",
    "how much is a visit",
    "i need to see a doctor",
)
GREETING = "Thank you for calling the demo clinic, we are open Monday to Friday from nine to five, how can I help you?"
ANSWER = (
    "We are open Monday to Friday from nine in the morning to five in the afternoon, and on the first Saturday of the "
    "month from ten to twelve, but then you need an appointment that was booked a week before you come."
)


@dataclass(frozen=True, slots=True)
class Trial:
    """One sound of the caller's while the agent spoke; seconds after its beginning, or end. None: did not happen."""

    text: str
    ducked_s: float | None
    silent_s: float | None
    restored_s: float | None
    """From the sound's end to the full level again; 0 if it had not been left."""
    is_silenced: bool


@dataclass(slots=True)
class Findings:
    """All trials by kind, and the caller's words over the greeting: heard of how many, turns with none of theirs."""

    trials: dict[str, list[Trial]] = field(default_factory=dict)
    cut: int = 0
    """Replies that a murmur or a cough ended, by the log."""
    spoiled: int = 0
    """Sounds that came when the agent was not speaking."""
    words: int = 0
    words_heard: int = 0
    greetings: int = 0
    unheard: int = 0


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--each", type=int, default=20, help="trials of each kind, rounded up to whole calls of four")
    parser.add_argument("--at-once", type=int, default=4, help="calls at the same time")
    options = parser.parse_args()
    with product(call_slots=max(2, options.at_once)) as deployed:
        found = asyncio.run(_measure(deployed, pace_of(options), options.each, options.at_once))
        print(f"{pace_of(options)}, {options.at_once} calls at once; {load()} after the last call")
    _print(found)


async def _measure(deployed: Product, pace: Pace, each: int, at_once: int) -> Findings:
    found = Findings()
    async with world(deployed, pace, answer=lambda _: ANSWER, speaker=buzz) as made:
        agent = await made.agent(firstMessage=GREETING)
        calls = -(-each // PER_CALL)
        talks = [script(seed) for seed in range(calls) for script in (_interrupting, _listening)]
        for call in await made.calls([(agent, talk) for talk in talks], at_once=at_once):
            if all(utterance.kind != "interrupt" for utterance in call.report.utterances):
                found.cut += sum(turn.interrupted for turn in call.agent_turns)
            for kind, trial in _trials(call):
                if trial is None:
                    found.spoiled += 1
                else:
                    found.trials.setdefault(kind, []).append(trial)
        greeted = [(agent, _over_the_greeting(seed)) for seed in range(each)]
        for call in await made.calls(greeted, at_once=at_once):
            _count_words(found, call)
    return found


def _interrupting(seed: int) -> Script:
    """Real interruptions of one long reply after the other."""
    rng = random.Random(seed)
    texts = [INTERRUPTIONS[(seed * PER_CALL + n) % len(INTERRUPTIONS)] for n in range(PER_CALL)]
    said: list[Step] = []
    for text in texts:
        said += [Interrupt(text, after_s=rng.uniform(2.5, 4.0)), StaySilent(0.5)]
    return _script(seed, (WaitForAgent(), Say("i have a question"), *said, StaySilent(WATCHED_S)))


def _listening(seed: int) -> Script:
    """A murmur and a cough in each reply, which otherwise is listened to."""
    rng = random.Random(seed)
    heard: list[Step] = []
    for n in range(PER_CALL):
        murmur = Murmur(BACKCHANNELS[(seed * PER_CALL + n) % len(BACKCHANNELS)], after_s=rng.uniform(1.5, 2.5))
        cough = Cough(after_s=rng.uniform(6.0, 7.0), seconds=COUGH_S, is_hacking=n % 2 == 0)
        heard += [WaitForAgent(timeout_s=30.0), Say("what are your opening hours"), murmur, cough]
    return _script(seed, (*heard, WaitForAgent(timeout_s=30.0)))


def _over_the_greeting(seed: int) -> Script:
    """Words while the greeting is said: in its first moment, or later on."""
    text = OVER_GREETING[seed % len(OVER_GREETING)]
    return _script(seed, (Interrupt(text, after_s=(0.05, 0.5, 1.0, 2.0)[seed % 4]), StaySilent(WATCHED_S)))


def _script(seed: int, steps: tuple[Step, ...]) -> Script:
    return Script((*steps, HangUp()), voice=VOICES[seed % len(VOICES)], seed=seed)


def _trials(call: Conversation) -> Iterator[tuple[str, Trial | None]]:
    report = call.report
    if report.heard is None:
        return
    loudness = Loudness.of(report.heard, report.rate_hz, report.origin)
    for utterance in report.utterances:
        if utterance.kind != "say":
            yield utterance.kind, _trial(utterance, loudness)


def _trial(utterance: Utterance, loudness: Loudness) -> Trial | None:
    """What became of the agent's voice; None: it was not speaking, or had not been for long."""
    start, end = utterance.start, utterance.end
    full = loudness.usual(start - 0.3, start)
    if full < SPEAKING_DBFS:
        return None
    ducked = loudness.falls(start, full - DUCKED_DB, for_s=STAYS_S)
    silent = loudness.falls(start, SILENT_DBFS, for_s=SETTLED_S)
    silenced = loudness.falls(start, SILENT_DBFS, for_s=SILENCED_S)
    restored = loudness.rises(end, full - RESTORED_DB, for_s=SETTLED_S)
    return Trial(
        utterance.text,
        _since(start, ducked),
        _since(start, silent),
        _since(end, restored),
        is_silenced=silenced is not None and silenced < end + WATCHED_S,
    )


def _since(start: float, moment: float | None) -> float | None:
    return None if moment is None or moment > start + WATCHED_S else moment - start


def _count_words(found: Findings, call: Conversation) -> None:
    said = call.report.utterances
    for utterance, turns in zip(said, stored_for(said, call.stored), strict=True):
        heard = heard_words(utterance.text, " ".join(turn.text for turn in turns))
        found.greetings += 1
        found.words += len(utterance.text.split())
        found.words_heard += heard
        found.unheard += heard == 0


def _print(found: Findings) -> None:
    interrupts, murmurs, coughs = (found.trials.get(kind, []) for kind in ("interrupt", "murmur", "noise"))
    speech = [*interrupts, *murmurs]
    ducked = in_ms([each.ducked_s for each in speech])
    print(f"speech begins -> {DUCKED_DB:g} dB down or silent  {ducked}, of {len(speech)}")
    print(f"  interruptions alone               {in_ms([each.ducked_s for each in interrupts])}, of {len(interrupts)}")
    print(f"interruption begins -> silence      {in_ms([each.silent_s for each in interrupts])}, of {len(interrupts)}")
    _print_by_text([each for each in interrupts if each.silent_s is None], "  did not stop the agent")
    for text in ("cough", "hacking"):
        _print_coughs(text, [each for each in coughs if each.text == text])
    kept = [each for each in murmurs if not each.is_silenced]
    print(f"backchannels that silenced the agent {of(len(murmurs) - len(kept), len(murmurs))}")
    _print_by_text([each for each in murmurs if each.is_silenced], "  by words")
    print(f"  ends -> full level, of the others {in_ms([each.restored_s for each in kept])}, of {len(kept)}")
    print(f"replies ended by a backchannel or a cough, by the log: {found.cut}")
    print(f"words over the greeting in the log {of(found.words_heard, found.words)}")
    print(f"  callers of whom no word is in the log {of(found.unheard, found.greetings)}")
    print(f"sounds that missed the agent's speech, not counted: {found.spoiled}")


def _print_coughs(text: str, coughs: Sequence[Trial]) -> None:
    quieter = sum(each.ducked_s is not None for each in coughs)
    silenced = sum(each.is_silenced for each in coughs)
    restored = in_ms([each.restored_s for each in coughs])
    print(f"{text} of {COUGH_S * 1000:.0f} ms ends -> full level  {restored}, of {len(coughs)}")
    print(f"  made the agent quieter {of(quieter, len(coughs))}, silenced it {of(silenced, len(coughs))}")


def _print_by_text(trials: Sequence[Trial], title: str) -> None:
    counts: Mapping[str, int] = {text: sum(trial.text == text for trial in trials) for text in {t.text for t in trials}}
    if counts:
        print(f"{title}: " + ", ".join(f"{text!r} {count}" for text, count in sorted(counts.items())))


if __name__ == "__main__":
    main()
