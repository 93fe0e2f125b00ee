"""What `hearing.py` finds out about the caller. Pure data; times are the machine's clock."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Began:
    """The caller begins to speak."""


@dataclass(frozen=True, slots=True)
class Spoke:
    """The caller has spoken for so long in this stretch; once a window."""

    speech_s: float


@dataclass(frozen=True, slots=True)
class Words:
    """What the caller has said so far, perhaps nothing, while they speak."""

    text: str


@dataclass(frozen=True, slots=True)
class Overheard:
    """What the caller has said if this is the end; empty: noise so far.

    `is_pause`: the caller has stopped for now, not just taken breath; `is_complete`: the words read as all of a turn.
    """

    text: str
    is_pause: bool
    is_complete: bool


@dataclass(frozen=True, slots=True)
class SpeechResumed:
    """It was not the end."""


@dataclass(frozen=True, slots=True)
class Said:
    """The caller's finished turn; empty text: it was no speech. Times are the machine's clock."""

    text: str
    speech_end: float
    final_at: float
    speech_s: float = 0.0
    speech_start: float | None = None
    speculative_at: float | None = None
    """When the text was known, if that was before the turn was over."""
    queue_ms: float | None = None
    decode_ms: float | None = None
    rejections: int = 0
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Unclear:
    """The caller said something and recognition failed."""

    speech_end: float


Fact = Began | Spoke | Words | Overheard | SpeechResumed | Said | Unclear
