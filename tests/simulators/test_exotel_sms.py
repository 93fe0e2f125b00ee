"""Text messages: the product sends them, the simulated carrier books them."""

import httpx
import pytest

from models.errors import ProviderError
from providers.roles import CarrierCredentials, SendSms
from providers.telephony.exotel.rest import ExotelTelephony
from simulators.carrier import Carrier, Plan
from simulators.scripts import SCRIPTS

pytestmark = pytest.mark.integration

SMS = SendSms("+918047491899", "+919876543210", "Dein Termin: Montag, fünfzehn Uhr.")


async def test_the_carrier_books_the_products_messages() -> None:
    async with Carrier(Plan(next(iter(SCRIPTS.values())))) as carrier, httpx.AsyncClient() as http:
        account = carrier.account
        telephony = ExotelTelephony(http, base_url=carrier.url)
        right = CarrierCredentials(account.sid, "api.exotel.com", account.api_key, account.api_token)
        await telephony.send_sms(right, SMS)
        for wrong in (
            (CarrierCredentials(account.sid, "api.exotel.com", account.api_key, "wrong"), SMS),
            (right, SendSms(SMS.from_number, "", SMS.text)),
        ):
            with pytest.raises(ProviderError):
                await telephony.send_sms(*wrong)
        [booked] = carrier.messages
    assert (booked.from_number, booked.to_number, booked.text) == (SMS.from_number, SMS.to_number, SMS.text)
