"""Exotel's text messages: POST /v1/Accounts/{sid}/Sms/send.json. Pure.

Networks in India deliver registered texts only and want `DltEntityId` and `DltTemplateId`; others ignore both.
"""

from collections.abc import Mapping
from typing import Any

from providers.roles import SendSms

MAX_CHARS = 2_000
LATER = frozenset({429, 500, 503})
"""Exotel's own word that it has not taken the message, and may do so later."""
SAID_BY_OTHERS = frozenset({408, 502, 504})
"""Said by what stands before Exotel, of a machine whose answer it does not know either."""
UNKNOWN = "the carrier did not answer; it may be sending"
_FAILED = ("failed", "failed-dnd", "failed_dnd", "undelivered")


def form(sms: SendSms) -> dict[str, str | list[str]]:
    """The request's form. Anything beyond ASCII is sent as Unicode, which the plain encoding would lose."""
    text = sms.text[:MAX_CHARS]
    optional = {
        "DltEntityId": sms.dlt_entity_id,
        "DltTemplateId": sms.dlt_template_id,
        "StatusCallback": sms.status_url,
    }
    return {
        "From": sms.from_number,
        "To": sms.to_number,
        "Body": text,
        "EncodingType": "plain" if text.isascii() else "unicode",
        **{name: value for name, value in optional.items() if value},
    }


def has_failed(body: Mapping[str, Any]) -> bool:
    """Whether a 2xx answer says that the message will not be sent; what it does not say is no failure."""
    return str(_message(body).get("Status")).lower() in _FAILED


def sid(body: Mapping[str, Any]) -> str | None:
    """The carrier's name for the message in a 2xx answer, where it has one."""
    given = _message(body).get("Sid")
    return given if isinstance(given, str) and given else None


def _message(body: Mapping[str, Any]) -> Mapping[str, Any]:
    message = body.get("SMSMessage")
    return message if isinstance(message, dict) else {}
