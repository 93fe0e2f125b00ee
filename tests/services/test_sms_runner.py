"""Text messages after calls, against the real database: each is owed once, sent once, and nothing is lost."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from pymongo.errors import AutoReconnect

from models.call import CallStatus
from models.contact import DncEntry
from models.document import Id, new_id
from models.errors import ProviderError
from models.settings import Settings
from models.sms import SmsStatus
from models.versioned import SmsTemplate
from models.webhook import WebhookEndpoint
from providers.roles import SendSms
from services import sms_rules as rules
from services.call_addresses import CallAddresses
from services.sms_runner import LEASE
from services.webhook_events import WebhookEvents
from stores.secrets import Secrets
from tests.documents import NOW
from tests.messages import DLT, FILLED, a_message, a_template
from tests.services import post_office
from tests.services.post_office import TO, Post
from tests.services.webhook_shop import SECRET

pytestmark = pytest.mark.integration

BUSY = ProviderError("the carrier is busy", provider="exotel", retryable=True)
NO = ProviderError("the carrier refused the text message", provider="exotel", retryable=False)


class Away:
    """A store that cannot be reached."""

    async def _asked(self, *_: object) -> Any:
        raise AutoReconnect("away")

    is_known = blocked = interested = _asked


@pytest.fixture
async def post(settings: Settings) -> AsyncIterator[Post]:
    """An empty one."""
    async with post_office.opened(settings) as post:
        yield post


class TestOwed:
    """From the call to the message."""

    async def test_the_end_of_a_call_and_the_sweep_store_it_once(self, post: Post) -> None:
        call = await post.over()
        await post.events.happened(call, post.now)
        await post.events.happened(call, post.now)
        await post.events.sweep(post.now)
        [message] = await post.all()
        assert (message.id, message.call_id) == (rules.message_id(call.id), call.id)
        assert (message.text, message.from_phone, message.to_phone) == (FILLED, post.phone.number, TO)
        assert message.template_version_id == post.template.id

    async def test_a_process_killed_after_the_end_of_a_call_loses_no_message(self, post: Post) -> None:
        call = await post.over()  # and nobody told of it
        assert await post.events.sweep(post.now) == 1
        assert (await post.of(call)).status is SmsStatus.QUEUED
        assert await post.events.sweep(post.now) == 0

    async def test_a_call_is_told_only_when_its_message_is_stored(self, post: Post) -> None:
        call = await post.over()
        away = replace(post.stores, sms_messages=cast("Any", Away()))
        await WebhookEvents(away).happened(call, post.now)
        assert [each.id for each in await post.stores.calls.untold(10)] == [call.id]
        await post.events.sweep(post.now)
        assert (await post.of(call)).status is SmsStatus.QUEUED

    async def test_other_calls_owe_none(self, post: Post) -> None:
        for call in (await post.over(CallStatus.BUSY), await post.over(versions=None), await post.call()):
            await post.events.happened(call, post.now)
        assert await post.all() == []

    async def test_one_that_came_in_is_answered_from_the_number_that_was_called(self, post: Post) -> None:
        inbound = {"direction": "inbound", "from_phone": TO, "to_phone": post.phone.number}
        call = await post.over(**inbound)  # type: ignore[arg-type]
        await post.events.happened(call, post.now)
        message = await post.of(call)
        assert (message.from_phone, message.to_phone) == (post.phone.number, TO)

    async def test_it_is_the_version_the_call_ran_with(self, post: Post) -> None:
        call = await post.over()
        head = (await post.stores.sms_templates.find(post.owner, post.template.id)).head
        newer = post.template.model_copy(update={"id": new_id(), "body": SmsTemplate(content="Other words")})
        await post.stores.sms_templates.add(head, newer, activate=True)
        await post.events.happened(call, post.now)
        assert (await post.of(call)).text == FILLED

    async def test_what_cannot_be_filled_is_failed_and_nothing_is_sent(self, post: Post) -> None:
        call = await post.over(variables={"amount": "1"})
        await post.events.happened(call, post.now)
        await post.runner.drain()
        message = await post.of(call)
        assert (message.status, message.attempts, post.network.asked) == (SmsStatus.FAILED, 0, [])
        assert message.error == "The call has no value for: customer_name"

    async def test_templates_and_phones_that_are_gone_are_said(self, post: Post) -> None:
        gone = await a_template(post.stores, post.owner)
        head = (await post.stores.sms_templates.find(post.owner, gone.id)).head
        await post.stores.sms_templates.delete(head, post.now, new_id())
        for fields in ({"versions": {"sms_template_id": gone.id}}, {"phone_id": new_id()}):
            call = await post.over(**fields)
            await post.events.happened(call, post.now)
            message = await post.of(call)
            assert (message.status, "gone" in (message.error or "")) == (SmsStatus.FAILED, True)


class TestSent:
    """From the message to the carrier."""

    async def test_it_is_sent_once_with_its_registration_and_an_address_for_reports(self, post: Post) -> None:
        message = await post.owed()
        await asyncio.gather(post.runner.drain(), post.another_runner().drain())
        [sms] = post.network.asked
        assert sms == SendSms(
            post.phone.number, TO, FILLED, **DLT, status_url=CallAddresses(post.settings).sms(message.id)
        )
        sent = await post.again(message)
        assert (sent.status, sent.carrier_id, sent.attempts) == (SmsStatus.SENT, "sms1", 1)
        assert (sent.sent_at, sent.error) == (post.now, None)

    async def test_a_number_on_the_do_not_call_list_gets_none(self, post: Post) -> None:
        message = await post.owed()
        entry = {"created_at": NOW, "updated_at": NOW, "organization_id": post.owner, "number": TO}
        await post.stores.dnc.insert(DncEntry.model_validate(entry))
        await post.runner.drain()
        failed = await post.again(message)
        assert (failed.status, failed.error, post.network.asked) == (SmsStatus.FAILED, rules.DO_NOT_CALL, [])

    async def test_while_the_list_cannot_be_read_nothing_is_sent_and_nothing_is_lost(
        self, post: Post, caplog: pytest.LogCaptureFixture
    ) -> None:
        message = await post.owed()
        await post.another_runner(stores=replace(post.stores, dnc=cast("Any", Away()))).drain()
        assert "work on a text message broke off" in caplog.text
        assert ((await post.again(message)).status, post.network.asked) == (SmsStatus.QUEUED, [])
        post.now += LEASE
        await post.runner.drain()
        assert (await post.again(message)).status is SmsStatus.SENT

    async def test_what_is_refused_for_the_moment_is_tried_again_until_it_is_taken(self, post: Post) -> None:
        refusals = [BUSY, BUSY]

        def answer(_: SendSms) -> None:
            if refusals:
                raise refusals.pop()

        post.network.answer = answer
        message = await post.owed()
        for delay_s in (*rules.RETRY_S[:2], 0):
            await post.runner.drain()
            waiting = await post.again(message)
            if delay_s:
                assert (waiting.status, waiting.error) == (SmsStatus.QUEUED, BUSY.message)
                assert waiting.next_at == post.now + timedelta(seconds=delay_s)
            post.now += timedelta(seconds=delay_s)
        assert (await post.again(message)).status is SmsStatus.SENT
        assert len(post.network.asked) == 3

    async def test_it_is_given_up_in_the_end(self, post: Post) -> None:
        def answer(_: SendSms) -> None:
            raise BUSY

        post.network.answer = answer
        message = await post.owed()
        for _ in range(len(rules.RETRY_S) + 3):
            await post.runner.drain()
            post.now += timedelta(hours=2)
        failed = await post.again(message)
        assert (failed.status, failed.error, failed.attempts) == (
            SmsStatus.FAILED,
            BUSY.message,
            len(rules.RETRY_S) + 1,
        )
        assert len(post.network.asked) == len(rules.RETRY_S) + 1

    async def test_one_that_nobody_was_there_to_send_for_a_day_is_not_sent(self, post: Post) -> None:
        message = await post.owed()
        post.now += rules.TOO_LATE + timedelta(seconds=1)
        await post.runner.drain()
        failed = await post.again(message)
        assert (failed.status, failed.error, post.network.asked) == (SmsStatus.FAILED, rules.LATE, [])

    async def test_a_refusal_is_final(self, post: Post) -> None:
        def answer(_: SendSms) -> None:
            raise NO

        post.network.answer = answer
        message = await post.owed()
        for _ in range(3):
            await post.runner.drain()
            post.now += timedelta(days=1)
        failed = await post.again(message)
        assert (failed.status, failed.error, len(post.network.asked)) == (SmsStatus.FAILED, NO.message, 1)

    async def test_one_whose_sender_died_while_it_asked_is_never_sent_again(self, post: Post) -> None:
        message = await post.owed()
        post.network.pause_s = 60.0
        dying = post.another_runner(leave_s=0.0)
        await dying.fill()
        async with asyncio.timeout(5):
            while not post.network.asked:  # noqa: ASYNC110 - the carrier has no word for it
                await asyncio.sleep(0.01)
        await dying.aclose()
        post.network.pause_s = 0.0
        for _ in range(3):
            await post.runner.drain()
            await post.runner.give_up_unanswered()
            post.now += LEASE
        failed = await post.again(message)
        assert (failed.status, failed.error) == (SmsStatus.FAILED, rules.NOBODY_KNOWS)
        assert len(post.network.asked) == 1

    async def test_one_whose_sender_died_before_it_asked_is_sent_by_the_next(self, post: Post) -> None:
        message = await post.owed()
        assert await post.stores.sms_messages.claim(post.now, LEASE) is not None
        await post.runner.drain()
        assert post.network.asked == []
        post.now += LEASE
        await post.runner.drain()
        assert (await post.again(message)).status is SmsStatus.SENT

    async def test_a_phone_that_is_gone_or_inactive_sends_nothing(self, post: Post) -> None:
        message = await post.owed()
        await post.stores.phones.change(post.owner, post.phone.id, {"status": "inactive"}, NOW)
        await post.runner.drain()
        failed = await post.again(message)
        assert (failed.status, failed.error, post.network.asked) == (SmsStatus.FAILED, "The phone is inactive", [])

    async def test_an_organization_with_much_to_send_leaves_room_for_others(self, post: Post) -> None:
        for _ in range(12):
            await post.owed()
        post.network.pause_s = 0.02
        await post.another_runner(per_owner=3).drain()
        assert (post.network.most_at_once, len(post.network.asked)) == (3, 12)
        assert {message.status for message in await post.all()} == {SmsStatus.SENT}


class TestTold:
    """The webhook of a message that was sent."""

    @pytest.fixture
    async def endpoint(self, post: Post) -> Id:
        """One that is told of messages only."""
        fields = {
            "created_at": NOW,
            "updated_at": NOW,
            "organization_id": post.owner,
            "user_id": new_id(),
            "name": "CRM",
            "url": "https://crm.example.com/hook",
            "events": ("sms.sent",),
            "encrypted_secret": Secrets(post.settings.encryption_key).seal(SECRET),
            "since": NOW,
        }
        return (await post.stores.webhooks.insert(WebhookEndpoint.model_validate(fields))).id

    async def log(self, post: Post, endpoint_id: Id) -> list[str]:
        found = await post.stores.webhook_deliveries.log(
            post.owner, endpoint_id, status=None, event=None, page=1, limit=10
        )
        return [delivery.event_id for delivery in found.items]

    async def test_it_is_told_once_when_the_carrier_has_taken_it(self, post: Post, endpoint: Id) -> None:
        message = await post.owed()
        assert await self.log(post, endpoint) == []
        await post.runner.drain()
        assert await post.events.sweep_messages(post.now) == 0
        await post.stores.sms_messages.forward(message.id, SmsStatus.DELIVERED, "sms1", post.now)
        await post.events.sweep_messages(post.now)
        assert await self.log(post, endpoint) == [f"{message.id}.sms.sent"]

    async def test_a_process_killed_before_it_told_leaves_it_to_the_sweep(self, post: Post, endpoint: Id) -> None:
        message = a_message(post.owner)
        await post.stores.sms_messages.add(message)
        await post.stores.sms_messages.forward(message.id, SmsStatus.SENT, "6c7f", post.now)
        assert await post.events.sweep_messages(post.now) == 1
        assert await post.events.sweep_messages(post.now) == 0
        assert await self.log(post, endpoint) == [f"{message.id}.sms.sent"]

    async def test_while_the_database_is_away_it_waits(self, post: Post, endpoint: Id) -> None:
        message = await post.owed()
        sent = await post.stores.sms_messages.forward(message.id, SmsStatus.SENT, "6c7f", post.now)
        assert sent is not None
        await WebhookEvents(replace(post.stores, webhooks=cast("Any", Away()))).sms_sent(sent, post.now)
        assert await self.log(post, endpoint) == []
        await post.events.sweep_messages(post.now)
        assert await self.log(post, endpoint) == [f"{message.id}.sms.sent"]
