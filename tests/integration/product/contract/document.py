"""The answers of the public document, object by object."""

from typing import get_args

from models.call import BargeInDecision, CallStatus
from models.campaign import CampaignStatus
from models.contact import ContactState
from models.conversation import AnsweredBy
from tests.integration.product.contract.shapes import (
    DIRECTION,
    E164,
    ID,
    JWT,
    SESSION,
    STATUS,
    TIME,
    URL,
    Each,
    Part,
    Shape,
    anything,
    counts,
    number,
    one_of,
    or_null,
    text,
    text_or_null,
    truth,
    whole,
)

USER = Shape(
    {"_id": ID, "email": text, "name": text, "role": one_of("user", "admin"), "credits": number, "createdAt": TIME},
    sometimes={"exotelConfig": Shape({"apiKey": text, "subdomain": text})},
    ours={"organizationRole": text, "organizationId": ID},
)
TOKENS = Shape({"access": JWT, "refresh": JWT})

AGENT_CONFIG = Shape(
    {
        "prompt": text,
        "voice": Shape({"provider": text, "voiceId": text, "model": text_or_null}),
        "language": text,
        "llm": Shape({"model": text, "temperature": number}),
        "firstMessage": text,
    },
    sometimes={"sessionTimeout": whole},
    ours={
        **dict.fromkeys(("turnTaking", "interruption", "silence", "voicemail", "tools"), anything),
        **dict.fromkeys(("promptId", "sessionSettingsId", "smsTemplateId"), or_null(ID)),
        "smsAfter": Shape({"outcomes": Each(text), "dispositions": Each(text)}),
        "dispositions": Each(text),
    },
)
AGENT_STATS = Shape({"totalCalls": whole, "totalDuration": whole, "avgDuration": number, "successRate": number})
_AGENT: dict[str, Part] = {
    "_id": ID,
    "userId": ID,
    "name": text,
    "config": AGENT_CONFIG,
    "isActive": truth,
    "createdAt": TIME,
    "updatedAt": TIME,
}
_AGENT_OURS: dict[str, Part] = {"version": whole, "versionId": ID}
AGENT = Shape(_AGENT, ours=_AGENT_OURS)
AGENT_IN_FULL = Shape({**_AGENT, "stats": AGENT_STATS}, ours=_AGENT_OURS)

PHONE = Shape(
    {
        "_id": ID,
        "number": E164,
        "country": text,
        "provider": one_of("exotel"),
        "tags": Each(text),
        "status": one_of("active", "inactive"),
        "exotelData": Shape({"sid": text}),
        "createdAt": TIME,
    },
    sometimes={"agentId": ID, "agentName": text},
    ours={"incomingUrl": URL, "connectUrl": URL},
)

COST = Shape(dict.fromkeys(("stt", "llm", "tts", "telephony", "total"), number))
_CALL: dict[str, Part] = {
    "_id": ID,
    "sessionId": SESSION,
    "fromPhone": E164,
    "toPhone": E164,
    "agentId": ID,
    "direction": DIRECTION,
    "status": STATUS,
    "createdAt": TIME,
}
PLACED_CALL = Shape({**_CALL, "exotelCallSid": text, "metadata": anything})
_LOGGED: dict[str, Part] = {**_CALL, "agentName": text, "costBreakdown": COST}
_WHEN_OVER: dict[str, Part] = {"startedAt": TIME, "endedAt": TIME, "durationSec": whole, "recordingUrl": URL}
_ANSWERED_BY: dict[str, Part] = {"answeredBy": one_of(*get_args(AnsweredBy))}
_WORD = Shape({"name": text, "notes": text, "at": TIME}, sometimes={"by": ID})
_ATTEMPT = Shape({"campaignId": ID, "contactId": ID, "attempt": whole})
_OURS: dict[str, Part] = {**_ANSWERED_BY, "disposition": _WORD, "campaign": _ATTEMPT}
LISTED_CALL = Shape(_LOGGED, sometimes=_WHEN_OVER, ours=_OURS)
_DETAIL: dict[str, Part] = {
    **_LOGGED,
    "transcript": text,
    "conversationHistory": Each(Shape({"role": one_of("user", "assistant"), "content": text, "timestamp": TIME})),
    "metadata": anything,
}
_VERSIONS = Shape(dict.fromkeys(("agentVersionId", "promptId", "sessionSettingsId", "smsTemplateId"), or_null(ID)))
_CALL_OURS: dict[str, Part] = {"endReason": text, "versions": _VERSIONS, "variables": anything, **_OURS}
CALL = Shape(_DETAIL, sometimes=_WHEN_OVER, ours=_CALL_OURS)
CALL_WHEN_OVER = Shape({**_DETAIL, **_WHEN_OVER}, ours=_CALL_OURS)

