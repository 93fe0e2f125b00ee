"""What callers of the large benchmarks say, and what the agent answers: the same texts, in each caller's own order.

Nobody's script runs out before its time; all of it is in the demonstration Whisper's vocabulary.
"""

import random
from collections.abc import Mapping, Sequence

from bench.conversation import VOICES
from bench.first_call import SENTENCES
from simulators.caller import HangUp, Say, Script, StaySilent, Step, WaitForAgent, rehearsed

TURN_S = 4.0
"""A turn takes longer than this, so a script made of this many never runs out."""
APART_S = 5.0
"""Callers who pick up in the same moment say their first words within this."""
ANSWERS = (
    "Which day would you like to come?",
    "I have Tuesday at three in the afternoon. Is that good for you?",
    "A visit costs fifty dollars, and you pay when you come.",
    "May I have your name, please?",
    "We are open Monday to Friday, from nine in the morning to five in the afternoon.",
    "Thank you. What is your phone number?",
)
USUAL = WaitForAgent()


def answer(messages: Sequence[Mapping[str, object]]) -> str:
    """The answers in turn."""
    return ANSWERS[sum(message.get("role") == "user" for message in messages) % len(ANSWERS)]


def lines(seed: int, seconds: float) -> list[str]:
    """The same sentences for everybody, in an order of each caller's own, for longer than the call lasts."""
    rng = random.Random(seed)
    rounds = int(seconds / TURN_S / len(SENTENCES)) + 1
    return [text for _ in range(rounds) for text in rng.sample(SENTENCES, len(SENTENCES))]


def script(
    seed: int,
    texts: Sequence[str],
    *,
    lasts_s: float = float("inf"),
    apart_s: float = APART_S,
    waiting: WaitForAgent = USUAL,
) -> Script:
    """A caller who says each text once the agent has finished, and hangs up after `lasts_s` or the last answer."""
    steps: list[Step] = [StaySilent(random.Random(seed).uniform(0, apart_s))]
    steps += [step for text in texts for step in (waiting, Say(text))]
    return Script((*steps, waiting, HangUp()), voice=VOICES[seed % len(VOICES)], seed=seed, lasts_s=lasts_s)


def conversation(seed: int, seconds: float, *, waiting: WaitForAgent = USUAL) -> Script:
    """A caller who talks for so long."""
    return script(seed, lines(seed, seconds), lasts_s=seconds, apart_s=1.0, waiting=waiting)


async def rehearse() -> None:
    """Synthesise what all callers say beforehand, so that it costs nothing while they talk."""
    for voice in range(len(VOICES)):
        await rehearsed(script(voice, SENTENCES))
