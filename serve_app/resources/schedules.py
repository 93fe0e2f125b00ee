"""/schedules: calls at a local time, once or by a rule."""

from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Query, Response
from pydantic import ConfigDict, Field

from models.document import Id, Model, Time
from models.schedule import LateMinutes, Occurrence, Outcome, Schedule, ScheduleStatus
from serve_app.authentication import Now, Provided, allowed
from serve_app.envelope import Done, Maybe, Pagination, Success
from serve_app.idempotency import Idempotent
from serve_app.resources.calls import AgentId, Metadata, PhoneNumber, Variables
from serve_app.resources.lists import PageLimit, PageNumber, fails_with
from services.principal import Principal
from services.schedules import Order

router = APIRouter(prefix="/schedules", tags=["schedules"])

Reader = Annotated[Principal, Depends(allowed("calls:read"))]
Writer = Annotated[Principal, Depends(allowed("calls:write"))]

LocalTime = Annotated[
    str, Field(max_length=40, description="ISO, without an offset: what clocks in `timezone` will show")
]
ZoneName = Annotated[str, Field(max_length=60, description="An IANA time zone")]
Rule = Annotated[
    str,
    Field(
        max_length=500,
        description="RFC 5545, such as `FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20261231`. It begins at `localTime` and is read "
        "in local time; its times are at least 5 minutes apart.",
    ),
]
Notes = Annotated[str, Field(max_length=1000)]
Late = Annotated[
    LateMinutes, Field(description="A call that could not be placed for longer than that is missed, and not placed")
]


class NewSchedule(Model):
    """A call to be placed at `localTime`; with `rrule`, at every time that the rule gives from then on.

    A local time that clocks leave out when they are put forward becomes the first moment after; of one that they show
    twice the first counts.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "fromPhone": "+919876543210",
                    "toPhone": "+919123456789",
                    "agentId": "64f8a1b2c3d4e5f6a7b8c9d1",
                    "localTime": "2030-01-15T14:00:00",
                    "timezone": "Asia/Kolkata",
                    "rrule": "FREQ=WEEKLY;BYDAY=TU;COUNT=4",
                    "lateMinutes": 10,
                    "metadata": {"customerName": "John Doe"},
                    "variables": {"customer_name": "John"},
                    "notes": "Follow-up call",
                }
            ]
        }
    )
    from_phone: PhoneNumber
    to_phone: PhoneNumber
    agent_id: AgentId
    local_time: LocalTime
    timezone: ZoneName
    rrule: Rule | None = None
    late_minutes: Late = 10
    metadata: Metadata = Field(default_factory=dict)
    variables: Variables = Field(default_factory=dict)
    notes: Notes = ""


class UpdateSchedule(Model):
    """What to change; everything else stays. `rrule: null` makes it a single call.

    What says when is counted from `localTime` on, which has to be in the future then.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"localTime": "2030-01-16T09:30:00", "notes": "Asked for the morning"}]}
    )
    from_phone: PhoneNumber | None = None
    to_phone: PhoneNumber | None = None
    agent_id: AgentId | None = None
    local_time: LocalTime | None = None
    timezone: ZoneName | None = None
    rrule: Rule | None = None
    late_minutes: Late | None = None
    metadata: Metadata | None = None
    variables: Variables | None = None
    notes: Notes | None = None

    def changes(self) -> dict[str, Any]:
        """What was sent; of null only that of the rule means something."""
        sent = {name: getattr(self, name) for name in self.model_fields_set}
        return {name: value for name, value in sent.items() if value is not None or name == "rrule"}


class ScheduleResource(Model):
    """A schedule. `reason` says why its last time came to nothing, `waitingFor` why the present one has to wait."""

    id: Annotated[str, Field(alias="_id")]
    user_id: str
    from_phone: str
    to_phone: str
    agent_id: str
    metadata: dict[str, Any]
    variables: Maybe[dict[str, str]] = None
    notes: str
    local_time: str
    timezone: str
    rrule: Maybe[str] = None
    late_minutes: int
    status: ScheduleStatus
    reason: Maybe[str] = None
    next_at: Maybe[Time] = None
    waiting_for: Maybe[str] = None
    created_at: Time
    updated_at: Time

    @classmethod
    def of(cls, schedule: Schedule) -> Self:
        """As the API shows it."""
        return cls(
            id=schedule.id,
            user_id=schedule.user_id,
            from_phone=schedule.from_phone,
            to_phone=schedule.to_phone,
            agent_id=schedule.agent_id,
            metadata=schedule.metadata,
            variables=schedule.variables or None,
            notes=schedule.notes,
            local_time=schedule.local_time,
            timezone=schedule.timezone,
            rrule=schedule.rrule,
            late_minutes=schedule.late_minutes,
            status=schedule.status,
            reason=schedule.reason,
            next_at=schedule.coming and schedule.coming.due_at,
            waiting_for=schedule.coming and schedule.coming.waited_for,
            created_at=schedule.created_at,
            updated_at=schedule.updated_at,
        )


