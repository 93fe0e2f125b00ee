"""What happens once, over the real database: races, refusals, crashes."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from models.document import Id, new_id
from models.errors import CallboardError, Conflict, InsufficientCredits, ProviderError, Unavailable, Unprocessable
from models.idempotency import KeptAnswer
from services.idempotency import TAKE_OVER_S, Answered, Asked, fingerprint
from tests.documents import NOW
from tests.services.conftest import TO, House, place

DONE = KeptAnswer(status=201, body='{"success":true}')
REFUSED = KeptAnswer(status=502, body='{"success":false}')
LATER = NOW + timedelta(seconds=TAKE_OVER_S)


@dataclass
class Work:
    """Something that costs money; fails as told."""

    failure: Exception | None = None
    made: list[Id] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, reserved: Id) -> KeptAnswer:
        self.made.append(reserved)
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return DONE


def asked() -> Asked:
    return Asked(new_id(), "order 17 / a:b", fingerprint("POST", "/calls/outbound", b'{"a": 1}'))


def some(failure: Exception | None = None) -> Work:
    work = Work(failure)
    work.gate.set()
    return work


async def once(house: House, request: Asked, work: Work, now: datetime = NOW) -> Answered:
    return await house.services.idempotency.once(request, work, refusal=lambda error: REFUSED, now=now)


def test_a_fingerprint_is_of_the_request_not_of_its_layout() -> None:
    same = fingerprint("POST", "/calls/outbound", b'{"a": 1, "b": [2]}')
    assert fingerprint("POST", "/calls/outbound", b'{ "b":[2],"a":1 }') == same
    others = [("PUT", "/calls/outbound"), ("POST", "/billing/credits")]
    bodies = [b'{"a": 1, "b": [3]}', b'{"a": 1}', b"", b'{"a": "1", "b": [2]}', b'{"a": 1, "b": ["\\ud800"]}']
    assert same not in {fingerprint(*other, b'{"a": 1, "b": [2]}') for other in others}
    assert same not in {fingerprint("POST", "/calls/outbound", body) for body in bodies}


class TestOverTheDatabase:
    """Everything that is written down."""

    pytestmark = pytest.mark.integration

    async def test_the_second_time_nothing_is_done_and_the_same_is_answered(self, house: House) -> None:
        request, work = asked(), some()
        assert await once(house, request, work) == Answered(DONE, is_replay=False)
        assert await once(house, request, work, LATER) == Answered(DONE, is_replay=True)
        assert len(work.made) == 1

    async def test_keys_are_each_organizations_own(self, house: House) -> None:
        request, work = asked(), some()
        await once(house, request, work)
        await once(house, replace(request, organization_id=new_id()), work)
        await once(house, replace(request, key="order 18"), work)
        assert len(set(work.made)) == 3

    async def test_another_request_under_the_key_is_refused_also_while_the_first_runs(self, house: House) -> None:
        request, work = asked(), Work()
        other = replace(request, fingerprint=fingerprint("POST", "/calls/outbound", b"{}"))
        running = asyncio.create_task(once(house, request, work))
        while not work.made:  # noqa: ASYNC110 - it has begun when the database says so
            await asyncio.sleep(0.001)
        for wrong, error in ((other, Unprocessable), (request, Conflict)):
            with pytest.raises(error):
                await once(house, wrong, some())
        work.gate.set()
        await running
        with pytest.raises(Unprocessable):
            await once(house, other, some())

    async def test_of_twenty_at_once_one_runs(self, house: House) -> None:
        request, work = asked(), some()
        tried = await asyncio.gather(*(once(house, request, work) for _ in range(20)), return_exceptions=True)
        assert len(work.made) == 1
        assert tried.count(Answered(DONE, is_replay=False)) == 1
        assert all(isinstance(each, Conflict) or each.answer == DONE for each in tried)  # type: ignore[union-attr]

    async def test_what_made_nothing_frees_the_key(self, house: House) -> None:
        request = asked()
        with pytest.raises(InsufficientCredits):
            await once(house, request, some(InsufficientCredits("Not enough")))
        other = replace(request, fingerprint="another")
        assert not (await once(house, other, some())).is_replay

    async def test_a_vendors_failure_is_kept(self, house: House) -> None:
        request = asked()
        with pytest.raises(ProviderError):
            await once(house, request, some(ProviderError("timed out", provider="exotel", retryable=False)))
        work = some()
        assert await once(house, request, work) == Answered(REFUSED, is_replay=True)
        assert work.made == []

    @pytest.mark.parametrize("failure", [Unavailable("restarting"), RuntimeError("a bug")])
    async def test_what_broke_off_runs_again_at_once_with_the_same_id(self, house: House, failure: Exception) -> None:
        request, first, second = asked(), some(failure), some()
        with pytest.raises(type(failure)):
            await once(house, request, first)
        assert await once(house, request, second) == Answered(DONE, is_replay=False)
        assert first.made == second.made

    async def test_an_attempt_that_died_is_taken_over_once_with_the_same_id(self, house: House) -> None:
        request, dying, second = asked(), Work(), some()
        killed = asyncio.create_task(once(house, request, dying))
        while not dying.made:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        killed.cancel()
        await asyncio.gather(killed, return_exceptions=True)
        with pytest.raises(Conflict):
            await once(house, request, second, LATER - timedelta(milliseconds=1))
        tried = await asyncio.gather(*(once(house, request, second, LATER) for _ in range(20)), return_exceptions=True)
        assert tried.count(Answered(DONE, is_replay=False)) == 1
        assert second.made == dying.made

    async def test_who_was_taken_over_from_changes_nothing_any_more(self, house: House) -> None:
        request = asked()
        for late in (some(), some(InsufficientCredits("Not enough")), some(Unavailable("restarting"))):
            request = replace(request, key=f"{request.key}+")
            late.gate.clear()
            slow = asyncio.create_task(once(house, request, late))
            while not late.made:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            quick = Work()
            quick_running = asyncio.create_task(once(house, request, quick, LATER))
            while not quick.made:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            late.gate.set()
            await asyncio.gather(slow, return_exceptions=True)
            with pytest.raises(Conflict):
                await once(house, request, some(), LATER)
            quick.gate.set()
            assert await quick_running == Answered(DONE, is_replay=False)
            assert (await once(house, request, some(), LATER)).is_replay

    async def test_the_sweeper_forgets_what_is_old(self, house: House) -> None:
        request, work = asked(), some()
        await once(house, request, work)
        kept = timedelta(seconds=house.settings.idempotency_keep_s)
        await house.services.sweeper.sweep(NOW + kept)
        assert (await once(house, request, work)).is_replay
        await house.services.sweeper.sweep(NOW + kept + timedelta(milliseconds=1))
        assert not (await once(house, request, work)).is_replay

    async def test_a_call_whose_id_was_made_before_is_not_dialled_again(self, house: House) -> None:
        reserved = new_id()
        first = await place(house, call_id=reserved)
        again = await place(house, call_id=reserved, to_phone=TO)
        assert (first.id, again) == (reserved, await house.services.calls.get(house.principal, reserved))
        assert len(house.carrier.placed) == 1
        stranger = await house.tenant()
        with pytest.raises(CallboardError):
            await house.services.calls.place_outbound(
                stranger, from_phone=first.from_phone, to_phone=TO, agent_id="x", metadata={}, now=NOW, call_id=reserved
            )
