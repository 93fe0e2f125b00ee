"""Text messages: the product sends them, the simulated carrier books, refuses and reports on them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from models.errors import ProviderError
from models.sms import SmsStatus
from providers.roles import CarrierCredentials, SendSms
from providers.telephony.exotel.rest import ExotelTelephony
from providers.telephony.exotel.webhooks import parse_sms
from simulators.carrier import Carrier, Plan
from simulators.exotel_calls import RATE_LIMITED
from simulators.scripts import SCRIPTS
from simulators.text_messages import SmsPlan
from simulators.web import LocalServer

pytestmark = pytest.mark.integration

SMS = SendSms("+918047491899", "+919876543210", "Dein Termin: Montag, fünfzehn Uhr.")
REGISTERED = replace(SMS, dlt_template_id="1107", dlt_entity_id="1101")


@dataclass
class Line:
    """The product's provider, and the carrier it talks to."""

    carrier: Carrier
    telephony: ExotelTelephony
    account: CarrierCredentials


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    """One of each."""
    async with Carrier(Plan(next(iter(SCRIPTS.values())))) as carrier, httpx.AsyncClient() as http:
        known = carrier.account
        account = CarrierCredentials(known.sid, "api.exotel.com", known.api_key, known.api_token)
        yield Line(carrier, ExotelTelephony(http, base_url=carrier.url), account)


async def test_the_carrier_books_the_products_messages(line: Line) -> None:
    sent = await line.telephony.send_sms(line.account, REGISTERED)
    wrong = replace(line.account, api_token="wrong")
    for account, sms in ((wrong, SMS), (line.account, replace(SMS, to_number=""))):
        with pytest.raises(ProviderError):
            await line.telephony.send_sms(account, sms)
    [booked] = line.carrier.messages
    assert booked.sid == sent.carrier_id
    assert (booked.from_number, booked.to_number, booked.text) == (SMS.from_number, SMS.to_number, SMS.text)
    assert (booked.dlt_template_id, booked.dlt_entity_id) == ("1107", "1101")


async def test_a_carrier_may_want_registered_texts_and_may_be_busy(line: Line) -> None:
    strict = SmsPlan(requires_registration=True)
    line.carrier.texts.plans.add(strict, strict, strict, SmsPlan(refusal=RATE_LIMITED))
    with pytest.raises(ProviderError, match="DltTemplateId") as refused:
        await line.telephony.send_sms(line.account, SMS)
    assert not refused.value.retryable
    await line.telephony.send_sms(line.account, REGISTERED)
    await line.telephony.send_sms(line.account, replace(SMS, to_number="+14155550123"))
    with pytest.raises(ProviderError) as busy:
        await line.telephony.send_sms(line.account, REGISTERED)
    assert (busy.value.retryable, busy.value.retry_after_s) == (True, 1.0)
    assert (len(line.carrier.messages), line.carrier.texts.refused) == (2, 2)


async def test_it_reports_what_becomes_of_a_message(line: Line) -> None:
    heard: list[dict[str, object]] = []

    async def hear(request: Request) -> Response:
        async with request.form() as form:
            heard.append(dict(form.items()))
        return Response()

    async with LocalServer(Starlette(routes=[Route("/sms", hear, methods=["POST"])])) as platform:
        line.carrier.texts.plans.add(SmsPlan(each_s=0.0), SmsPlan(each_s=0.0, reports=("failed-dnd",)))
        first, second = [
            await line.telephony.send_sms(line.account, replace(REGISTERED, status_url=f"{platform.url}/sms"))
            for _ in range(2)
        ]
        async with asyncio.timeout(5):
            while len(line.carrier.texts.reported) < 3:  # noqa: ASYNC110 - the carrier has no word for it
                await asyncio.sleep(0.01)
    updates = [parse_sms(fields) for fields in heard]
    of_first = [update.status for update in updates if update.carrier_id == first.carrier_id]
    assert of_first == [SmsStatus.SENT, SmsStatus.DELIVERED]
    [lost] = [update for update in updates if update.carrier_id == second.carrier_id]
    assert (lost.status, lost.detail) == (SmsStatus.UNDELIVERED, "FAILED_DND")
    assert [reported.answered for reported in line.carrier.texts.reported] == [200] * 3
