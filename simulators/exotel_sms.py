"""Exotel's text messages as the carrier has them in its books. Pure.

Wire format: developer.exotel.com, "Send SMS" (POST /v1/Accounts/{sid}/Sms/send.json).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from simulators.exotel_calls import BadRequest, stamp

_REQUIRED = ("From", "To", "Body")
_MAX_CHARS = 2_000
_ENCODINGS = ("plain", "unicode")


@dataclass(frozen=True, slots=True)
class SmsState:
    """A message the platform sent; `text` as it would be read on the phone."""

    sid: str
    account_sid: str
    from_number: str
    to_number: str
    text: str
    created: datetime


def sms_of(form: Mapping[str, str], *, sid: str, account_sid: str, now: datetime) -> SmsState:
    """The message in a send form; raises BadRequest."""
    missing = [name for name in _REQUIRED if not form.get(name)]
    if missing:
        raise BadRequest(f"Mandatory parameter missing: {missing[0]}")
    text, encoding = form["Body"], form.get("EncodingType", "plain")
    if len(text) > _MAX_CHARS:
        raise BadRequest(f"Body is longer than {_MAX_CHARS} characters")
    if encoding not in _ENCODINGS:
        raise BadRequest(f"EncodingType must be one of {', '.join(_ENCODINGS)}")
    legible = text if encoding == "unicode" else text.encode("ascii", "replace").decode()
    return SmsState(sid, account_sid, form["From"], form["To"], legible, now)


def sms_body(sms: SmsState) -> dict[str, object]:
    """The `SMSMessage` object of the answer."""
    message = {
        "Sid": sms.sid,
        "AccountSid": sms.account_sid,
        "From": sms.from_number,
        "To": sms.to_number,
        "Body": sms.text,
        "BodyIndex": "",
        "Status": "queued",
        "Direction": "outbound-api",
        "DateCreated": stamp(sms.created),
        "DateUpdated": stamp(sms.created),
        "DateSent": None,
        "Price": None,
        "ApiVersion": None,
        "Uri": f"/v1/Accounts/{sms.account_sid}/SMS/Messages/{sms.sid}",
    }
    return {"SMSMessage": message}
