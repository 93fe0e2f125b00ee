"""Contacts against the real database: stored once, claimed once, dialled once, settled once."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from models.contact import Contact
from models.document import Id, new_id
from stores.contacts import Again, Duplicate, Finished
from stores.repositories import Repositories
from tests.documents import DATES, NOW

pytestmark = pytest.mark.integration

LATER = NOW + timedelta(hours=1)


def a_contact(campaign_id: Id, line: int = 1, **fields: Any) -> Contact:
    """A pending contact whose number is its line's; `fields` replace its own."""
    own: dict[str, Any] = {
        **DATES,
        "organization_id": new_id(),
        "campaign_id": campaign_id,
        "number": f"+9198{line:08d}",
        "line": line,
        "next_at": NOW,
    }
    return Contact(**(own | fields))


async def some(stores: Repositories, campaign_id: Id, count: int, **fields: Any) -> list[Contact]:
    """So many contacts, stored."""
    contacts = [a_contact(campaign_id, line, **fields) for line in range(1, count + 1)]
    assert await stores.contacts.insert_batch(contacts) == []
    return contacts


async def claimed(stores: Repositories, campaign_id: Id) -> Contact:
    """The campaign's one contact, claimed."""
    [contact] = await stores.contacts.claim_due(campaign_id, "us", 1, NOW)
    return contact


async def stored(stores: Repositories, contact: Contact) -> Contact:
    """How it is by now."""
    return await stores.contacts.get(contact.organization_id, contact.id)


async def begun(stores: Repositories, campaign_id: Id, number: int = 1) -> Contact:
    """The campaign's one contact, its next attempt open."""
    contact = await claimed(stores, campaign_id)
    assert await stores.contacts.begin_attempt(contact.id, number, new_id(), NOW, runner="us")
    return await stored(stores, contact)


