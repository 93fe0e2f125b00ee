"""Text messages to the other party of a call."""

from models.call import Call
from models.errors import Invalid
from providers.roles import SendSms, Telephony
from services import carrier_accounts
from services.numbers import e164
from services.tools import SendText
from stores.phones import Phones
from stores.secrets import Secrets


def sms_for(call: Call, phones: Phones, secrets: Secrets, telephony: Telephony) -> SendText:
    """Sends from the number of ours that the call is on. It raises Invalid when the other party hides their number,
    NotFound when our phone is gone, and ProviderError."""

    async def send(text: str) -> None:
        other = _number(call.from_phone if call.direction == "inbound" else call.to_phone)
        phone = await phones.by_id(call.phone_id)
        credentials = carrier_accounts.opened(phone.carrier, secrets)
        await telephony.send_sms(credentials, SendSms(phone.number, other, text))

    return send


def _number(text: str) -> str:
    try:
        return e164(text, "to")
    except Invalid as error:
        raise Invalid("The number of the person on the line is not known") from error
