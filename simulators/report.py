"""What a simulated call was like: what was said and heard, when, and how fast the agent answered. Pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from math import inf
from pathlib import Path

from simulators.ear import Ear, Gap, Mark
from simulators.sound import Floats


@dataclass(frozen=True, slots=True)
class Utterance:
    """One sound of the caller's. Monotonic seconds: `start` and `end` as spoken, to the sample; `sent` is when the
    frame with the last of it left, up to 100 ms after `end`, as the carrier sends a frame once it is full."""

    kind: str
    """`say`, `interrupt`, `murmur` or `noise`."""
    text: str
    start: float
    end: float
    sent: float
    parts: tuple[tuple[float, float], ...] = ()
    """Start and end of each piece of a turn with pauses in it; a turn in one piece has one, or none."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The agent's answer to an utterance, seconds after its end; None: there was none before the caller spoke again."""

    arrived_s: float | None
    """Until the first byte of reply audio reached the carrier."""
    audible_s: float | None
    """Until the caller heard the first sound of it."""
    early_s: float | None = None
    """The agent began to speak so long before the caller had finished; None: it did not."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A media message that breaks the carrier's chunk rule."""

    at: float
    size: int
    problem: str


@dataclass(frozen=True, slots=True)
class CallReport:
    """One call. Moments are monotonic seconds; `origin` is the media stream's beginning."""

    call_sid: str
    from_number: str
    to_number: str
    rate_hz: int
    origin: float
    ended: float
    end_reason: str
    """`caller`, `platform`, `time limit`, or `refused` (no media socket)."""
    utterances: tuple[Utterance, ...] = ()
    replies: tuple[Reply, ...] = ()
    """One per utterance."""
    agent_speech: tuple[tuple[float, float], ...] = ()
    gaps: tuple[Gap, ...] = ()
    marks: tuple[Mark, ...] = ()
    clears: tuple[float, ...] = ()
    violations: tuple[Violation, ...] = ()
    garbled: int = 0
    """Messages of the platform that the carrier could not read."""
    missed: tuple[str, ...] = ()
    """Steps of the caller's script that waited in vain."""
    latest_frame_s: float = 0.0
    """How late the most delayed frame of caller audio left: large values mean an overloaded machine."""
    recording: Path | None = None
    said: Floats | None = field(default=None, repr=False)
    """The caller's line at `rate_hz`, from `origin` on."""
    heard: Floats | None = field(default=None, repr=False)
    """What the caller heard, likewise."""

    def as_json(self) -> dict[str, object]:
        """Everything but the sound, with moments as seconds since `origin`."""
        since = self.origin
        return {
            "callSid": self.call_sid,
            "from": self.from_number,
            "to": self.to_number,
            "rateHz": self.rate_hz,
            "durationS": _rounded(self.ended - since),
            "endReason": self.end_reason,
            "utterances": [
                {
                    "kind": utterance.kind,
                    "text": utterance.text,
                    "startS": _rounded(utterance.start - since),
                    "endS": _rounded(utterance.end - since),
                    "replyArrivedS": _rounded(reply.arrived_s),
                    "replyAudibleS": _rounded(reply.audible_s),
                    "replyEarlyS": _rounded(reply.early_s),
                }
                for utterance, reply in zip(self.utterances, self.replies, strict=True)
            ],
            "agentSpeech": [[_rounded(start - since), _rounded(end - since)] for start, end in self.agent_speech],
            "gaps": [{"atS": _rounded(gap.at - since), "seconds": _rounded(gap.seconds)} for gap in self.gaps],
            "marks": {
                "sent": len(self.marks),
                "played": sum(mark.played_at is not None for mark in self.marks),
                "cleared": sum(mark.cleared_at is not None for mark in self.marks),
            },
            "clearsS": [_rounded(at - since) for at in self.clears],
            "violations": [asdict(violation) for violation in self.violations],
            "garbled": self.garbled,
            "missed": list(self.missed),
            "latestFrameS": _rounded(self.latest_frame_s),
            "recording": str(self.recording) if self.recording else None,
        }


def replies_to(utterances: Sequence[Utterance], ear: Ear) -> tuple[Reply, ...]:
    """The agent's answer to each utterance, found in what the ear received.

    A reply is audio that comes after the utterance's end and starts anew: what still runs on from before an
    interruption, as long as it was neither played out nor cleared, is not one.
    """
    nexts = [utterance.start for utterance in utterances[1:]]
    return tuple(_reply(utterance, until, ear) for utterance, until in zip(utterances, [*nexts, inf], strict=False))


def _reply(utterance: Utterance, until: float, ear: Ear) -> Reply:
    early_s = _early_s(utterance, ear)
    first = next((piece for piece in ear.arrivals if piece.starts_anew and utterance.end <= piece.at < until), None)
    if first is None:
        return Reply(None, None, early_s)
    audible = ear.first_loud(first.plays_at)
    is_heard = audible is not None and audible < until
    heard_s = audible - utterance.end if audible is not None and is_heard else None
    return Reply(first.at - utterance.end, heard_s, early_s)


def _early_s(utterance: Utterance, ear: Ear) -> float | None:
    """How long before the end of what was said the agent was heard to begin anew."""
    for piece in ear.arrivals:
        if piece.starts_anew and utterance.start < piece.at < utterance.end:
            audible = ear.first_loud(piece.plays_at)
            if audible is not None and audible < utterance.end:
                return utterance.end - audible
    return None


def dead_air(speech: Sequence[tuple[float, float]], start: float, end: float) -> tuple[float | None, float]:
    """What a caller waited who stopped speaking at `start`: until the agent was heard, and the longest silence at once.

    `speech` are the stretches of agent speech. The silence after the last of them is the caller's turn, and counts only
    if nothing was heard at all; None: nothing was.
    """
    heard = [(max(first, start), last) for first, last in speech if last > start and first < end]
    if not heard:
        return None, end - start
    silences = [heard[0][0] - start, *(b[0] - a[1] for a, b in pairwise(heard))]
    return silences[0], max(silences)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 4)
