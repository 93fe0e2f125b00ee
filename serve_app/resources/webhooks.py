"""/webhooks/exotel: what the carrier tells and asks. Authentic by the token in the address we handed out.

Exotel sends these as JSON, as a form, or as a query, by GET or POST, depending on account and applet.
"""

from collections.abc import Mapping
from json import JSONDecodeError
from typing import Annotated, Any
from xml.sax.saxutils import quoteattr

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import UploadFile

from models.errors import Invalid, NoCapacity, Unauthenticated
from serve_app.authentication import Now, Provided
from serve_app.envelope import Done
from serve_app.resources.lists import fails_with
from services.call_addresses import WebhookKey
from services.reservations import was_turned_away
from services.transfers import Transfer

router = APIRouter(prefix="/webhooks/exotel", tags=["webhooks"])

MAX_FIELDS = 200
RINGING_S = 45
"""How long the person a caller is transferred to may let it ring; Exotel's own default."""


async def read_body(request: Request) -> dict[str, object]:
    """The webhook's fields, from the query and from a JSON or form body, the body counting more; raises Invalid."""
    fields: dict[str, object] = dict(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        fields |= await _json(request)
    elif kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        async with request.form(max_files=0, max_fields=MAX_FIELDS) as form:
            fields |= {name: value for name, value in form.multi_items() if not isinstance(value, UploadFile)}
    return fields


def webhook_key(request: Request) -> WebhookKey:
    """What the address says the webhook is about; raises Unauthenticated when it is not one of ours."""
    said = sorted(each for each in request.query_params.multi_items() if each[0] in ("call", "phone", "token"))
    match said:  # said twice, or of a call and a phone, it is not as we wrote it
        case [("call", subject), ("token", token)]:
            return WebhookKey("call", subject, token)
        case [("phone", subject), ("token", token)]:
            return WebhookKey("phone", subject, token)
    raise Unauthenticated("Invalid token")


def sms_key(request: Request) -> tuple[str, str]:
    """The message that the address says the webhook is about, and the token; raises Unauthenticated."""
    said = sorted(each for each in request.query_params.multi_items() if each[0] in ("sms", "token"))
    match said:
        case [("sms", message_id), ("token", token)]:
            return message_id, token
    raise Unauthenticated("Invalid token")


Body = Annotated[Mapping[str, object], Depends(read_body)]
Key = Annotated[WebhookKey, Depends(webhook_key)]
SmsKey = Annotated[tuple[str, str], Depends(sms_key)]


def stream_xml(media_url: str) -> str:
    """The answer that connects the call to its media socket.

    The document's sample also has a `<Say>`; the agent greets over the stream in its own voice, so a caller would
    hear two greetings.
    """
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Response>\n  <Stream url={quoteattr(media_url)} />\n</Response>\n'


BUSY_XML = '<?xml version="1.0" encoding="UTF-8"?>\n<Response>\n  <Reject reason="busy" />\n</Response>\n'
"""The answer that has the carrier refuse the call: the caller hears the busy tone."""

INCOMING = {"From": "+919123456789", "To": "+919876543210", "CallSid": "CA123456789", "Direction": "inbound"}
RECORDING = {"CallSid": "CA123456789", "RecordingUrl": "https://exotel.com/recordings/call_123.mp3"}
STATUS = {**RECORDING, "CallStatus": "completed", "CallDuration": "330"}
SMS = {"SmsSid": "6c7f123456789", "Status": "sent", "DetailedStatus": "DELIVERED_TO_HANDSET"}


def connect_answer(transfer: Transfer) -> dict[str, object]:
    """The Connect applet's answer: whom to dial, for the caller to talk to, and which number they see. No numbers:
    nobody, and the flow goes on."""
    return {
        "fetch_after_attempt": False,
        "destination": {"numbers": [transfer.to_number] if transfer.to_number else []},
        "outgoing_phone_number": transfer.from_number,
        "max_ringing_duration": RINGING_S,
        "music_on_hold": {"type": "operator_tone"},
    }


def taking(example: Mapping[str, str], *subjects: str) -> dict[str, Any]:
    """The OpenAPI entry of a webhook: the address says what it is about, and its body is read in any of three kinds."""
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in example}}
    kinds = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
    words: dict[str, dict[str, Any]] = {
        name: {"name": name, "in": "query", "schema": {"type": "string"}} for name in (*subjects, "token")
    }
    words["token"]["required"] = True
    return {
        "parameters": list(words.values()),
        "requestBody": {"content": {kind: {"schema": schema, "example": dict(example)} for kind in kinds}},
    }