class TestImports:
    async def test_a_number_is_stored_once_in_a_campaign(self, stores: Repositories) -> None:
        campaign, import_id = new_id(), new_id()
        await some(stores, campaign, 2, import_id=new_id())
        numbers = ("+919800000001", "+919800000003", "+919800000003", "+919800000004")
        batch = [
            a_contact(campaign, line, number=number, import_id=import_id) for line, number in enumerate(numbers, 5)
        ]
        duplicates = await stores.contacts.insert_batch(batch)
        assert duplicates == [Duplicate(5, first_line=None), Duplicate(7, first_line=6)]
        assert (await stores.contacts.counts(campaign)).states == {"pending": 4}
        assert await stores.contacts.insert_batch([a_contact(new_id(), 1)]) == []

    async def test_a_batch_that_is_sent_again_finds_itself_and_no_duplicates(
        self, stores: Repositories, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        campaign, rows = new_id(), stores.contacts._rows
        await some(stores, campaign, 1)
        insert, broken = rows.insert_many, iter((True,))

        async def breaking(*arguments: Any, **options: Any) -> Any:
            result = await asyncio.gather(insert(*arguments, **options), return_exceptions=True)
            if next(broken, False):
                raise AutoReconnect("the answer was lost")
            if isinstance(result[0], BaseException):
                raise result[0]
            return result[0]

        monkeypatch.setattr(rows, "insert_many", breaking)
        batch = [a_contact(campaign, line) for line in (1, 2, 3)]
        assert await stores.contacts.insert_batch(batch) == [Duplicate(1, first_line=1)]
        assert (await stores.contacts.counts(campaign)).states == {"pending": 3}

    async def test_nothing_is_a_batch_too(self, stores: Repositories) -> None:
        assert await stores.contacts.insert_batch([]) == []

    async def test_contacts_are_listed_as_they_came_to_their_own_tenant(self, stores: Repositories) -> None:
        campaign, organization = new_id(), new_id()
        contacts = await some(stores, campaign, 5, organization_id=organization)
        await stores.contacts.finish(contacts[3].id, "do-not-call", NOW)
        page = await stores.contacts.listed(organization, campaign, None, page=2, limit=2)
        assert ([contact.line for contact in page.items], page.total) == ([3, 4], 5)
        done = await stores.contacts.listed(organization, campaign, "done", page=1, limit=9)
        assert [(contact.line, contact.final) for contact in done.items] == [(4, "do-not-call")]
        assert (await stores.contacts.listed(new_id(), campaign, None, page=1, limit=9)).items == []


class TestClaims:
    async def test_who_is_due_longest_comes_first_and_nobody_comes_early(self, stores: Repositories) -> None:
        campaign = new_id()
        moments = {1: NOW, 2: NOW - timedelta(minutes=5), 3: LATER, 4: NOW}
        await stores.contacts.insert_batch([a_contact(campaign, line, next_at=at) for line, at in moments.items()])
        assert await stores.contacts.next_due(campaign) == moments[2]
        found = await stores.contacts.claim_due(campaign, "us", 2, NOW)
        assert [contact.line for contact in found] == [2, 1]
        assert all(contact.state == "dialing" and contact.claim and contact.claim.runner == "us" for contact in found)
        assert [contact.line for contact in await stores.contacts.claim_due(campaign, "us", 9, NOW)] == [4]
        assert await stores.contacts.claim_due(campaign, "us", 9, NOW) == []
        assert await stores.contacts.next_due(campaign) == LATER
        assert await stores.contacts.next_due(new_id()) is None

    async def test_each_contact_is_claimed_by_one_of_four_runners(self, stores: Repositories) -> None:
        campaign = new_id()
        await some(stores, campaign, 200)

        async def run(runner: str) -> list[Id]:
            found: list[Id] = []
            while batch := await stores.contacts.claim_due(campaign, runner, 7, NOW):
                assert {contact.claim.runner for contact in batch if contact.claim} == {runner}
                found += [contact.id for contact in batch]
            return found

        claims = Counter(each for found in await asyncio.gather(*map(run, "abcd")) for each in found)
        assert len(claims) == 200
        assert set(claims.values()) == {1}

    async def test_what_was_claimed_and_not_dialled_is_given_back(self, stores: Repositories) -> None:
        campaign = new_id()
        await some(stores, campaign, 3)
        idle, calling = await stores.contacts.claim_due(campaign, "gone", 2, NOW)
        await stores.contacts.begin_attempt(calling.id, 1, new_id(), NOW, runner="gone")
        [fresh] = await stores.contacts.claim_due(campaign, "us", 1, LATER)
        assert await stores.contacts.release_stale(campaign, NOW, LATER, keep={idle.id}) == 0
        assert await stores.contacts.release_stale(campaign, NOW, LATER) == 1
        assert await stores.contacts.release_stale(campaign, NOW, LATER) == 0
        assert (await stored(stores, idle)).state == "pending"
        assert (await stored(stores, fresh)).state == "dialing"
        assert [contact.id for contact in await stores.contacts.under_way(campaign)] == [calling.id]
        assert await stores.contacts.begin_attempt(idle.id, 1, new_id(), NOW, runner="gone") is False


class TestAttempts:
    async def test_of_many_beginnings_one_dials(self, stores: Repositories) -> None:
        campaign = new_id()
        await some(stores, campaign, 1)
        contact = await claimed(stores, campaign)
        calls = [new_id() for _ in range(8)]
        begin = stores.contacts.begin_attempt
        answers = await asyncio.gather(*(begin(contact.id, 1, call, NOW, runner="us") for call in calls))
        assert answers.count(True) == 1
        winner = calls[answers.index(True)]
        assert await begin(contact.id, 1, winner, NOW, runner="us") is True
        [attempt] = (await stored(stores, contact)).attempts
        assert (attempt.number, attempt.call_id, attempt.at, attempt.outcome) == (1, winner, NOW, None)

    @pytest.mark.parametrize(("runner", "number"), [("them", 1), ("us", 2), ("us", 0)])
    async def test_an_attempt_out_of_turn_is_not_begun(self, stores: Repositories, runner: str, number: int) -> None:
        campaign = new_id()
        await some(stores, campaign, 1)
        contact = await claimed(stores, campaign)
        if number:
            assert not await stores.contacts.begin_attempt(contact.id, number, new_id(), NOW, runner=runner)
        assert (await stored(stores, contact)).attempts == ()

    async def test_an_outcome_says_what_comes_next_once(self, stores: Repositories) -> None:
        campaign = new_id()
        await some(stores, campaign, 1)
        contact = await begun(stores, campaign)
        assert await stores.contacts.record_outcome(contact.id, 1, "busy", Again(LATER), NOW) is True
        assert await stores.contacts.record_outcome(contact.id, 1, "answered", Finished("answered"), NOW) is False
        waiting = await stored(stores, contact)
        assert (waiting.state, waiting.next_at, waiting.claim, waiting.final) == ("pending", LATER, None, None)
        assert [attempt.outcome for attempt in waiting.attempts] == ["busy"]
        assert await stores.contacts.claim_due(campaign, "us", 1, NOW) == []
        [again] = await stores.contacts.claim_due(campaign, "us", 1, LATER)
        assert await stores.contacts.begin_attempt(again.id, 2, new_id(), LATER, runner="us")
        assert await stores.contacts.record_outcome(again.id, 2, "answered", Finished("answered"), LATER)
        done = await stored(stores, contact)
        assert (done.state, done.final, done.next_at) == ("done", "answered", None)
        counts = await stores.contacts.counts(campaign)
        assert (counts.states, counts.finals) == ({"done": 1}, {"answered": 1})
        assert counts.outcomes == {"busy": 1, "answered": 1}

    async def test_while_a_call_goes_on_nobody_gives_the_contact_away(self, stores: Repositories) -> None:
        campaign = new_id()
        await some(stores, campaign, 1)
        contact = await begun(stores, campaign)
        assert contact.open_attempt is not None
        assert not await stores.contacts.retry_at(contact.id, LATER, NOW)
        assert not await stores.contacts.finish(contact.id, "stopped", NOW)
        assert await stores.contacts.release_stale(campaign, LATER, NOW) == 0
        assert await stores.contacts.finish_waiting(campaign, "stopped", NOW) == 0
        assert not await stores.contacts.begin_attempt(contact.id, 2, new_id(), NOW, runner="us")
        assert await stored(stores, contact) == contact
        assert (await stores.contacts.counts(campaign)).outcomes == {"open": 1}

    async def test_a_contact_that_is_not_dialled_waits_or_ends_and_says_why(self, stores: Repositories) -> None:
        campaign = new_id()
        first, second, *_ = await some(stores, campaign, 4)
        await stores.contacts.claim_due(campaign, "us", 2, NOW)
        assert await stores.contacts.retry_at(first.id, LATER, NOW, refusal="outside-window")
        assert not await stores.contacts.retry_at(first.id, LATER, NOW)
        assert await stores.contacts.finish(second.id, "do-not-call", NOW)
        assert not await stores.contacts.finish(second.id, "stopped", NOW)
        waiting = await stored(stores, first)
        assert (waiting.state, waiting.next_at, waiting.refusal) == ("pending", LATER, "outside-window")
        assert await stores.contacts.finish_waiting(campaign, "expired", NOW) == 3
        assert (await stores.contacts.counts(campaign)).finals == {"do-not-call": 1, "expired": 3}
        assert await stores.contacts.next_due(campaign) is None


class TestRunners:
    """What two runners of one campaign, or one and its own past, may do with each other's contacts."""

    async def test_whoever_has_not_claimed_a_contact_settles_nothing(self, stores: Repositories) -> None:
        campaign = new_id()
        await some(stores, campaign, 1)
        contact = await claimed(stores, campaign)
        assert not await stores.contacts.retry_at(contact.id, LATER, NOW, runner="them")
        assert not await stores.contacts.finish(contact.id, "stopped", NOW, runner="them")
        assert await stores.contacts.release_stale(campaign, LATER, NOW, runner="them") == 0
        assert (await stored(stores, contact)).state == "dialing"
        assert await stores.contacts.release_stale(campaign, LATER, NOW, runner="us") == 1
        contact = await claimed(stores, campaign)
        assert await stores.contacts.finish(contact.id, "no-consent", NOW, refusal="no-consent", runner="us")
        done = await stored(stores, contact)
        assert (done.final, done.refusal) == ("no-consent", "no-consent")

    async def test_strays_are_those_nobody_knows_of(self, stores: Repositories) -> None:
        campaign = new_id()
        await some(stores, campaign, 2)
        known, stray = await stores.contacts.claim_due(campaign, "us", 2, NOW)
        assert await stores.contacts.are_strays(campaign, NOW, known=[known.id])
        assert not await stores.contacts.are_strays(campaign, NOW - timedelta(seconds=1), known=[known.id])
        assert not await stores.contacts.are_strays(campaign, NOW, known=[known.id, stray.id])
        assert await stores.contacts.is_anybody_left(campaign)
        for contact in (known, stray):
            assert await stores.contacts.finish(contact.id, "stopped", NOW)
        assert not await stores.contacts.is_anybody_left(campaign)

    async def test_a_time_zone_that_has_closed_waits_together(self, stores: Repositories) -> None:
        campaign = new_id()
        zones = {1: "Asia/Kolkata", 2: "Asia/Kolkata", 3: "Europe/London"}
        moments = {1: NOW, 2: LATER + timedelta(hours=1), 3: NOW}
        people = [a_contact(campaign, line, time_zone=zones[line], next_at=moments[line]) for line in zones]
        await stores.contacts.insert_batch(people)
        until = LATER + timedelta(minutes=1)
        assert await stores.contacts.close_zone(campaign, "Asia/Kolkata", until, "outside-window", NOW) == 1
        found = [await stored(stores, each) for each in people]
        assert [each.next_at for each in found] == [until, moments[2], NOW]
        assert [each.refusal for each in found] == ["outside-window", None, None]

    async def test_what_was_dialled_lately_is_counted_without_what_never_was(self, stores: Repositories) -> None:
        campaign = new_id()
        await some(stores, campaign, 3)
        outcomes = {1: "busy", 2: "not-placed", 3: None}
        for contact in await stores.contacts.claim_due(campaign, "us", 3, NOW):
            assert await stores.contacts.begin_attempt(contact.id, 1, new_id(), NOW, runner="us")
            if (outcome := outcomes[contact.line]) is not None:
                assert await stores.contacts.record_outcome(contact.id, 1, outcome, Again(LATER), NOW)
        since = await stores.contacts.attempts_since(campaign, NOW)
        assert sorted(str(outcome) for _, outcome in since) == ["None", "busy", "not-placed"]
        assert {at for at, _ in since} == {NOW}
        assert await stores.contacts.dialled_since(campaign, NOW) == 2
        assert await stores.contacts.attempts_since(campaign, LATER) == []
        assert await stores.contacts.dialled_since(campaign, LATER) == 0
        assert await stores.contacts.dialled_since(new_id(), NOW) == 0
