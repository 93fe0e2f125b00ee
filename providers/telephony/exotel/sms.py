"""Exotel's text messages: POST /v1/Accounts/{sid}/Sms/send.json. Pure.

Networks in India deliver registered texts only and want `DltEntityId` and `DltTemplateId`, which are not sent here.
"""

from collections.abc import Mapping
from typing import Any

from providers.roles import SendSms

MAX_CHARS = 2_000
_FAILED = ("failed", "failed-dnd", "undelivered")


def form(sms: SendSms) -> dict[str, str | list[str]]:
    """The request's form. Anything beyond ASCII is sent as Unicode, which the plain encoding would lose."""
    text = sms.text[:MAX_CHARS]
    return {
        "From": sms.from_number,
        "To": sms.to_number,
        "Body": text,
        "EncodingType": "plain" if text.isascii() else "unicode",
    }


def has_failed(body: Mapping[str, Any]) -> bool:
    """Whether a 2xx answer says that the message will not be sent; what it does not say is no failure."""
    message = body.get("SMSMessage")
    return isinstance(message, dict) and str(message.get("Status")).lower() in _FAILED
