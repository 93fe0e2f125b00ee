"""Jobs for tests of the scheduler, each of a call of its own unless it says otherwise, and schedulers for them."""

import itertools

from actors.speech_to_text.costs import CostTable
from actors.speech_to_text.jobs import Job, Limits, Ticket
from actors.speech_to_text.scheduler import Scheduler
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


def table(*, encode_ms: float = 20.0, decode_ms: float = 60.0) -> CostTable:
    """What one row costs in the shortest window, and a second opinion."""
    costs = CostTable()
    costs.learn(400, 1, encode_ms, decode_ms)
    costs.learn(3000, 1, 5 * encode_ms, 2 * decode_ms, is_thorough=True)
    return costs


def scheduler(*, slots: int = 1, waiting: int = 100, costs: CostTable | None = None) -> Scheduler:
    """One with nothing to do."""
    return Scheduler(Limits(slots, 8, 250.0, BUCKETS, waiting), costs or table())
