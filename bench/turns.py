"""How long a caller waits for an answer, and how often the agent takes a pause for the end, with and without guessing.

    python -m bench.turns [--turns 100] [--at-once 3] [--only "as shipped"] [--llm-rate inf]

One deployed product; the calls of the variants take turns. One turn in five has pauses of 300 to 700 ms inside, where
people make them. The wait is that of `bench.first_call`: from the last sample of speech to the first byte of the answer
at the carrier. Targets with 300 + 150 ms of vendors: p50 600 ms, p95 800 ms, false early endpoints 2 % of turns.
"""

import asyncio
import random
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from bench.conversation import VOICES, Conversation, Pace, Product, arguments, load, pace_of, product, world
from bench.first_call import SENTENCES
from bench.spread import in_ms, of
from models.call import Turn
from simulators.caller import HangUp, Say, SayWithPauses, Script, WaitForAgent
from simulators.report import Reply, Utterance
from simulators.words import Stored, is_early, stored_for, word_errors

TURNS_PER_CALL = 10
PAUSED_PER_CALL = 2
PAUSE_S = (0.3, 0.7)
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "as shipped": {},
    "no speculation": {"turnTaking": {"speculation": False}},
    "no preemption": {"turnTaking": {"preemption": False}},
}
PAUSED = (
    ("my name is maria and", "i would like to book an appointment"),
    ("i would like to", "book an appointment for tuesday"),
    ("my number is", "five five five", "one two three four"),
    ("can i change it to", "thursday at three in the afternoon"),
    ("the number is five five five", "one two three", "four five six seven"),
    ("can i book an appointment for", "next monday morning"),
    ("my phone number is", "nine eight seven", "six five four three"),
    ("i want to cancel my appointment and", "i have a question"),
    ("yes please and", "can i come in on friday"),
    ("you can call me on", "four four two", "zero one nine nine"),
)
CALLER_MOMENTS = ("speech_end_ms", "speculative_text_ms", "final_text_ms")
AGENT_MOMENTS = ("first_token_ms", "first_clause_ms", "first_audio_ms", "playback_start_ms")
AMOUNTS = ("stt_queue_ms", "stt_decode_ms")


