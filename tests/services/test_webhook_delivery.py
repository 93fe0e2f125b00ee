"""Webhooks end to end against the real database: what calls owe is delivered, whoever dies and whoever is down."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast
from zlib import crc32

import pytest
from pymongo.errors import AutoReconnect

from models.call import CallStatus, Recording
from models.document import Id, new_id
from models.settings import Settings
from models.webhook import Delivery, Event
from services.webhook_events import WebhookEvents
from services.webhook_rules import GIVEN_UP
from services.webhook_runner import LEASE
from tests.documents import NOW, a_turn
from tests.services import webhook_shop
from tests.services.test_webhook_rules import verify_signature
from tests.services.webhook_shop import SECRET, WHOLE_CALL, Received, Receiver, Shop, events_of

pytestmark = pytest.mark.integration


@pytest.fixture
async def shop(settings: Settings) -> AsyncIterator[Shop]:
    """An empty one."""
    async with webhook_shop.opened(settings) as shop:
        yield shop


def ids(received: list[Received]) -> list[str]:
    return [each.id for each in received]


async def log(shop: Shop, endpoint_id: Id, **filters: Any) -> list[Delivery]:
    """The deliveries of an endpoint, newest first."""
    own: dict[str, Any] = {"status": None, "event": None, "page": 1, "limit": 100}
    return (await shop.service.log(shop.principal, endpoint_id, **(own | filters))).items


class TestNothingIsLost:
    """Whoever dies, and wherever."""

    async def test_a_process_killed_between_the_fact_and_its_events_loses_none(self, shop: Shop) -> None:
        await shop.endpoint()
        call = await shop.whole_call()  # and nobody told of it
        assert await shop.events.sweep(shop.now) == 1
        await shop.runner.drain()
        assert ids(shop.receiver.taken) == events_of(call.id, *WHOLE_CALL)
        assert await shop.events.sweep(shop.now) == 0

    async def test_one_that_is_to_be_told_while_the_database_is_away_is_told_later(self, shop: Shop) -> None:
        await shop.endpoint(events=("call.initiated",))
        call = await shop.call()

        class Away:
            async def interested(self, _: Id) -> Any:
                raise AutoReconnect("away")

        away = replace(shop.stores, webhooks=cast("Any", Away()))
        await WebhookEvents(away).happened(call, shop.now)
        assert await shop.runner.waiting() == 0
        await shop.events.sweep(shop.now)
        await shop.runner.drain()
        assert ids(shop.receiver.taken) == events_of(call.id, "call.initiated")

    async def test_told_at_once_and_swept_up_is_told_once(self, shop: Shop) -> None:
        await shop.endpoint()
        call = await shop.call()
        await shop.events.happened(call, shop.now)
        await shop.events.happened(call, shop.now)
        assert await shop.events.sweep(shop.now) == 0
        rung = await shop.stores.calls.advance(call.id, CallStatus.RINGING, shop.now)
        await shop.events.happened(call, shop.now)  # knows nothing of the ringing
        assert rung is not None
        assert [each.id for each in await shop.stores.calls.untold(10)] == [call.id]
        await shop.events.sweep(shop.now)
        await shop.runner.drain()
        assert ids(shop.receiver.got) == events_of(call.id, "call.initiated", "call.state_changed.ringing")

    async def test_a_recording_and_a_turn_that_come_after_the_end_are_told(self, shop: Shop) -> None:
        await shop.endpoint(events=("recording.ready", "transcription.complete"))
        call = await shop.whole_call()
        await shop.events.sweep(shop.now)
        await shop.stores.calls.append_turn(call.id, a_turn(0), call.usage, call.cost, shop.now)
        await shop.events.sweep(shop.now)
        await shop.stores.calls.keep_recording(call.id, Recording(url="https://x.test/r.wav"), shop.now)
        await shop.events.sweep(shop.now)
        await shop.runner.drain()
        assert ids(shop.receiver.taken) == events_of(call.id, "transcription.complete", "recording.ready")

    async def test_a_sender_that_dies_leaves_its_delivery_to_the_next(self, shop: Shop) -> None:
        await shop.endpoint(events=("call.initiated",))
        call = await shop.call()
        await shop.events.happened(call, shop.now)
        shop.receiver.pause_s = 60.0
        dying = shop.another_runner()
        await dying.fill()
        await asyncio.sleep(0)
        await dying.aclose()
        shop.receiver.pause_s = 0.0
        await shop.runner.drain()
        assert shop.receiver.taken == []
        shop.now += LEASE
        await shop.runner.drain()
        assert ids(shop.receiver.taken) == events_of(call.id, "call.initiated")

    async def test_a_late_word_on_a_delivery_that_somebody_else_has_taken_changes_nothing(self, shop: Shop) -> None:
        await shop.endpoint(events=("call.initiated",))
        await shop.events.happened(await shop.call(), shop.now)
        store = shop.stores.webhook_deliveries
        slow = await store.claim(shop.now, LEASE)
        quick = await store.claim(shop.now + LEASE, LEASE)
        assert slow is not None
        assert quick is not None
        assert await store.claim(shop.now + LEASE, LEASE) is None
        await store.finish(quick, "delivered", shop.now)
        await store.finish(slow, "dead", shop.now, error="late")
        (delivery,) = await log(shop, quick.endpoint_id)
        assert (delivery.status, delivery.error) == ("delivered", None)

    async def test_many_calls_and_several_senders_deliver_exactly_what_is_owed_each_in_order(self, shop: Shop) -> None:
        await shop.endpoint()
        fails = Counter[str]()

        def moody(received: Received) -> int | None:
            fails[received.id] += 1
            return (None, 500, 200)[fails[received.id] - 1] if crc32(received.id.encode()) % 3 == 0 else 200

        shop.receiver.answer = moody
        calls = [await shop.whole_call() for _ in range(8)]
        await shop.events.sweep(shop.now)
        others = [shop.another_runner(at_once=4, per_owner=3) for _ in range(3)]
        for _ in range(60):
            await asyncio.gather(*(runner.drain() for runner in others))
            shop.now += timedelta(seconds=1)
        for call in calls:
            mine = [each for each in ids(shop.receiver.taken) if each.startswith(call.id)]
            assert mine == events_of(call.id, *WHOLE_CALL)
        assert await shop.runner.waiting() == 0


class TestReceivers:
    """Down, slow, refusing, elsewhere."""

    async def test_down_for_a_minute_then_up(self, shop: Shop) -> None:
        endpoint = await shop.endpoint()
        up_at = shop.now + timedelta(seconds=122)  # the call itself takes 62 s
        shop.receiver.answer = lambda _: 200 if shop.now >= up_at else None
        call = await shop.whole_call()
        await shop.events.sweep(shop.now)
        await shop.pass_time(59)
        assert shop.receiver.taken == []
        assert set(ids(shop.receiver.got)) == set(events_of(call.id, "call.initiated"))
        assert (await shop.service.get(shop.principal, endpoint.id)).failing_since is not None
        await shop.pass_time(60)
        assert ids(shop.receiver.taken) == events_of(call.id, *WHOLE_CALL)
        assert (await shop.service.get(shop.principal, endpoint.id)).failing_since is None
        (first,) = await log(shop, endpoint.id, event="call.initiated")
        assert [each.is_success for each in first.attempts] == [False, False, False, False, True]
        gaps = [later.at - sooner.at for sooner, later in zip(first.attempts, first.attempts[1:], strict=False)]
        assert [round(gap.total_seconds()) for gap in gaps] == [1, 5, 15, 60]

    async def test_a_slow_one_does_not_delay_the_others(self, shop: Shop) -> None:
        slow, quick = Receiver(pause_s=3600.0), Receiver()
        await shop.endpoint("https://slow.example.com/", events=("call.initiated",))
        await shop.endpoint("https://quick.example.com/", events=("call.initiated",))

        class Both:
            async def send(self, url: str, headers: Any, content: bytes) -> Any:
                return await (slow if "slow" in url else quick).send(url, headers, content)

        for _ in range(20):
            await shop.events.happened(await shop.call(), shop.now)
        runner = shop.another_runner(Both(), at_once=8, per_owner=4)
        async with asyncio.timeout(10):
            while len(quick.taken) < 20:
                await runner.fill()
                await runner.landed(within_s=0.05)
        assert (slow.most_at_once, len(slow.got)) == (4, 4)
        await runner.aclose()

    async def test_a_call_is_not_held_up_by_another_and_goes_on_after_a_refusal(self, shop: Shop) -> None:
        endpoint = await shop.endpoint()
        one, two = await shop.whole_call(), await shop.whole_call()
        refused = f"{one.id}.call.answered"
        held = f"{two.id}.call.initiated"
        shop.receiver.answer = lambda got: {refused: 422, held: 503}.get(got.id, 200)
        await shop.events.sweep(shop.now)
        await shop.runner.drain()
        assert ids(shop.receiver.taken) == [each for each in events_of(one.id, *WHOLE_CALL) if each != refused]
        (dead,) = await log(shop, endpoint.id, status="dead")
        assert (dead.event_id, dead.error) == (refused, "The receiver answered with HTTP status 422")
        assert (dead.attempts[0].status_code, dead.attempts[0].response_body) == (422, "words")
        assert dead.request_headers["X-Webhook-Id"] == refused

    async def test_one_that_is_down_for_good_is_switched_off_after_a_day_and_its_owner_told(self, shop: Shop) -> None:
        endpoint = await shop.endpoint(events=("call.initiated", "call.ended"))
        shop.receiver.answer = lambda _: 500
        await shop.whole_call()
        await shop.events.sweep(shop.now)
        await shop.pass_time((GIVEN_UP + timedelta(hours=1)).total_seconds(), step_s=60)
        off = await shop.service.get(shop.principal, endpoint.id)
        assert (off.is_active, off.disabled_at is not None) == (False, True)
        assert {each.status for each in await log(shop, endpoint.id)} == {"dead"}
        (notice,) = (record for record in (await audit(shop, endpoint.id)) if record.action == "webhook.disable")
        assert notice.details["automatic"] is True
        asked = len(shop.receiver.got)
        await shop.whole_call()
        await shop.events.sweep(shop.now)
        await shop.runner.drain()
        assert len(shop.receiver.got) == asked
        assert asked == 13


async def audit(shop: Shop, endpoint_id: Id) -> list[Any]:
    """What the audit log says of an endpoint."""
    found = await shop.stores.audit.search(shop.principal.organization_id, subject_id=endpoint_id, page=1, limit=50)
    return found.items


async def test_what_arrives_is_signed_and_reads_as_documented(shop: Shop) -> None:
    await shop.endpoint(events=("call.ended",))
    call = await shop.whole_call()
    await shop.events.sweep(shop.now)
    await shop.runner.drain()
    (received,) = shop.receiver.taken
    assert verify_signature(received.content, received.headers["X-Webhook-Signature"], SECRET)
    body = json.loads(received.content)
    assert (body["event"], received.headers["X-Webhook-Event"]) == ("call.ended", "call.ended")
    assert (body["data"]["call_id"], body["data"]["status"], body["data"]["duration"]) == (call.id, "completed", 60)


async def test_replayed_deliveries_arrive_once_more(shop: Shop) -> None:
    endpoint = await shop.endpoint()
    shop.receiver.answer = lambda _: 400
    call = await shop.whole_call()
    await shop.events.sweep(shop.now)
    await shop.runner.drain()
    shop.receiver.answer = lambda _: 200
    assert await shop.service.replay_dead(shop.principal, endpoint.id, shop.now) == len(WHOLE_CALL)
    await shop.runner.drain()
    assert ids(shop.receiver.taken) == events_of(call.id, *WHOLE_CALL)
    one = next(each for each in await log(shop, endpoint.id) if each.event == "call.ended")
    await shop.service.replay(shop.principal, endpoint.id, one.id, shop.now)
    await shop.runner.drain()
    assert ids(shop.receiver.taken)[-1] == one.event_id
    assert [each.status_code for each in (await log(shop, endpoint.id, event="call.ended"))[0].attempts] == [
        400,
        200,
        200,
    ]


async def test_what_is_owed_to_an_endpoint_that_is_deleted_dies_with_it(shop: Shop) -> None:
    endpoint = await shop.endpoint()
    await shop.events.happened(await shop.call(), shop.now)
    await shop.service.delete(shop.principal, endpoint.id, shop.now)
    await shop.runner.drain()
    assert (shop.receiver.got, await shop.runner.waiting()) == ([], 0)


async def test_old_deliveries_are_forgotten_and_pending_ones_are_not(shop: Shop) -> None:
    endpoint = await shop.endpoint(events=("call.initiated",))
    await shop.events.happened(await shop.call(), shop.now)
    await shop.runner.drain()
    await shop.events.happened(await shop.call(), shop.now)
    await shop.events.forget(NOW + timedelta(days=29))
    assert len(await log(shop, endpoint.id)) == 2
    await shop.events.forget(NOW + timedelta(days=31))
    assert [each.status for each in await log(shop, endpoint.id)] == ["pending"]


async def test_another_organization_is_told_nothing(shop: Shop) -> None:
    await shop.endpoint()
    await shop.events.happened(await shop.call(organization_id=new_id()), shop.now)
    assert await shop.runner.waiting() == 0


async def test_events_that_are_not_a_calls_are_published_once_each(shop: Shop) -> None:
    await shop.endpoint(events=("campaign.started",))
    campaign = new_id()
    whose = shop.principal.organization_id
    started = Event(f"{campaign}.campaign.started", whose, "campaign.started", NOW, campaign, 0, {"id": campaign})
    for _ in range(2):
        await shop.events.publish(whose, [started], shop.now)
    await shop.runner.drain()
    (received,) = shop.receiver.got
    assert json.loads(received.content) == {
        "event": "campaign.started",
        "timestamp": "2026-01-15T10:30:00.000Z",
        "data": {"id": campaign},
    }