class OccurrenceResource(Model):
    """One time that is over: the call it became, or why not. `skipped`: times before it that nobody was there for."""

    due_at: Time
    outcome: Outcome
    reason: Maybe[str] = None
    call_id: Maybe[str] = None
    skipped: int
    settled_at: Time

    @classmethod
    def of(cls, occurrence: Occurrence) -> Self:
        """As the API shows it."""
        return cls(
            due_at=occurrence.due_at,
            outcome=occurrence.outcome,
            reason=occurrence.reason,
            call_id=occurrence.call_id,
            skipped=occurrence.skipped,
            settled_at=occurrence.created_at,
        )


class ScheduleData(Model):
    """`data` with one schedule."""

    schedule: ScheduleResource

    @classmethod
    def of(cls, schedule: Schedule) -> Success[Self]:
        """The whole answer."""
        return Success(data=cls(schedule=ScheduleResource.of(schedule)))


class SchedulesData(Model):
    """`data` with a page of schedules."""

    schedules: list[ScheduleResource]
    pagination: Pagination


class OccurrencesData(Model):
    """`data` with a page of a schedule's history."""

    occurrences: list[OccurrenceResource]
    pagination: Pagination


@router.post(
    "",
    status_code=201,
    response_model=Success[ScheduleData],
    responses=fails_with(400, 401, 403, 404, 409, 422),
)
async def create_schedule(
    body: NewSchedule, caller: Writer, services: Provided, once: Idempotent, now: Now
) -> Response:
    """Have a call placed at a local time, once or again and again. It is placed for whoever asks now."""

    async def make(schedule_id: Id) -> Success[ScheduleData]:
        order = Order(**{name: getattr(body, name) for name in NewSchedule.model_fields})
        made = await services.schedules.create(caller, order, schedule_id=schedule_id, now=now)
        return ScheduleData.of(made)

    return await once(make)


@router.get("", responses=fails_with(400, 401, 403))
async def list_schedules(
    caller: Reader,
    services: Provided,
    page: PageNumber = 1,
    limit: PageLimit = 20,
    status: ScheduleStatus | None = None,
    agent_id: Annotated[str | None, Query(alias="agentId", max_length=100)] = None,
) -> Success[SchedulesData]:
    """The organization's schedules, newest first."""
    found = await services.schedules.page(caller, status=status, agent_id=agent_id, page=page, limit=limit)
    schedules = [ScheduleResource.of(schedule) for schedule in found.items]
    return Success(data=SchedulesData(schedules=schedules, pagination=Pagination.of(found)))


@router.get("/{schedule_id}", responses=fails_with(401, 403, 404))
async def get_schedule(schedule_id: str, caller: Reader, services: Provided) -> Success[ScheduleData]:
    """A schedule."""
    return ScheduleData.of(await services.schedules.get(caller, schedule_id))


@router.get("/{schedule_id}/occurrences", responses=fails_with(400, 401, 403, 404))
async def list_occurrences(
    schedule_id: str, caller: Reader, services: Provided, page: PageNumber = 1, limit: PageLimit = 20
) -> Success[OccurrencesData]:
    """What became of each time of a schedule, newest first."""
    found = await services.schedules.occurrences(caller, schedule_id, page=page, limit=limit)
    occurrences = [OccurrenceResource.of(occurrence) for occurrence in found.items]
    return Success(data=OccurrencesData(occurrences=occurrences, pagination=Pagination.of(found)))


@router.put("/{schedule_id}", responses=fails_with(400, 401, 403, 404, 409))
async def update_schedule(
    schedule_id: str, body: UpdateSchedule, caller: Writer, services: Provided, now: Now
) -> Success[ScheduleData]:
    """Change a schedule that waits for its time."""
    return ScheduleData.of(await services.schedules.update(caller, schedule_id, body.changes(), now))


@router.delete("/{schedule_id}", responses=fails_with(401, 403, 404, 409))
async def cancel_schedule(schedule_id: str, caller: Writer, services: Provided, now: Now) -> Done:
    """Cancel a schedule that waits for its time. It stays in the list, as cancelled."""
    await services.schedules.cancel(caller, schedule_id, now)
    return Done(message="Schedule cancelled successfully")
