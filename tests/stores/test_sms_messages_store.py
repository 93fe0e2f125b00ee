"""Text messages in the database: claimed once, asked for once, and moved on only."""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from models.document import new_id
from models.errors import NotFound
from models.settings import Settings
from models.sms import SmsMessage, SmsStatus
from stores.mongo import Database, connect
from stores.sms_messages import BY_TURN, SmsMessages
from tests.documents import NOW
from tests.messages import a_message

pytestmark = pytest.mark.integration

SECOND, LEASE = timedelta(seconds=1), timedelta(seconds=60)
SENT, UNDELIVERED, DELIVERED = SmsStatus.SENT, SmsStatus.UNDELIVERED, SmsStatus.DELIVERED


@pytest.fixture
async def rows(settings: Settings) -> AsyncIterator[Database]:
    """A database without messages."""
    async with connect(settings) as client:
        rows = client[f"{settings.mongodb_database}_sms"]
        await rows["smsMessages"].delete_many({})
        yield rows


@pytest.fixture
async def store(rows: Database) -> SmsMessages:
    """The messages in it."""
    store = SmsMessages(rows)
    await store.create_indexes()
    return store


async def added(store: SmsMessages, **fields: Any) -> SmsMessage:
    """A message that is due, stored."""
    message = a_message(**fields)
    await store.add(message)
    return message


async def asked(store: SmsMessages) -> SmsMessage:
    """A message that the carrier is being asked to send."""
    await added(store)
    claimed = await store.claim(NOW, LEASE)
    assert claimed is not None
    begun = await store.begin(claimed, NOW, LEASE)
    assert begun is not None
    return begun


class TestClaims:
    """Who sends a message."""

    async def test_a_message_is_stored_once_and_never_overwritten(self, store: SmsMessages) -> None:
        message = await added(store)
        await store.forward(message.id, SENT, "6c7f", NOW)
        await store.add(message)
        assert await store.is_known(message.id)
        assert not await store.is_known(new_id())
        assert (await store.by_id(message.id)).status is SENT

    async def test_claims_go_by_time_and_pass_over_busy_organizations(self, store: SmsMessages) -> None:
        later, first = await added(store, next_at=NOW + SECOND), await added(store)
        busy = await added(store)
        await added(store, next_at=NOW + LEASE)
        await added(store, next_at=None, status=SmsStatus.FAILED)
        claims = [await store.claim(NOW + SECOND, LEASE, unless=[busy.organization_id]) for _ in range(3)]
        assert [claim and claim.id for claim in claims] == [first.id, later.id, None]

    async def test_a_claim_that_lapsed_before_the_carrier_was_asked_is_somebody_elses(self, store: SmsMessages) -> None:
        await added(store)
        slow, quick = await store.claim(NOW, LEASE), await store.claim(NOW + LEASE, LEASE)
        assert slow is not None
        assert quick is not None
        assert await store.begin(slow, NOW + LEASE, LEASE) is None
        assert not await store.fail(slow, "late", NOW + LEASE)
        begun = await store.begin(quick, NOW + LEASE, LEASE)
        assert begun is not None
        assert (begun.status, begun.attempts) == (SmsStatus.SENDING, 1)

    async def test_one_that_is_asked_for_is_claimed_no_more_and_given_up_when_nobody_answers(
        self, store: SmsMessages
    ) -> None:
        begun = await asked(store)
        assert await store.claim(NOW + LEASE, LEASE) is None
        assert await store.fail_unanswered("nobody knows", NOW + LEASE - SECOND) == 0
        assert await store.fail_unanswered("nobody knows", NOW + LEASE) == 1
        given_up = await store.by_id(begun.id)
        assert (given_up.status, given_up.error, given_up.next_at) == (SmsStatus.FAILED, "nobody knows", None)
        assert await store.claim(NOW + timedelta(days=1), LEASE) is None

    async def test_one_that_was_put_off_is_due_again_and_counts_its_attempts(self, store: SmsMessages) -> None:
        begun = await asked(store)
        assert await store.put_off(begun, "busy", NOW + SECOND, NOW)
        assert await store.claim(NOW, LEASE) is None
        claimed = await store.claim(NOW + SECOND, LEASE)
        assert claimed is not None
        assert (claimed.attempts, claimed.error) == (1, "busy")
        again = await store.begin(claimed, NOW + SECOND, LEASE)
        assert again is not None
        assert again.attempts == 2
        assert not await store.put_off(begun, "late", NOW, NOW)

    async def test_what_the_carrier_took_meanwhile_is_neither_put_off_nor_failed(self, store: SmsMessages) -> None:
        begun = await asked(store)
        assert await store.forward(begun.id, DELIVERED, "6c7f", NOW) is not None
        assert not await store.put_off(begun, "busy", NOW, NOW)
        assert not await store.fail(begun, "no", NOW)
        assert await store.fail_unanswered("nobody knows", NOW + timedelta(days=1)) == 0
        assert (await store.by_id(begun.id)).status is DELIVERED


