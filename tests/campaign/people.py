"""The contacts of one campaign in memory, claimed and written as a store would; what no store allows is an error."""

import heapq
import itertools
from collections.abc import Iterable
from datetime import datetime

from actors.campaign import protocol as p
from models.campaign import Outcome, Refusal
from models.contact import Attempt, Contact
from models.document import Id


class PeopleStore:
    """Pending contacts wait, claimed ones are `dialing`, done ones stay done."""

    def __init__(self, contacts: Iterable[Contact]) -> None:
        self._contacts = {each.id: each for each in contacts}
        self._order = itertools.count()
        self._waiting: list[tuple[datetime, int, Id]] = []
        self._claimed: set[Id] = set()
        self._open: set[Id] = set()
        self.refusals: list[tuple[Id, Refusal]] = []
        for each in self._contacts.values():
            self._wait(each)

    def __getitem__(self, contact_id: Id) -> Contact:
        return self._contacts[contact_id]

    @property
    def all(self) -> list[Contact]:
        """Everybody as they are now."""
        return list(self._contacts.values())

    def next_at(self) -> datetime | None:
        """When the first of those who wait is due."""
        self._forget()
        return self._waiting[0][0] if self._waiting else None

    def claim(self, limit: int, due: datetime) -> tuple[Contact, ...]:
        """Up to so many of those who are due, for one runner alone."""
        taken: list[Contact] = []
        while len(taken) < limit and (first := self.next_at()) is not None and first <= due:
            contact_id = heapq.heappop(self._waiting)[2]
            taken.append(self._change(contact_id, state="dialing", next_at=None))
            self._claimed.add(contact_id)
        return tuple(taken)

    def release_claims(self, now: datetime) -> None:
        """Claims in which no attempt began are of an actor that is gone."""
        for contact_id in sorted(self._claimed):
            self.put_back(contact_id, now, None)

    def begin(self, contact_id: Id, number: int, call_id: Id, now: datetime) -> Contact:
        """The attempt is written before anybody is dialled."""
        contact = self._contacts[contact_id]
        assert contact_id in self._claimed, "an attempt on a contact that nobody has claimed"
        assert contact.open_attempt is None, "two live attempts"
        assert number == len(contact.attempts) + 1
        self._claimed.remove(contact_id)
        self._open.add(contact_id)
        attempt = Attempt(number=number, call_id=call_id, at=now)
        return self._change(contact_id, attempts=(*contact.attempts, attempt))

    def ended(self, contact_id: Id, ended: p.Ended | None) -> None:
        """What an attempt came to, once."""
        if ended is None:
            return
        *before, last = self._contacts[contact_id].attempts
        assert (last.number, last.outcome) == (ended.attempt, None)
        over = last.model_copy(update={"outcome": ended.outcome.value})
        self._change(contact_id, attempts=(*before, over))
        self._open.remove(contact_id)
        self._claimed.add(contact_id)

    def put_back(self, contact_id: Id, until: datetime | None, reason: Refusal | None) -> None:
        """Let a claimed contact wait; None: never again, for that reason."""
        if reason is not None:
            self.refusals.append((contact_id, reason))
        if until is None:
            assert reason is not None
            self.finish(contact_id, reason)
            return
        self._claimed.remove(contact_id)
        self._wait(self._change(contact_id, state="pending", next_at=until))

    def finish(self, contact_id: Id, final: str) -> None:
        """A claimed contact is done."""
        self._claimed.remove(contact_id)
        self._end(contact_id, final)

    def finish_waiting(self, final: str) -> None:
        """Everybody who waits is done."""
        for contact in self.all:
            if contact.state == "pending":
                self._end(contact.id, final)

    def close_zone(self, time_zone: str, until: datetime, reason: Refusal) -> None:
        """Everybody there who waits and is due before then waits until then."""
        for contact in self.all:
            is_due = contact.next_at is not None and contact.next_at < until
            if contact.state == "pending" and contact.time_zone == time_zone and is_due:
                self.refusals.append((contact.id, reason))
                self._wait(self._change(contact.id, next_at=until))

    def live(self) -> tuple[p.Live, ...]:
        """Attempts without an outcome, as a new actor finds them."""
        found = []
        for contact_id in sorted(self._open):
            attempt = self._contacts[contact_id].attempts[-1]
            found.append(p.Live(self._contacts[contact_id], attempt.number, attempt.at))
        return tuple(found)

    def begun(self) -> list[datetime]:
        """When each attempt began, those apart that are known never to have been placed."""
        attempts = (attempt for contact in self.all for attempt in contact.attempts)
        return [attempt.at for attempt in attempts if attempt.outcome != Outcome.NOT_PLACED]

    def _end(self, contact_id: Id, final: str) -> None:
        assert self._contacts[contact_id].final is None, "ended twice"
        self._change(contact_id, state="done", next_at=None, final=str(final))

    def _wait(self, contact: Contact) -> None:
        assert contact.next_at is not None
        heapq.heappush(self._waiting, (contact.next_at, next(self._order), contact.id))

    def _forget(self) -> None:
        while self._waiting:
            at, _, contact_id = self._waiting[0]
            contact = self._contacts[contact_id]
            if contact.state == "pending" and contact.next_at == at:
                return
            heapq.heappop(self._waiting)

    def _change(self, contact_id: Id, **fields: object) -> Contact:
        changed = self._contacts[contact_id].model_copy(update=fields)
        self._contacts[contact_id] = changed
        return changed


def outcomes(contact: Contact) -> list[Outcome]:
    """What the contact's placed attempts came to."""
    told = [Outcome(each.outcome) for each in contact.attempts if each.outcome is not None]
    return [each for each in told if each is not Outcome.NOT_PLACED]