def asked_with(*names: str) -> list[dict[str, Any]]:
    """The query of a webhook that only asks."""
    return [{"name": name, "in": "query", "required": True, "schema": {"type": "string"}} for name in names]


@router.get("/incoming", include_in_schema=False)
@router.post(
    "/incoming",
    response_class=Response,
    openapi_extra=taking(INCOMING, "phone"),
    responses={
        200: {
            "content": {
                "application/xml": {
                    "examples": {
                        "taken": {"value": stream_xml("wss://yourdomain.com/audio/sess_abc123xyz?token=...")},
                        "all lines are busy": {"value": BUSY_XML},
                    }
                },
                "application/json": {"example": {"url": "wss://yourdomain.com/audio/sess_abc123xyz?token=..."}},
            }
        },
        **fails_with(400, 401, 402, 403, 404, 409, 503),
    },
)
async def incoming(request: Request, key: Key, body: Body, services: Provided, now: Now) -> Response:
    """What to do with a call to one of our numbers: stream it to its agent, or, while all lines are busy, refuse it.

    Exotel's applet has no word for refusing in JSON: it gets a 503 and goes on with the flow.
    """
    call = await services.calls.receive_incoming(key, services.telephony.parse_incoming(body), now)
    wants_json = _wants_json(request)
    if was_turned_away(call):
        if wants_json:
            raise NoCapacity("the call was turned away")
        return Response(BUSY_XML, media_type="application/xml")
    url = services.calls.media_url(call)
    if wants_json:
        return JSONResponse({"url": url})
    return Response(stream_xml(url), media_type="application/xml")


@router.post("/connect", include_in_schema=False)
@router.get(
    "/connect",
    response_class=JSONResponse,
    openapi_extra={"parameters": asked_with("phone", "token", "CallSid")},
    responses={
        200: {"content": {"application/json": {"example": connect_answer(Transfer("+919812345678", "+919876543210"))}}},
        **fails_with(400, 401, 403, 404),
    },
)
async def connect(key: Key, body: Body, services: Provided) -> Response:
    """Whom a caller whose agent has left is transferred to."""
    carrier_call_id = services.telephony.parse_status(body).carrier_call_id
    return JSONResponse(connect_answer(await services.transfers.of_call(key, carrier_call_id)))


@router.get("/status", include_in_schema=False)
@router.post("/status", openapi_extra=taking(STATUS, "call", "phone"), responses=fails_with(400, 401, 403, 404))
async def status(key: Key, body: Body, services: Provided, now: Now) -> Done:
    """News of a call."""
    await services.reports.apply(key, services.telephony.parse_status(body), now)
    return Done(message="Status updated")


@router.get("/recording", include_in_schema=False)
@router.post("/recording", openapi_extra=taking(RECORDING, "call", "phone"), responses=fails_with(400, 401, 403, 404))
async def recording(key: Key, body: Body, services: Provided, now: Now) -> Done:
    """A call's recording is there."""
    await services.reports.apply(key, services.telephony.parse_status(body), now)
    return Done(message="Recording saved")


@router.get("/sms", include_in_schema=False)
@router.post("/sms", openapi_extra=taking(SMS, "sms"), responses=fails_with(400, 401, 403, 404))
async def sms(key: SmsKey, body: Body, services: Provided, now: Now) -> Done:
    """News of a text message."""
    message_id, token = key
    await services.sms_messages.report(message_id, token, services.telephony.parse_sms(body), now)
    return Done(message="Status updated")


async def _json(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except (JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid("The body is not valid JSON") from error
    if not isinstance(body, dict):
        raise Invalid("The body is not a JSON object")
    return body


def _wants_json(request: Request) -> bool:
    """Exotel's applet fetches the address with GET and reads JSON; a flow that posts reads XML unless it asks."""
    accept = request.headers.get("accept", "")
    return "application/json" in accept or (request.method == "GET" and "xml" not in accept)
