"""Calls whose last callback never came: what the carrier says of them, asked in time and not too often."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from models.call import Call, CallStatus, Lease
from models.document import new_id
from models.errors import Invalid, ProviderError
from models.settings import Settings
from providers.roles import CarrierCredentials, StatusUpdate
from providers.telephony.exotel.rest import ExotelTelephony
from services.container import Services, build_services
from services.reconciler import AGAIN_S, INQUIRIES, Doubt, is_hopeless, to_ask
from services.sweeper import MARGIN_S, PATIENCE_S
from simulators.carrier import Carrier, CarrierCall, Plan
from simulators.exotel_calls import Outcome
from simulators.scripts import SCRIPTS
from stores.limits import Limits
from tests.documents import NOW, a_call, a_phone, an_agent
from tests.money import a_writer
from tests.services.conftest import House, place

LONG_AGO = NOW - timedelta(days=30)
"""Before the calls of every other test of the session: a sweep then sees none of those."""
OUTAGE = ProviderError("down", provider="exotel", retryable=True)


def doubt(*, is_patient: bool = True, asked_s_ago: float | None = None, carrier_call_id: str | None = "sid") -> Doubt:
    asked = None if asked_s_ago is None else NOW - timedelta(seconds=asked_s_ago)
    return Doubt(a_call(new_id(), carrier_call_id=carrier_call_id, reconciled_at=asked), is_patient)


def test_each_call_is_asked_about_once_however_late_and_then_while_there_is_patience() -> None:
    assert not is_hopeless(doubt())
    assert not is_hopeless(doubt(asked_s_ago=AGAIN_S))
    assert not is_hopeless(doubt(is_patient=False))
    assert is_hopeless(doubt(is_patient=False, asked_s_ago=1))
    assert is_hopeless(doubt(carrier_call_id=None))


def test_who_was_never_asked_about_comes_first_and_nobody_twice_in_a_row() -> None:
    fresh, old, older, recent = doubt(), doubt(asked_s_ago=40), doubt(asked_s_ago=90), doubt(asked_s_ago=AGAIN_S - 1)
    hopeless = doubt(is_patient=False, asked_s_ago=90)
    assert to_ask([recent, old, hopeless, fresh, older], NOW) == [fresh, older, old]
    assert len(to_ask([doubt() for _ in range(INQUIRIES + 5)], NOW)) == INQUIRIES


@dataclass
class Line:
    """A tenant's services and the simulated carrier they dial through."""

    house: House
    services: Services
    carrier: Carrier

    async def phone(self, **fields: str) -> str:
        """A number imported from the carrier's account; `fields` replace its credentials."""
        account, number = self.carrier.account, a_phone(new_id()).number
        known = {"sid": account.sid, "api_key": account.api_key, "api_token": account.api_token}
        credentials = CarrierCredentials(subdomain="api.exotel.com", **(known | fields))
        phones, principal = self.services.phones, self.house.principal
        await phones.import_number(principal, number=number, country="IN", credentials=credentials, now=LONG_AGO)
        return number

    async def dialled(self, outcome: Outcome) -> tuple[Call, CarrierCall]:
        """A call that is over at the carrier; nobody was told."""
        plan = Plan(SCRIPTS["demo"], outcome, dial_s=0.0, ring_s=0.0, lost=frozenset({"ringing", "terminal"}))
        self.carrier.plans.add(plan)
        agent = await self.house.stores.agents.insert(an_agent(self.house.principal.organization_id))
        call = await self.services.calls.place_outbound(
            self.house.principal,
            from_phone=await self.phone(),
            to_phone="+919123456789",
            agent_id=agent.id,
            metadata={},
            now=LONG_AGO,
        )
        at_the_carrier = self.carrier.calls[call.carrier_call_id or ""]
        await asyncio.wait_for(at_the_carrier.ended.wait(), 10)
        assert at_the_carrier.callbacks.deliveries == []
        return call, at_the_carrier


@pytest.fixture
def overdue(settings: Settings) -> datetime:
    """When a call dialled long ago has rung out."""
    return LONG_AGO + timedelta(seconds=settings.ring_timeout_s + MARGIN_S + 1)


