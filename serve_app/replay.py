"""What a client that joins late is told first: the past of a call as the events it would have got. Pure."""

from collections.abc import Mapping
from typing import Any

from models.call import Call, CallStatus
from services import call_events

Event = tuple[str, call_events.Payload]


def past(call: Call) -> list[Event]:
    """The events of this call until now, as they were sent live, but for what only matters live: faults, metrics."""
    created = call.model_copy(update={"status": CallStatus.INITIATED})
    events: list[Event] = [(call_events.STARTED, call_events.status_changed(created, call.created_at))]
    if call.started_at is not None:
        answered = call.model_copy(update={"status": CallStatus.IN_PROGRESS})
        events.append((call_events.CONNECTED, call_events.status_changed(answered, call.started_at)))
    events += [(call_events.TRANSCRIPT, call_events.transcript(call.session_id, turn)) for turn in call.turns]
    if call.status.is_final:
        events.append((call_events.ENDED, call_events.ended(call)))
    return events


def identity(event: str, payload: Mapping[str, Any]) -> tuple[object, ...] | None:
    """Equal for an event told live and told again; None: it may come any number of times."""
    if event in (call_events.ERROR, call_events.METRICS):
        return None
    if event == call_events.TRANSCRIPT:
        return event, payload["role"], payload["timestamp"], payload["text"]
    return (event,)
