"""What waits for the engine: one recognition, the worker's limits, a batch. Pure data; times are monotonic seconds."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NewType

from providers.roles import SttKind

Ticket = NewType("Ticket", int)

TARGET_S = {SttKind.FINAL: 0.25, SttKind.SPEC: 0.39, SttKind.PARTIAL: 1.0}
"""From arrival to answer: nobody waits longer than this and calls it prompt. A SPEC is asked for 160 ms into a pause
and used 550 ms into it, a PARTIAL is replaced by the next about a second later."""


@dataclass(slots=True, eq=False)
class Job:
    """One recognition. `frames` is the window it needs, `prompt` the length of its prompt in tokens, `sound` what the
    engine is given, which is no business of the scheduler.

    `riders` asked for the same words after it and get its answer; the most urgent of them decides about its turn.
    """

    ticket: Ticket
    call: str
    utterance: int
    revision: int
    asked_as: SttKind
    frames: int
    prompt: int
    arrived: float
    deadline: float
    sound: object = None
    is_thorough: bool = False
    riders: list["Job"] = field(default_factory=list)

    @property
    def kind(self) -> SttKind:
        """Its class, or that of a more urgent rider."""
        return min([self.asked_as, *(rider.asked_as for rider in self.riders)])

    @property
    def due(self) -> float:
        """The earliest deadline of those who wait for it."""
        return min([self.deadline, *(rider.deadline for rider in self.riders)])

    @property
    def target(self) -> float:
        """When its answer should be there."""
        return min(each.arrived + TARGET_S[each.asked_as] for each in (self, *self.riders))

    def tickets(self) -> Iterator[Ticket]:
        """Everybody who waits for its answer."""
        yield self.ticket
        yield from (rider.ticket for rider in self.riders)

    def has_same_words_as(self, other: "Job") -> bool:
        """Whether both ask for the same speech, both at a pause."""
        is_place_same = self.call == other.call and self._place == other._place
        return is_place_same and SttKind.PARTIAL not in (self.asked_as, other.asked_as)

    def supersedes(self, other: "Job") -> bool:
        """Whether this one makes `other`, should it still wait, worthless. Nothing makes a FINAL worthless."""
        if self.call != other.call or self._place < other._place or other.kind is SttKind.FINAL:
            return False
        if self.utterance == other.utterance:
            return self.revision > other.revision or self.kind < other.kind or other.kind is SttKind.PARTIAL
        return self.kind is SttKind.PARTIAL and other.kind is SttKind.PARTIAL

    @property
    def _place(self) -> tuple[int, int]:
        return self.utterance, self.revision


@dataclass(frozen=True, slots=True)
class Limits:
    """What one worker's engine may be given; `buckets` are the windows it decodes in, ascending."""

    slots: int
    max_batch: int
    cap_ms: float
    buckets: tuple[int, ...]
    waiting: int = 256
    """Most requests that wait; more could not be served in time by any model worth running."""

    @classmethod
    def for_device(cls, device: str, *, threads: int, buckets: tuple[int, ...]) -> "Limits":
        """One batch a core on a CPU; elsewhere one at a time, as a second only takes turns with the first."""
        if device == "cpu":
            return cls(slots=threads, max_batch=8, cap_ms=250.0, buckets=buckets, waiting=128 * threads)
        return cls(slots=1, max_batch=16, cap_ms=120.0, buckets=buckets, waiting=1024)


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs to be decoded together, each in a window of `frames`; `started` when it was formed."""

    jobs: tuple[Job, ...]
    frames: int
    started: float
    predicted_ms: float

    @property
    def is_thorough(self) -> bool:
        """Whether this is a second opinion, which is always asked for alone."""
        return self.jobs[0].is_thorough