@pytest.mark.integration
class TestSweeping:
    """Through the sweeper, over the real database, with a carrier in process."""

    @pytest.fixture
    async def call(self, house: House) -> AsyncIterator[Call]:
        """A call that was just dialled; whatever a test leaves open is closed."""
        call = await place(house, now=LONG_AGO)
        yield call
        await house.stores.calls.finish(call.id, status=CallStatus.FAILED, reason="test", now=LONG_AGO)

    async def test_the_carriers_last_word_closes_the_log(self, house: House, call: Call, overdue: datetime) -> None:
        told = StatusUpdate(call.carrier_call_id or "", CallStatus.BUSY, 0, "https://recordings.exotel.com/a.mp3")
        house.carrier.known[call.carrier_call_id or ""] = told
        await house.services.sweeper.sweep(overdue)
        ended = await house.services.calls.get(house.principal, call.id)
        assert (ended.status, ended.end_reason, ended.ended_at) == (CallStatus.BUSY, "carrier", overdue)
        assert ended.recording is not None
        assert ended.recording.url == told.recording_url
        assert await house.held() == 0

    async def test_an_answered_call_lasted_as_long_as_the_carrier_says(
        self, house: House, call: Call, overdue: datetime
    ) -> None:
        await house.stores.calls.advance(call.id, CallStatus.IN_PROGRESS, LONG_AGO + timedelta(seconds=5))
        house.carrier.known[call.carrier_call_id or ""] = StatusUpdate("sid", CallStatus.COMPLETED, 7)
        await house.services.sweeper.sweep(overdue)
        assert (await house.stores.calls.by_id(call.id)).status is CallStatus.IN_PROGRESS
        await house.services.sweeper.sweep(overdue + timedelta(seconds=5))
        ended = await house.stores.calls.by_id(call.id)
        assert (ended.status, ended.duration_sec) == (CallStatus.COMPLETED, 7)

    @pytest.mark.parametrize("word", [None, CallStatus.INITIATED, CallStatus.RINGING])
    async def test_a_call_that_is_not_over_gets_its_time_but_not_more(
        self, house: House, call: Call, overdue: datetime, word: CallStatus | None
    ) -> None:
        house.carrier.known[call.carrier_call_id or ""] = StatusUpdate("sid", word)
        for seconds in range(0, PATIENCE_S, 10):
            await house.services.sweeper.sweep(overdue + timedelta(seconds=seconds))
        assert not (await house.stores.calls.by_id(call.id)).status.is_final
        assert house.carrier.asked.count(call.carrier_call_id or "") == PATIENCE_S // AGAIN_S
        await house.services.sweeper.sweep(overdue + timedelta(seconds=PATIENCE_S))
        ended = await house.stores.calls.by_id(call.id)
        assert (ended.status, ended.end_reason) == (CallStatus.NO_ANSWER, "ring-timeout")

    async def test_an_unreachable_carrier_is_waited_for(self, house: House, call: Call, overdue: datetime) -> None:
        house.carrier.outage = OUTAGE
        await house.services.sweeper.sweep(overdue)
        assert not (await house.stores.calls.by_id(call.id)).status.is_final
        house.carrier.outage = None
        house.carrier.known[call.carrier_call_id or ""] = StatusUpdate("sid", CallStatus.CANCELED)
        await house.services.sweeper.sweep(overdue + timedelta(seconds=AGAIN_S - 1))
        assert not (await house.stores.calls.by_id(call.id)).status.is_final
        await house.services.sweeper.sweep(overdue + timedelta(seconds=AGAIN_S))
        assert (await house.stores.calls.by_id(call.id)).status is CallStatus.CANCELED

    async def test_a_platform_that_was_down_for_long_asks_once_before_it_closes(
        self, house: House, call: Call, overdue: datetime
    ) -> None:
        house.carrier.outage = OUTAGE
        await house.services.sweeper.sweep(overdue + timedelta(hours=3))
        assert house.carrier.asked.count(call.carrier_call_id or "") == 1
        assert (await house.stores.calls.by_id(call.id)).status is CallStatus.NO_ANSWER

    async def test_a_call_nobody_knows_any_more_is_closed_at_once(
        self, house: House, call: Call, overdue: datetime
    ) -> None:
        await house.services.sweeper.sweep(overdue)
        assert (await house.stores.calls.by_id(call.id)).status is CallStatus.NO_ANSWER
        other = await place(house, now=LONG_AGO)
        house.carrier.known[other.carrier_call_id or ""] = StatusUpdate("sid", CallStatus.BUSY)
        await house.services.phones.delete(house.principal, other.phone_id, LONG_AGO)
        await house.services.sweeper.sweep(overdue)
        assert (await house.stores.calls.by_id(other.id)).status is CallStatus.NO_ANSWER

    async def test_a_call_that_an_actor_carries_is_left_to_it(
        self, house: House, call: Call, overdue: datetime
    ) -> None:
        house.carrier.known[call.carrier_call_id or ""] = StatusUpdate("sid", CallStatus.COMPLETED, 9)
        house.actors.alive.add("a")
        await house.stores.calls.claim(call.session_id, Lease(actor="a", leased_at=LONG_AGO), LONG_AGO)
        await house.services.sweeper.sweep(overdue)
        assert call.carrier_call_id not in house.carrier.asked
        assert not (await house.stores.calls.by_id(call.id)).status.is_final

    async def test_two_sweepers_ask_once(self, house: House, call: Call, overdue: datetime) -> None:
        house.carrier.outage = OUTAGE
        await asyncio.gather(*(house.services.sweeper.sweep(overdue) for _ in range(4)))
        assert house.carrier.asked.count(call.carrier_call_id or "") == 1


