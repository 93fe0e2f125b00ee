"""What callers heard during each step of a rising number of calls. Pure; moments are monotonic seconds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench.spread import Spread, in_ms
from simulators.report import CallReport

TURN_P95_MS = 1000.0
GAP_P99_MS = 40.0


@dataclass(frozen=True, slots=True)
class Step:
    """A time with about so many calls."""

    calls: int
    start: float
    end: float

    def has(self, moment: float) -> bool:
        """Whether it lies in it."""
        return self.start <= moment < self.end


@dataclass(frozen=True, slots=True)
class Heard:
    """What callers heard in a step."""

    turns: Spread
    """From the end of speech to the first byte of the answer."""
    unanswered: int
    gaps: Spread
    """The longest hole in each stretch of the agent's speech, 0 where there was none."""
    broken: int
    """Calls that ended, or were refused, although their callers wanted more."""

    @property
    def is_good(self) -> bool:
        """Whether the step meets both targets, and no caller was lost."""
        is_fast = self.turns.quantile(0.95) <= TURN_P95_MS
        return is_fast and self.gaps.quantile(0.99) <= GAP_P99_MS and not self.broken


def heard(reports: Sequence[CallReport], step: Step) -> Heard:
    """What is in these reports of the step."""
    replies = [
        reply
        for report in reports
        for said, reply in zip(report.utterances, report.replies, strict=True)
        if step.has(said.end)
    ]
    return Heard(
        turns=in_ms([reply.arrived_s for reply in replies]),
        unanswered=sum(reply.arrived_s is None and reply.early_s is None for reply in replies),
        gaps=in_ms([hole for report in reports for hole in _holes(report, step)]),
        broken=sum(report.end_reason != "caller" and step.has(report.ended) for report in reports),
    )


def _holes(report: CallReport, step: Step) -> Iterator[float]:
    """For each time the agent spoke in the step, the longest hole in it."""
    bounds = [report.origin, *(said.end for said in report.utterances), report.ended]
    for start, end in pairwise(bounds):
        spoke = any(start <= first < end and step.has(first) for first, _ in report.agent_speech)
        if spoke:
            yield max((gap.seconds for gap in report.gaps if start <= gap.at < end), default=0.0)


def highest(steps: Sequence[tuple[Step, Heard]]) -> int:
    """The most calls up to which every step was good; 0: none was."""
    best = 0
    for step, found in steps:
        if not found.is_good:
            break
        best = step.calls
    return best
