"""What a speech-to-text worker answers with, besides a Transcript."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """No transcript. A value and not an exception, so that its fields survive the way between two processes."""

    message: str
    retryable: bool


@dataclass(frozen=True, slots=True)
class Health:
    """A worker at one moment: turns in use and free, requests waiting, and what it has done since it started."""

    model: str
    busy: int
    threads: int
    waiting: int
    decoded: int
    rejected: int
    refused: int
