"""What speech-to-text workers are called, and what one answers with besides a Transcript."""

from dataclasses import dataclass

from actors.speech_to_text.costs import Cost

PREFIX = "speech_to_text:"


def worker_names(workers: int) -> list[str]:
    """The Ray names of so many workers."""
    return [f"{PREFIX}{number}" for number in range(workers)]


@dataclass(frozen=True, slots=True)
class Refusal:
    """No transcript. A value and not an exception, so that its fields survive the way between two processes."""

    message: str
    retryable: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """Requests by how they ended since the worker started, and batches decoded."""

    decoded: int = 0
    rejected: int = 0
    """Of the decoded, those the gates found no words in."""
    refused: int = 0
    shed: int = 0
    batches: int = 0


@dataclass(frozen=True, slots=True)
class Health:
    """A worker at one moment: batches in flight and at most, requests waiting, its load, and what it has learnt."""

    model: str
    busy: int
    slots: int
    waiting: int
    backlog_ms: float
    utilisation: float
    """Modelled share of the slots' time that the FINALs and SPECs of the last seconds take."""
    final_queue_p95_ms: float
    is_admitting: bool
    """Whether another call would find room."""
    finals_per_s: float
    """How many utterances of 3 s it could answer, by the costs learnt."""
    counts: Counts
    costs: tuple[Cost, ...]