MILLISECONDS = or_null(whole)
MOMENTS = (
    *("speechStartMs", "speechEndMs", "speculativeTextMs", "finalTextMs", "thinkingStartMs", "firstTokenMs"),
    *("firstClauseMs", "voiceStartMs", "firstAudioMs", "playbackStartMs", "playbackEndMs"),
)
LATENCIES = (
    *("endpointMs", "sttMs", "sttQueueMs", "sttDecodeMs", "llmFirstTokenMs", "firstClauseMs", "ttsFirstByteMs"),
    *("toCarrierMs", "totalMs"),
)
SPANS = ("endpointing", "recognition", "thinking", "firstClause", "voice", "toCarrier")
DECISIONS = get_args(BargeInDecision)
TIMED_TURN = Shape(
    {
        "index": whole,
        "role": one_of("user", "assistant"),
        "text": text,
        "interrupted": truth,
        "startMs": MILLISECONDS,
        "endMs": MILLISECONDS,
        "spans": Each(Shape({"name": one_of(*SPANS), "startMs": MILLISECONDS, "endMs": whole})),
        "moments": Shape(dict.fromkeys(MOMENTS, MILLISECONDS)),
        "bargeIns": Each(Shape({"atMs": whole, "decision": one_of(*DECISIONS), "reason": text})),
        "gateRejections": whole,
        "latency": Shape(dict.fromkeys(LATENCIES, MILLISECONDS)),
    }
)
TIMELINE = Shape(
    {
        "callId": ID,
        "sessionId": SESSION,
        "answeredAt": or_null(TIME),
        "turns": Each(TIMED_TURN),
        "summary": Shape(
            {
                "turns": whole,
                "latencyMs": Shape(dict.fromkeys(("p50", "p95", "max"), MILLISECONDS)),
                "bargeIns": counts(*DECISIONS),
                "gateRejections": whole,
            }
        ),
    }
)
"""Ours: the public document has no timeline."""

_VERSION: dict[str, Part] = {
    "_id": ID,
    "rootId": ID,
    "version": whole,
    "previousId": or_null(ID),
    "name": text,
    "isActive": truth,
    "createdAt": TIME,
    "updatedAt": TIME,
}
_BY = {"createdBy": ID, "modifiedBy": ID}
PROMPT = Shape({**_VERSION, "content": text}, sometimes=_BY)
SESSION_SETTINGS = Shape({**_VERSION, "isDefault": truth, "settings": anything}, sometimes=_BY)
SMS_TEMPLATE = Shape(
    {**_VERSION, "content": text, "variables": Each(text)},
    sometimes={**_BY, "dltTemplateId": text, "dltEntityId": text},
)
"""Ours, like the two before: the public document has no versions."""

AGENT_VERSION = Shape(
    {
        "_id": ID,
        "agentId": ID,
        "version": whole,
        "previousId": or_null(ID),
        "name": text,
        "config": AGENT_CONFIG,
        "agentIsActive": truth,
        "isActive": truth,
        "createdAt": TIME,
    },
    sometimes={"createdBy": ID},
)

DNC_ENTRY = Shape(
    {"_id": ID, "number": E164, "reason": text, "scope": one_of("organization", "global"), "createdAt": TIME},
    sometimes={"addedBy": ID},
)
"""Ours: the public document has no do-not-call lists."""

_CHANGE = Shape(
    {"number": whole, "status": one_of(*CampaignStatus), "reason": text_or_null, "at": TIME, "by": or_null(ID)}
)
CAMPAIGN = Shape(
    {
        "_id": ID,
        "userId": ID,
        "name": text,
        "description": text,
        "status": one_of(*CampaignStatus),
        "agentId": ID,
        "fromPhone": E164,
        "rules": anything,
        "counters": Shape(dict.fromkeys(("contacts", "finals", "attempts"), anything)),
        "createdAt": TIME,
        "updatedAt": TIME,
    },
    sometimes={"statusReason": text, "startedAt": TIME, "endedAt": TIME, "history": Each(_CHANGE)},
)
CONTACT = Shape(
    {
        "_id": ID,
        "campaignId": ID,
        "number": E164,
        "consent": truth,
        "variables": anything,
        "state": one_of(*get_args(ContactState)),
        "attempts": Each(Shape({"number": whole, "callId": ID, "at": TIME, "outcome": text_or_null})),
        "line": whole,
        "createdAt": TIME,
        "updatedAt": TIME,
    },
    sometimes={"timeZone": text, "nextAt": TIME, "refusal": text, "final": text, "importId": ID},
)
IMPORT = Shape(
    {
        **dict.fromkeys(("rows", "imported", "duplicatesInFile", "duplicatesInCampaign", "bad"), whole),
        "importId": ID,
        "problems": Each(Shape({"line": whole, "reason": text}, sometimes={"firstLine": whole})),
        "reasons": anything,
    },
    sometimes={"stopped": text},
)
"""Ours: the public document has no campaigns."""

STATS = Shape(
    {
        "totalCalls": whole,
        "totalDuration": whole,
        "avgDuration": number,
        "successRate": number,
        "totalCost": number,
        "callsByStatus": counts(*CallStatus),
        "callsByDirection": counts("inbound", "outbound"),
        "topAgents": Each(Shape({"agentId": ID, "agentName": text, "totalCalls": whole, "avgDuration": number})),
    }
)

PAGINATION = Shape(dict.fromkeys(("total", "page", "limit", "pages"), whole))


def page_of(name: str, part: Part) -> Shape:
    """`data` of a list."""
    return Shape({name: Each(part), "pagination": PAGINATION})


ERROR_CODES = {
    400: "VALIDATION_ERROR",
    401: "UNAUTHORIZED",
    402: "INSUFFICIENT_CREDITS",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "DUPLICATE_RESOURCE",
    422: "VALIDATION_ERROR",
    429: "RATE_LIMIT_EXCEEDED",
    500: "INTERNAL_ERROR",
    502: "EXTERNAL_SERVICE_ERROR",
    503: "INTERNAL_ERROR",
}
"""The one code each status comes with; the document has fewer codes than statuses."""
