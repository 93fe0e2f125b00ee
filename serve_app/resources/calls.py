"""/calls: placing calls, the call log, ending a call."""

from typing import Annotated, Any

from bson import encode
from bson.errors import BSONError
from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import FileResponse
from pydantic import AfterValidator, ConfigDict, Field

from models.agent import NOTES_CHARS, DispositionName
from models.call import CallStatus, Direction
from models.document import Id, Model
from serve_app.authentication import Now, Provided, allowed
from serve_app.envelope import Pagination, Success
from serve_app.idempotency import Idempotent
from serve_app.resources.call_log import CallDetail, ListedCall, PlacedCallResource
from serve_app.resources.lists import FromDate, PageLimit, PageNumber, ToDate, before, fails_with, since
from serve_app.resources.timeline import TimelineData, TimelineResource
from services.principal import Principal
from services.timeline import timeline

router = APIRouter(prefix="/calls", tags=["calls"])

Reader = Annotated[Principal, Depends(allowed("calls:read"))]
Writer = Annotated[Principal, Depends(allowed("calls:write"))]

METADATA_BYTES = 16_384


def _storable(metadata: dict[str, Any]) -> dict[str, Any]:
    """JSON allows more than a document can hold: huge integers, NUL in names, half characters."""
    try:
        size = len(encode(metadata))
    except (BSONError, OverflowError, UnicodeError, RecursionError) as error:
        raise ValueError("holds something that cannot be stored") from error
    if size > METADATA_BYTES:
        raise ValueError(f"is larger than {METADATA_BYTES} bytes")
    return metadata


def _plain(text: str) -> str:
    _storable({"text": text})
    return text


PhoneNumber = Annotated[str, Field(max_length=40)]
AgentId = Annotated[str, Field(max_length=100)]
Metadata = Annotated[dict[str, Any], AfterValidator(_storable)]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
Variables = Annotated[
    dict[VariableName, Annotated[str, Field(max_length=2_000)]],
    Field(
        max_length=200,
        description="What is known of the person: `{customer_name}` in the agent's prompt, first message and voicemail "
        "message becomes its value, and each that is used there must have one. Without any, braces stay as they are.",
    ),
    AfterValidator(_storable),
]
Notes = Annotated[str, Field(max_length=NOTES_CHARS), AfterValidator(_plain)]


class OutboundCall(Model):
    """Whom to call, from which of our phones, and who talks."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "fromPhone": "+919876543210",
                    "toPhone": "+919123456789",
                    "agentId": "64f8a1b2c3d4e5f6a7b8c9d1",
                    "metadata": {"customerName": "John Doe", "orderId": "ORD-12345"},
                    "variables": {"customer_name": "John"},
                }
            ]
        }
    )
    from_phone: PhoneNumber
    to_phone: PhoneNumber
    agent_id: AgentId
    metadata: Metadata = Field(default_factory=dict)
    variables: Variables | None = None


class NameDisposition(Model):
    """What the call came to: one of its agent's `dispositions`, or any word where it has none. `null`: nothing."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "interested", "notes": "Wants to be called again on Monday"}]}
    )
    name: DispositionName | None
    notes: Notes = ""


class EndCall(Model):
    """Why the call is ended; kept in its log."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "user_requested"}]})
    reason: Annotated[str, Field(min_length=1, max_length=200)] = "user_requested"


class PlacedData(Model):
    """`data` of a call just placed."""

    call: PlacedCallResource


class CallData(Model):
    """`data` with one call and everything about it."""

    call: CallDetail


class CallsData(Model):
    """`data` with a page of the log."""

    calls: list[ListedCall]
    pagination: Pagination


class EndedData(Model):
    """`data` of an ended call."""

    session_id: str
    status: str = "ended"


@router.post(
    "/outbound",
    status_code=201,
    response_model=Success[PlacedData],
    responses=fails_with(400, 401, 402, 403, 404, 409, 422, 502, 503),
)
async def place_call(body: OutboundCall, caller: Writer, services: Provided, once: Idempotent, now: Now) -> Response:
    """Call somebody and have an agent talk to them."""

    async def place(call_id: Id) -> Success[PlacedData]:
        call = await services.calls.place_outbound(
            caller,
            from_phone=body.from_phone,
            to_phone=body.to_phone,
            agent_id=body.agent_id,
            metadata=body.metadata,
            now=now,
            call_id=call_id,
            variables=body.variables,
        )
        return Success(data=PlacedData(call=PlacedCallResource.of(call)))

    return await once(place)


@router.get("", responses=fails_with(400, 401, 403))
async def list_calls(
    caller: Reader,
    services: Provided,
    page: PageNumber = 1,
    limit: PageLimit = 20,
    status: CallStatus | None = None,
    direction: Direction | None = None,
    agent_id: Annotated[str | None, Query(alias="agentId", max_length=100)] = None,
    campaign_id: Annotated[str | None, Query(alias="campaignId", max_length=100)] = None,
    disposition: Annotated[str | None, Query(max_length=50)] = None,
    from_date: FromDate = None,
    to_date: ToDate = None,
) -> Success[CallsData]:
    """The call log, newest first."""
    found = await services.calls.page(
        caller,
        status=status,
        direction=direction,
        agent_id=agent_id,
        campaign_id=campaign_id,
        disposition=disposition,
        since=since(from_date),
        before=before(to_date),
        page=page,
        limit=limit,
    )
    calls = [ListedCall.of(call, services.recordings.url(call)) for call in found.items]
    return Success(data=CallsData(calls=calls, pagination=Pagination.of(found)))


@router.get("/{call_id}", responses=fails_with(401, 403, 404))
async def get_call(call_id: str, caller: Reader, services: Provided) -> Success[CallData]:
    """One call with its transcript."""
    call = await services.calls.get(caller, call_id)
    return Success(data=CallData(call=CallDetail.of(call, services.recordings.url(call))))


@router.get("/{call_id}/timeline", responses=fails_with(401, 403, 404))
async def get_timeline(call_id: str, caller: Reader, services: Provided) -> Success[TimelineData]:
    """Where the time of a call went, turn by turn: until the text was known, the model answered, the voice sounded."""
    call = await services.calls.get(caller, call_id)
    return Success(data=TimelineData(timeline=TimelineResource.of(timeline(call))))


@router.get("/{call_id}/recording", response_class=FileResponse, responses=fails_with(400, 401, 404))
async def get_recording(call_id: str, token: str, services: Provided) -> FileResponse:
    """The audio we recorded (stereo WAV: caller left, agent right); `recordingUrl` leads here, token included."""
    return FileResponse(await services.recordings.file(call_id, token), media_type="audio/wav")


@router.patch("/{call_id}/disposition", responses=fails_with(400, 401, 403, 404))
async def set_disposition(
    call_id: str, body: NameDisposition, caller: Writer, services: Provided, now: Now
) -> Success[CallData]:
    """Say what a call came to, during it or at any time after. It replaces what was said before, by the agent too."""
    call = await services.calls.set_disposition(caller, call_id, name=body.name, notes=body.notes, now=now)
    return Success(data=CallData(call=CallDetail.of(call, services.recordings.url(call))))


@router.post("/{session_id}/end", responses=fails_with(400, 401, 403, 404, 409))
async def end_call(
    session_id: str, caller: Writer, services: Provided, now: Now, body: EndCall | None = None
) -> Success[EndedData]:
    """End a live call, or cancel one that still rings."""
    await services.calls.end(caller, session_id, (body or EndCall()).reason, now)
    return Success(message="Call ended successfully", data=EndedData(session_id=session_id))
