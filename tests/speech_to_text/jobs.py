"""Jobs for tests of the scheduler, each of a call of its own unless it says otherwise."""

import itertools

from actors.speech_to_text.jobs import Job, Ticket
from providers.roles import SttKind

FINAL, SPEC, PARTIAL = SttKind.FINAL, SttKind.SPEC, SttKind.PARTIAL
BUCKETS = (400, 500, 800, 2000, 3000)

_numbers = itertools.count(1)


def job(
    kind: SttKind,
    *,
    call: str | None = None,
    utterance: int = 1,
    revision: int = 1,
    frames: int = 400,
    prompt: int = 2,
    arrived: float = 0.0,
    deadline: float = 6.0,
) -> Job:
    """One request."""
    number = next(_numbers)
    return Job(
        ticket=Ticket(number),
        call=call or f"call{number}",
        utterance=utterance,
        revision=revision,
        asked_as=kind,
        frames=frames,
        prompt=prompt,
        arrived=arrived,
        deadline=deadline,
    )
