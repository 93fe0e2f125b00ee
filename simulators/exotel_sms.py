"""Exotel's text messages as the carrier has them in its books, and what it reports of them. Pure.

Wire format: developer.exotel.com, "Send SMS" (POST /v1/Accounts/{sid}/Sms/send.json) and its status callback.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from simulators.exotel_calls import BadRequest, stamp

_REQUIRED = ("From", "To", "Body")
_MAX_CHARS = 2_000
_ENCODINGS = ("plain", "unicode")
_INDIAN = ("+91", "0")
"""How numbers that only get registered texts begin."""
DETAILS = {
    "sent": ("DELIVERED_TO_OPERATOR", 20006),
    "delivered": ("DELIVERED_TO_HANDSET", 20005),
    "failed-dnd": ("FAILED_DND", 23005),
    "failed": ("FAILED_INVALID_NUMBER", 23010),
}
"""What is told beside each `Status`."""


@dataclass(frozen=True, slots=True)
class SmsState:
    """A message the platform sent; `text` as it would be read on the phone."""

    sid: str
    account_sid: str
    from_number: str
    to_number: str
    text: str
    created: datetime
    dlt_template_id: str = ""
    dlt_entity_id: str = ""
    callback_url: str | None = None


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
    return SmsState(
        sid,
        account_sid,
        form["From"],
        form["To"],
        legible,
        now,
        form.get("DltTemplateId", ""),
        form.get("DltEntityId", ""),
        form.get("StatusCallback"),
    )


def check_registration(sms: SmsState) -> None:
    """Raises BadRequest when the message goes to India and names no registered text."""
    if sms.to_number.startswith(_INDIAN) and not (sms.dlt_template_id and sms.dlt_entity_id):
        raise BadRequest("DltEntityId and DltTemplateId are mandatory for numbers in India")


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


def report_form(sms: SmsState, status: str, *, now: datetime) -> dict[str, str]:
    """The status callback's form."""
    detail, code = DETAILS.get(status, (status.upper(), 0))
    return {
        "SmsSid": sms.sid,
        "To": sms.to_number,
        "From": sms.from_number,
        "Status": status,
        "SmsUnits": "1",
        "DetailedStatus": detail,
        "DetailedStatusCode": str(code),
        "DateSent": stamp(now),
        "DateUpdated": stamp(now),
    }