class TestForward:
    """What the carrier says."""

    @pytest.mark.parametrize("words", list(permutations((SENT, SENT, UNDELIVERED, DELIVERED))))
    async def test_the_order_of_its_words_makes_no_difference(self, store: SmsMessages, words: tuple[Any, ...]) -> None:
        begun = await asked(store)
        first, ranks = None, []
        for at, word in enumerate(words):
            moved = await store.forward(begun.id, word, "6c7f", NOW + at * SECOND, "lost")
            first = first or moved
            ranks.append((await store.by_id(begun.id)).status.rank)
        final = await store.by_id(begun.id)
        assert (final.status, final.carrier_id, final.sent_at) == (DELIVERED, "6c7f", NOW)
        assert ranks == sorted(ranks)
        assert final.finished_at is not None
        assert final.next_at is None
        assert first is not None
        assert first.untold

    async def test_that_it_was_sent_is_marked_once(self, store: SmsMessages) -> None:
        begun = await asked(store)
        sent = await store.forward(begun.id, SENT, "6c7f", NOW)
        assert sent is not None
        assert [each.id for each in await store.untold(10)] == [begun.id]
        await store.all_told(sent)
        delivered = await store.forward(begun.id, DELIVERED, "6c7f", NOW + SECOND)
        assert delivered is not None
        assert (delivered.untold, delivered.sent_at, delivered.finished_at) == (False, NOW, NOW + SECOND)
        assert await store.untold(10) == []

    async def test_under_another_name_nothing_is_written(self, store: SmsMessages) -> None:
        begun = await asked(store)
        assert await store.forward(begun.id, SENT, "6c7f", NOW) is not None
        assert await store.forward(begun.id, DELIVERED, "other", NOW) is None
        assert await store.forward(new_id(), SENT, "6c7f", NOW) is None

    async def test_an_answer_without_a_name_leaves_it_to_the_first_report(self, store: SmsMessages) -> None:
        begun = await asked(store)
        sent = await store.forward(begun.id, SENT, None, NOW)
        assert sent is not None
        assert sent.carrier_id is None
        named = await store.forward(begun.id, UNDELIVERED, "$6c7f", NOW, "$FAILED_DND")
        assert named is not None
        assert (named.carrier_id, named.error) == ("$6c7f", "$FAILED_DND")

    async def test_a_report_says_better_than_no_answer(self, store: SmsMessages) -> None:
        begun = await asked(store)
        await store.fail_unanswered("nobody knows", NOW + LEASE)
        moved = await store.forward(begun.id, SENT, "6c7f", NOW + LEASE)
        assert moved is not None
        assert (moved.status, moved.error, moved.untold, moved.finished_at) == (SENT, None, True, None)


async def test_a_tenant_sees_its_own_by_call_and_status(store: SmsMessages) -> None:
    mine, call_id = new_id(), new_id()
    first = await added(store, organization_id=mine, call_id=call_id)
    second = await added(store, organization_id=mine, status=SmsStatus.FAILED, created_at=NOW + SECOND)
    theirs = await added(store, call_id=call_id)
    for filters, found in (
        ({}, [second.id, first.id]),
        ({"call_id": call_id}, [first.id]),
        ({"status": SmsStatus.FAILED}, [second.id]),
        ({"call_id": call_id, "status": SmsStatus.FAILED}, []),
    ):
        page = await store.search(mine, page=1, limit=10, **filters)
        assert ([each.id for each in page.items], page.total) == (found, len(found))
    assert (await store.get(mine, first.id)).id == first.id
    with pytest.raises(NotFound):
        await store.get(mine, theirs.id)


async def test_what_is_due_or_untold_is_found_without_reading_what_is_done(rows: Database, store: SmsMessages) -> None:
    for _ in range(20):
        await added(store, status=DELIVERED, next_at=None)
    await added(store, untold=True)
    for where, order, index in (
        ({"status": "queued", "nextAt": {"$lte": NOW}}, BY_TURN, "nextAt_1__id_1"),
        ({"untold": True}, [("createdAt", 1)], "createdAt_1"),
    ):
        plan = await rows["smsMessages"].find(where).sort(order).explain()
        stage = plan["queryPlanner"]["winningPlan"]
        while "indexName" not in stage:
            stage = stage["inputStage"]
        assert (stage["indexName"], plan["executionStats"]["totalDocsExamined"]) == (index, 1)
