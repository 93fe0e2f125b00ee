"""Writes what the machine has decided: what ends a claim or an attempt at once, the rest in the order it was decided.

A write that fails is tried again until it is done. The others wait for what was decided before them: a claim asks the
store who is due when all who were put back are, and a campaign is complete when everybody's end is written.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from actors.campaign import protocol as p
from actors.campaign.around import Around
from actors.campaign.errands import Errands, until_done
from models.document import Id
from stores.contacts import Again, Finished

OfOneContact = p.Refuse | p.RetryAt | p.Finish
FAR = timedelta(days=1)
"""Later than any claim, by whatever clock."""


class Book:
    """Of one life of a campaign's actor, called `runner` in the store. `changed` is set with each write."""

    def __init__(self, around: Around, campaign_id: Id, runner: str, errands: Errands) -> None:
        self._around = around
        self._contacts = around.contacts
        self._campaign_id = campaign_id
        self._runner = runner
        self._errands = errands
        self._writing: set[asyncio.Task[None]] = set()
        self._in_order: asyncio.Queue[tuple[frozenset[asyncio.Task[None]], Callable[[], Awaitable[None]]]]
        self._in_order = asyncio.Queue()
        self._left = 0
        self.changed = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether something is still to be written."""
        return bool(self._writing or self._left)

    def write(self, command: OfOneContact, then: Callable[[], None]) -> None:
        """Begin to write this now, and say when it is done."""
        now = self._around.now()

        async def written() -> None:
            await until_done(lambda: self._write(command, now), "what became of a contact")
            self.changed.set()
            then()

        task = self._errands.send(written())
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    def then(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do this after all that was decided before."""
        self._left += 1
        self._in_order.put_nowait((frozenset(self._writing), work))

    async def run(self) -> None:
        """Carries out what was given to `then`; until it is broken off."""
        while True:
            before, work = await self._in_order.get()
            if before:
                await asyncio.wait(before)
            await work()
            self._left -= 1
            self.changed.set()

    async def close_zone(self, command: p.CloseZone) -> None:
        """See CloseZone."""
        await until_done(
            lambda: self._contacts.close_zone(
                self._campaign_id, command.time_zone, command.until, command.reason, self._around.now()
            ),
            "a time zone",
        )

    async def finish_waiting(self, final: str) -> None:
        """See FinishWaiting."""
        await until_done(
            lambda: self._contacts.finish_waiting(self._campaign_id, final, self._around.now()), "those who wait"
        )

    async def let_go(self, keep: frozenset[Id]) -> None:
        """Give back whatever this life has claimed, those apart whom it knows of."""
        await until_done(lambda: self.released(keep), "claims")

    async def released(self, keep: frozenset[Id] = frozenset()) -> None:
        """The same, tried once."""
        now = self._around.now()
        await self._contacts.release_stale(self._campaign_id, now + FAR, now, keep=keep, runner=self._runner)

    async def _write(self, command: OfOneContact, now: datetime) -> None:
        match command:
            case p.Refuse(contact_id, reason, None):
                await self._contacts.finish(contact_id, reason, now, refusal=reason, runner=self._runner)
            case p.Refuse(contact_id, reason, until) if until is not None:
                await self._contacts.retry_at(contact_id, until, now, refusal=reason, runner=self._runner)
            case p.RetryAt(contact_id, at, ended):
                if ended is None or not await self._recorded(contact_id, ended, Again(at), now):
                    await self._contacts.retry_at(contact_id, at, now, runner=self._runner)
            case p.Finish(contact_id, final, ended):
                if ended is None or not await self._recorded(contact_id, ended, Finished(final), now):
                    await self._contacts.finish(contact_id, final, now, runner=self._runner)

    async def _recorded(self, contact_id: Id, ended: p.Ended, then: Again | Finished, now: datetime) -> bool:
        """False: the attempt was closed before, by another life; what is left here is a claim of ours, if any."""
        return await self._contacts.record_outcome(contact_id, ended.attempt, ended.outcome, then, now)
