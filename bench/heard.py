"""What callers heard of something that happened at known moments, and whether the logs tell it all. Pure.

Moments are monotonic seconds of the benchmark's process.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench.conversation import Conversation
from models.call import Turn
from simulators.hearing import words_of
from simulators.report import CallReport
from simulators.words import Stored, heard_words, stored_for

NOTICED_S = 2.0
"""A caller who waits longer than this notices."""
STUTTER_S = 0.2
"""So does one who hears a hole of this length in the agent's speech."""
WATCHED_S = 15.0
"""How long after it what happens is laid to it."""
LATE_S = 30.0
"""How long after it was spoken an utterance may be written down."""

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Effect:
    """What one moment did to the calls that were live then."""

    live: int
    affected: int
    lost: int
    """Calls it ended."""
    longest_s: float
    """The longest silence of all of these callers."""


def effect(calls: Sequence[Conversation], at: float, until: float, usual: Sequence[str]) -> Effect:
    """What happened from `at` to `until`, at most WATCHED_S later. `usual`: all sentences the agent says unharmed."""
    span = (at, min(until, at + WATCHED_S))
    live = [call for call in calls if call.report.origin < at < call.report.ended]
    lost = [call for call in live if is_lost(call.report) and call.report.ended < span[1]]
    noticed = [call for call in live if call in lost or _notices(call, span, usual)]
    longest_s = max((longest(call.report, span) for call in live), default=0.0)
    return Effect(len(live), len(noticed), len(lost), longest_s)


def is_lost(report: CallReport) -> bool:
    """Whether the call ended before its caller wanted it to."""
    return report.end_reason != "caller"


def longest(report: CallReport, span: Span) -> float:
    """The longest silence that a caller who waited for the agent heard, of those that touch the span."""
    touching = (end - start for start, end in silences(report) if start < span[1] and end > span[0])
    return max(touching, default=0.0)


def silences(report: CallReport) -> Iterator[Span]:
    """When a caller heard nothing although it was the agent's turn: after each utterance, and before the first.

    Silence after the last sound of an answer is the caller's turn; without any sound it lasts to the next utterance.
    """
    begins = [report.origin, *(said.end for said in report.utterances if said.kind != "murmur")]
    ends = [*(said.start for said in report.utterances if said.kind != "murmur"), report.ended]
    for start, end in zip(begins, ends, strict=True):
        heard = [(max(first, start), last) for first, last in report.agent_speech if last > start and first < end]
        if not heard:
            yield start, end
            continue
        yield start, heard[0][0]
        yield from ((one[1], other[0]) for one, other in pairwise(heard))


def _notices(call: Conversation, span: Span, usual: Sequence[str]) -> bool:
    report = call.report
    stutters = any(gap.seconds >= STUTTER_S and span[0] <= gap.at < span[1] for gap in report.gaps)
    odd = any(span[0] < call.at(turn) < span[1] and is_odd(turn.content, usual) for turn in call.agent_turns)
    return stutters or odd or longest(report, span) > NOTICED_S


def is_odd(content: str, usual: Sequence[str]) -> bool:
    """Whether the agent said something besides its usual sentences, or the beginning of one."""
    said = words_of(content)
    return not any(words_of(sentence)[: len(said)] == said for sentence in usual)


def gaps_in_log(call: Conversation, usual: Sequence[str]) -> list[str]:
    """What a call's log lacks or has twice, in words; none: it is complete."""
    log = call.call
    found = [] if log.status.is_final and log.ended_at is not None else [f"not final: {log.status}"]
    if [turn.index for turn in log.turns] != list(range(len(log.turns))):
        found.append("turns are not numbered 0, 1, 2, ...")
    found += [f"said twice: {turn.role}" for turn in _doubled(call, usual)]
    return found + [f"not in the log: an utterance answered after {s:.1f} s" for s in _unwritten(call)]


def _doubled(call: Conversation, usual: Sequence[str]) -> Iterator[Turn]:
    """Turns that repeat the one before them; what was said of a fault may have been said twice."""
    for one, other in pairwise(call.call.turns):
        is_repeated = one.role == other.role and one.content == other.content and one.content
        if is_repeated and (one.role == "user" or not is_odd(one.content, usual)):
            yield other


def _unwritten(call: Conversation) -> Iterator[float]:
    """For each utterance that was answered but is in no turn of the log, how soon it was answered."""
    said = call.report.utterances
    if not said:
        return
    written = [Stored(turn.content, call.written_at(turn)) for turn in call.call.turns if turn.role == "user"]
    for utterance, reply, turns in zip(said, call.report.replies, stored_for(said, call.stored), strict=True):
        # By when it was written: an actor's clock begins late on a machine where the call was late to reach it.
        later = [turn for turn in written if utterance.start <= turn.at < utterance.end + LATE_S]
        is_there = turns or any(heard_words(utterance.text, t.text) * 2 > len(utterance.text.split()) for t in later)
        if reply.arrived_s is not None and utterance.kind == "say" and not is_there:
            yield reply.arrived_s