@dataclass(slots=True)
class Findings:
    """What the calls of one variant came to."""

    replies: list[Reply] = field(default_factory=list)
    early: int = 0
    early_paused: int = 0
    paused: int = 0
    unheard: int = 0
    """Turns of which no word is in the log."""
    errors: int = 0
    words: int = 0
    examples: list[str] = field(default_factory=list)
    """The early endpoints in words."""
    asked: int = 0
    """Requests to the language model, those thrown away included."""
    moments: dict[str, list[float]] = field(default_factory=dict)
    """Milliseconds after the caller's last sample, by name; amounts as they are."""

    def add(self, call: Conversation) -> None:
        """Count one call."""
        utterances = call.report.utterances
        stored = stored_for(utterances, call.stored)
        for utterance, reply, turns in zip(utterances, call.report.replies, stored, strict=True):
            self._add_turn(utterance, reply, turns)
        for name, ms in _moments(call):
            self.moments.setdefault(name, []).append(ms)

    def _add_turn(self, utterance: Utterance, reply: Reply, turns: Sequence[Stored]) -> None:
        cut_off, is_paused = reply.early_s is not None or is_early(utterance, turns), len(utterance.parts) > 1
        errors, words = word_errors(utterance.text, " ".join(turn.text for turn in turns))
        self.replies.append(reply)
        self.early += cut_off
        self.paused += is_paused
        self.early_paused += cut_off and is_paused
        if cut_off:
            self.examples.append(_example(utterance, turns))
        self.unheard += not turns
        self.errors += errors
        self.words += words


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--turns", type=int, default=100, help="of each variant, rounded up to whole calls of ten")
    parser.add_argument("--at-once", type=int, default=len(VARIANTS), help="calls at the same time")
    parser.add_argument("--only", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    options = parser.parse_args()
    with product(call_slots=max(2, options.at_once)) as deployed:
        found = asyncio.run(_measure(deployed, pace_of(options), options.only, options.turns, options.at_once))
        print(f"{pace_of(options)}, {options.at_once} calls at once; {load()} after the last call")
    for name, findings in found.items():
        _print(name, findings)


async def _measure(
    deployed: Product, pace: Pace, names: Sequence[str], turns: int, at_once: int
) -> dict[str, Findings]:
    """Calls of every variant, one of each at a time, all with the same callers."""
    found = {name: Findings() for name in names}
    async with world(deployed, pace) as made:
        prompts = {name: f"You book appointments for a clinic, {name}." for name in names}
        agents = {name: await made.agent(prompt=prompts[name], **VARIANTS[name]) for name in names}
        rounds = -(-turns // TURNS_PER_CALL)
        orders = [(name, script_of(seed)) for seed in range(rounds) for name in names]
        calls = await made.calls([(agents[name], script) for name, script in orders], at_once=at_once)
        for request in made.llm.requests:
            system = str(request.messages[0].get("content"))
            found[next(name for name in names if prompts[name] in system)].asked += 1
    for (name, _), call in zip(orders, calls, strict=True):
        found[name].add(call)
    return found


def script_of(seed: int) -> Script:
    """Ten turns in an order of their own, two of them with pauses inside."""
    rng = random.Random(seed)
    plain = [Say(text) for text in rng.sample(SENTENCES, TURNS_PER_CALL - PAUSED_PER_CALL)]
    chosen = [PAUSED[(PAUSED_PER_CALL * seed + n) % len(PAUSED)] for n in range(PAUSED_PER_CALL)]
    paused = [SayWithPauses(pieces, tuple(rng.uniform(*PAUSE_S) for _ in pieces[1:])) for pieces in chosen]
    turns: list[Say | SayWithPauses] = [*plain, *paused]
    rng.shuffle(turns)
    steps = [step for turn in turns for step in (WaitForAgent(), turn)]
    return Script((*steps, WaitForAgent(), HangUp()), voice=VOICES[seed % len(VOICES)], seed=seed)


def _example(utterance: Utterance, turns: Sequence[Stored]) -> str:
    pauses = [f"{(later[0] - earlier[1]) * 1000:.0f}" for earlier, later in pairwise(utterance.parts)]
    stored = " | ".join(f"{turn.text} ({(turn.at - utterance.end) * 1000:+.0f} ms)" for turn in turns)
    return f"{utterance.text!r}, pauses {' '.join(pauses) or 'none'} ms; in the log: {stored or 'nothing'}"


def _moments(call: Conversation) -> Iterator[tuple[str, float]]:
    """Each stored moment of each turn after the end of the speech it belongs to."""
    said = call.report.utterances
    for turn in call.call.turns:
        is_agents = turn.role == "assistant"
        names: Sequence[str] = AGENT_MOMENTS if is_agents else CALLER_MOMENTS
        anchor = "playback_start_ms" if is_agents else "final_text_ms"
        ended = _end_before(said, call.report.origin, turn, anchor)
        if ended is not None:
            yield from _after(turn, names, ended)
        if turn.role == "user":
            yield from ((name, float(ms)) for name in AMOUNTS if (ms := getattr(turn.timings, name, None)) is not None)


def _end_before(said: Sequence[Utterance], origin: float, turn: Turn, anchor: str) -> float | None:
    """When the utterance before a turn's moment ended, in milliseconds since the call was answered."""
    moment = getattr(turn.timings, anchor)
    ends = [(each.end - origin) * 1000 for each in said]
    return None if moment is None else max((end for end in ends if end <= moment), default=None)


def _after(turn: Turn, names: Sequence[str], ended_ms: float) -> Iterator[tuple[str, float]]:
    for name in names:
        moment = getattr(turn.timings, name, None)
        if moment is not None:
            yield name, moment - ended_ms


def _print(name: str, found: Findings) -> None:
    turns = len(found.replies)
    unanswered = sum(reply.arrived_s is None and reply.early_s is None for reply in found.replies)
    print(f"\n{name}: {turns} turns, {found.paused} with pauses inside")
    print(f"  end of speech to first reply byte   {in_ms([reply.arrived_s for reply in found.replies])}")
    print(f"  end of speech to first sound heard  {in_ms([reply.audible_s for reply in found.replies])}")
    print(
        f"  false early endpoints {of(found.early, turns)}, of those with pauses {of(found.early_paused, found.paused)}"
    )
    for example in found.examples:
        print(f"    {example}")
    print(f"  unanswered {unanswered}, without a word in the log {found.unheard}")
    print(f"  requests to the language model {found.asked}, {found.asked / turns:.2f} a turn")
    print(f"  words wrong in the log {of(found.errors, found.words)}")
    for moment in (*CALLER_MOMENTS, *AGENT_MOMENTS, *AMOUNTS):
        if values := found.moments.get(moment):
            print(f"  {moment:22} median {statistics.median(values):6.0f}  ({len(values)})")


if __name__ == "__main__":
    main()
