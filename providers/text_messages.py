"""The words of text messages that carriers and everything above them share."""

from dataclasses import dataclass

from models.sms import SmsStatus


@dataclass(frozen=True, slots=True)
class SendSms:
    """One text message. Numbers are E.164; `text` has at most 2,000 characters.

    `dlt_template_id` and `dlt_entity_id` are those of its registration, which networks in India ask for. `status_url`:
    where the carrier reports what becomes of it.
    """

    from_number: str
    to_number: str
    text: str
    dlt_template_id: str | None = None
    dlt_entity_id: str | None = None
    status_url: str | None = None


@dataclass(frozen=True, slots=True)
class SentSms:
    """The carrier has taken the message; `carrier_id` where it gave it a name."""

    carrier_id: str | None


@dataclass(frozen=True, slots=True)
class SmsUpdate:
    """A carrier's word on a message it has taken. `status`: sent, delivered or undelivered; None: it may mean anything.

    `detail` is the carrier's own word for why.
    """

    carrier_id: str
    status: SmsStatus | None
    detail: str | None = None
