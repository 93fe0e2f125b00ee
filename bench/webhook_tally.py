"""What receivers of webhooks are owed by the logs of calls, and how what they got compares. Pure.

Written from the documented events, and not from the rules that the product goes by: it is what they are held against.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bench.webhook_receiver import Received
from models.call import Call, CallStatus

Named = tuple[str, str, str]
"""A call's id, an event, and for a change of its state the new one."""


@dataclass(frozen=True, slots=True)
class Tally:
    """`strange`: taken, but owed by no log. `repeated`: taken again. `disordered`: taken before one it should follow.
    `longest_s`: from an event to its being taken for the first time."""

    owed: int
    taken: int
    lost: int
    strange: int
    repeated: int
    disordered: int
    longest_s: float | None


def owed(call: Call) -> list[Named]:
    """What there is to be told of a call that is over, in order."""
    state = "call.state_changed"
    told = [("call.initiated", "")]
    if call.rang_at is not None:
        told.append((state, "ringing"))
    if call.started_at is not None:
        told += [(state, "in-progress"), ("call.answered", ""), ("call.started", "")]
    told.append((state, call.status.value))
    told.append(("call.completed" if call.status is CallStatus.COMPLETED else "call.failed", ""))
    told.append(("call.ended", ""))
    if call.turns:
        told.append(("transcription.complete", ""))
    if call.recording is not None and (call.recording.path or call.recording.url):
        told.append(("recording.ready", ""))
    return [(call.id, event, to) for event, to in told]


def named(received: Received) -> Named:
    """Which event a request tells."""
    data = received.message["data"]
    return data["call_id"], received.message["event"], data.get("state", "")


def tally(calls: Sequence[Call], got: Sequence[Received]) -> Tally:
    """Hold what was taken against what was owed. `got` is in the order it came."""
    wanted = {event: place for call in calls for place, event in enumerate(owed(call))}
    first: dict[Named, Received] = {}
    taken = [each for each in got if each.is_taken]
    for each in taken:
        first.setdefault(named(each), each)
    return Tally(
        owed=len(wanted),
        taken=len(first),
        lost=len(wanted.keys() - first.keys()),
        strange=len(first.keys() - wanted.keys()),
        repeated=len(taken) - len(first),
        disordered=_disordered([event for event in first if event in wanted], wanted),
        longest_s=max((each.at - _happened_at(each) for each in first.values()), default=None),
    )


def _disordered(taken: Sequence[Named], places: dict[Named, int]) -> int:
    latest: dict[str, int] = {}
    count = 0
    for event in taken:
        call_id, place = event[0], places[event]
        count += place < latest.get(call_id, 0)
        latest[call_id] = max(place, latest.get(call_id, 0))
    return count


def _happened_at(received: Received) -> float:
    return datetime.fromisoformat(received.message["timestamp"]).timestamp()