@pytest.mark.integration
class TestOverLoopback:
    """The product's client against the simulated carrier, whose terminal callback is lost."""

    @pytest.fixture
    async def line(self, house: House, settings: Settings) -> AsyncIterator[Line]:
        """Services that dial over loopback."""
        limits = Limits(settings.redis_url or "")
        async with Carrier(Plan(SCRIPTS["demo"])) as carrier, httpx.AsyncClient(timeout=5) as http:
            services = build_services(
                settings,
                house.stores.calls._rows.database,
                control=house.actors,
                credit=a_writer(house.stores),
                telephony=ExotelTelephony(http, base_url=carrier.url, pause_s=0.0),
                events=house.events,
                limits=limits,
            )
            yield Line(house, services, carrier)
        await limits.close()

    @pytest.mark.parametrize("outcome", [Outcome.BUSY, Outcome.NO_ANSWER, Outcome.FAILED])
    async def test_the_log_ends_with_the_carriers_status(
        self, line: Line, house: House, overdue: datetime, outcome: Outcome
    ) -> None:
        call, _ = await line.dialled(outcome)
        await line.services.sweeper.sweep(overdue)
        ended = await house.stores.calls.by_id(call.id)
        assert (ended.status.value, ended.end_reason, ended.duration_sec) == (outcome.value, "carrier", 0)

    async def test_a_completed_call_keeps_its_length(self, line: Line, house: House, overdue: datetime) -> None:
        call, at_the_carrier = await line.dialled(Outcome.BUSY)
        state = at_the_carrier.state
        state.status, state.answered = Outcome.ANSWERED, datetime.now(UTC)
        state.ended = state.answered + timedelta(seconds=41)
        await line.services.sweeper.sweep(overdue)
        ended = await house.stores.calls.by_id(call.id)
        assert (ended.status, ended.duration_sec) == (CallStatus.COMPLETED, 41)

    async def test_a_call_that_still_rings_is_not_taken_for_answered(
        self, line: Line, house: House, overdue: datetime
    ) -> None:
        call, at_the_carrier = await line.dialled(Outcome.BUSY)
        at_the_carrier.state.status, at_the_carrier.state.ended = "in-progress", None
        await line.services.sweeper.sweep(overdue)
        assert (await house.stores.calls.by_id(call.id)).status is CallStatus.INITIATED
        await line.services.sweeper.sweep(overdue + timedelta(seconds=PATIENCE_S))
        assert (await house.stores.calls.by_id(call.id)).end_reason == "ring-timeout"

    @pytest.mark.parametrize("wrong", [{"api_token": "wrong"}, {"api_key": "wrong"}, {"sid": "nobody"}])
    async def test_a_wrong_account_is_not_imported(self, line: Line, wrong: dict[str, str]) -> None:
        with pytest.raises(Invalid) as caught:
            await line.phone(**wrong)
        assert [refused.field for refused in caught.value.fields] == ["exotelConfig"]
