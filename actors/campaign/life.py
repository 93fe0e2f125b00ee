"""One life of a campaign's actor: from what the store says to rest, or to the moment at which it is better begun anew.

The machine decides, one event after another. What it wants is carried out beside that, and what comes of it is the next
event. A life has a name of its own, under which it claims contacts: what an earlier one had claimed is released when it
begins, and what that one still tries to do with it fails at the store.
"""

import asyncio
import contextlib
import logging
from datetime import datetime, timedelta
from typing import assert_never

from actors.campaign import protocol as p
from actors.campaign.around import Around
from actors.campaign.book import FAR, Book
from actors.campaign.dialling import Dialling
from actors.campaign.errands import Errands, first_of, until_done
from actors.campaign.machine import AFTER, CampaignMachine
from actors.campaign.news import last_change, news_of
from actors.campaign.telling import Telling
from actors.campaign.watch import ATTEMPT, OpenAttempt, Watch
from models.campaign import Campaign, CampaignStatus
from models.contact import Contact
from models.document import Id
from models.user import User
from stores.outage import AWAY

logger = logging.getLogger(__name__)

LOOK_S = 2.0
"""Between looks at what people have decided."""
STRAYS_S = 30.0
NAP = timedelta(minutes=5)
"""An actor with nothing to do for so long leaves: until windows open, or the campaign's first day."""
LONGEST_SLEEP_S = 30.0
AT_ONCE = 64
"""Contacts that are dialled at the same moment; more would only wait for the database."""
SINCE = {
    CampaignStatus.RUNNING: (CampaignStatus.SCHEDULED,),
    CampaignStatus.PAUSED: (CampaignStatus.RUNNING,),
    CampaignStatus.COMPLETED: (CampaignStatus.SCHEDULED, CampaignStatus.RUNNING, CampaignStatus.PAUSED),
}
"""From which status the campaign comes to one by itself."""


class BeginAnew(Exception):
    """The store knows better than this life: another one is to begin from what it says."""


class Superseded(Exception):
    """Another actor has the campaign, or there is none any more."""


class Life:
    """`look` may be set by anybody who has news."""

    def __init__(self, campaign: Campaign, around: Around, standing: p.Standing, errands: Errands) -> None:
        self._runner = campaign.runner or ""
        self._around = around
        self._campaign = campaign
        self._errands = errands
        self._inbox: asyncio.Queue[p.Event] = asyncio.Queue()
        self._machine = CampaignMachine(campaign.rules, standing, now=around.now())
        self._book = Book(around, campaign.id, self._runner, errands)
        self._watch = Watch(around.calls, self._inbox.put_nowait, around.now, around.doubt)
        self._dialling = Dialling(around, self._runner, self._watch)
        self._telling = Telling(around, lambda: self._campaign)
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._claimed: dict[Id, Contact] = {}
        self._user: User | None = None
        """Whom the campaign calls for, as of the last claim."""
        self._in_hand = {live.contact.id for live in standing.live}
        """Whom this life is dialling, or has an end to write of."""
        self.look = asyncio.Event()
        for live in standing.live:
            if (attempt := live.contact.open_attempt) is not None:
                self._watch.add(OpenAttempt(live.contact.id, attempt.number, attempt.call_id, attempt.at))

    async def live(self) -> None:
        """Returns at rest, which is written then. Raises BeginAnew, Superseded, and whatever a bug raises."""
        try:
            await first_of(
                self._decide(),
                self._book.run(),
                self._watch.run(),
                self._keep_looking(),
                self._search_strays(),
                self._telling.run(self._book.changed),
                self._errands.broken(),
            )
        except Superseded:
            with contextlib.suppress(*AWAY):  # else its successor finds them in time
                await self._book.released(frozenset(self._in_hand))
            raise

    # --- deciding -------------------------------------------------------------------------------------------
    async def _decide(self) -> None:
        self._handle(p.Tick())
        while True:
            if self._has_nothing_to_do and not self._book.is_open and self._inbox.empty() and await self._rests():
                return
            self._handle(await self._next_event())

    @property
    def _has_nothing_to_do(self) -> bool:
        return self._machine.is_at_rest or self._sleeps_until() is not None

    def _sleeps_until(self) -> datetime | None:
        """None: not worth it."""
        now = self._around.now()
        wakes_at = self._machine.wakes_at(now)
        return wakes_at if wakes_at is not None and wakes_at - now > NAP else None

    def _handle(self, event: p.Event) -> None:
        runs_here = self._machine.status is CampaignStatus.RUNNING
        if isinstance(event, p.ContactsDue) and runs_here and self._campaign.status is not CampaignStatus.RUNNING:
            # Whatever was decided before the claim is written and heard by now.
            raise BeginAnew("the campaign does not run")
        for command in self._machine.handle(event, self._around.now()):
            self._carry_out(command)

    async def _next_event(self) -> p.Event:
        now = self._around.now()
        deadline = self._machine.deadline(now)
        left_s = LONGEST_SLEEP_S if deadline is None else (deadline - now).total_seconds()
        longest_s = LOOK_S if self._machine.is_at_rest else LONGEST_SLEEP_S
        try:
            async with asyncio.timeout(max(0.0, min(left_s, longest_s))):
                return await self._inbox.get()
        except TimeoutError:
            return p.Tick()

    def _carry_out(self, command: p.Command) -> None:
        match command:
            case p.Dial(contact_id):
                self._in_hand.add(contact_id)
                self._errands.send(self._dial(command, self._claimed[contact_id]))
            case p.Refuse(contact_id) | p.RetryAt(contact_id) | p.Finish(contact_id):
                self._in_hand.add(contact_id)
                self._book.write(command, lambda: self._in_hand.discard(contact_id))
            case p.ClaimContacts():
                self._book.then(lambda: self._claim(command))
            case p.CloseZone():
                self._book.then(lambda: self._book.close_zone(command))
            case p.FinishWaiting(final):
                self._book.then(lambda: self._book.finish_waiting(final))
            case p.Become():
                self._book.then(lambda: self._become(command))
            case _:
                assert_never(command)

    # --- doing ----------------------------------------------------------------------------------------------
    async def _dial(self, command: p.Dial, contact: Contact) -> None:
        async with self._turns:
            event = await self._dialling.dial(command, self._campaign, contact, self._user)
        if isinstance(event, p.NotPlaced) and event.cause is p.Cause.TAKEN:
            self._in_hand.discard(contact.id)
        if event is not None:
            self._inbox.put_nowait(event)
        self._book.changed.set()

    async def _claim(self, command: p.ClaimContacts) -> None:
        contacts, campaign_id = self._around.contacts, self._campaign.id
        try:
            claimed = await contacts.claim_due(campaign_id, self._runner, command.limit, command.due)
            # After the claim: whoever began a life since then has released it, and whoever begins one now will.
            await self._see()
            blocked = await self._blocked(claimed)
            self._user = await self._around.users.by_id(self._campaign.user_id)
            next_at = await contacts.next_due(campaign_id)
        except AWAY as error:
            logger.warning("no contacts could be claimed", extra={"problem": type(error).__name__})
            await self._book.let_go(frozenset(self._in_hand))
            self._inbox.put_nowait(p.ClaimFailed())
            return
        self._claimed = {contact.id: contact for contact in claimed}
        self._inbox.put_nowait(p.ContactsDue(tuple(claimed), blocked, next_at))

    async def _blocked(self, claimed: list[Contact]) -> frozenset[str] | None:
        if not claimed:
            return frozenset()
        try:
            numbers = [contact.number for contact in claimed]
            return frozenset(await self._around.lists.blocked(self._campaign.organization_id, numbers))
        except AWAY as error:
            logger.warning("the do-not-call lists cannot be read", extra={"problem": type(error).__name__})
            return None

    async def _become(self, command: p.Become) -> None:
        await until_done(lambda: self._become_now(command), "a campaign's status")

    async def _become_now(self, command: p.Become) -> None:
        await self._see()
        if self._campaign.status is command.status:
            return
        if command.status is CampaignStatus.COMPLETED and await self._around.contacts.is_anybody_left(
            self._campaign.id
        ):
            raise BeginAnew("somebody is left")
        since = SINCE[command.status]
        written = await self._around.campaigns.become(
            self._campaign, command.status, self._around.now(), since=since, reason=command.reason
        )
        if written is None:
            await self._see()
            if self._campaign.status is not command.status:
                raise BeginAnew("the campaign has moved on")
            return
        self._accept(written)
        logger.info("a campaign moves on", extra={"campaign": written.id, "status": written.status.value})

    # --- seeing ---------------------------------------------------------------------------------------------
    async def _keep_looking(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self.look.wait()
            self.look.clear()
            try:
                await self._see()
            except AWAY as error:
                logger.warning("a campaign cannot be looked at", extra={"problem": type(error).__name__})

    async def _see(self) -> None:
        """Read the campaign, and tell the machine what people have decided. Raises Superseded."""
        campaign = await self._around.campaigns.by_id(self._campaign.id)
        if campaign is None or campaign.runner != self._runner:
            raise Superseded("another life has the campaign")
        self._accept(campaign)

    def _accept(self, campaign: Campaign) -> None:
        known = self._campaign
        if (campaign.news, last_change(campaign)) < (known.news, last_change(known)):
            return  # read before what is known by now
        for event in news_of(known, campaign):
            self._inbox.put_nowait(event)
        self._campaign = campaign

    async def _search_strays(self) -> None:
        """Another actor that was taken for dead may have claimed somebody, or begun to dial, since this life began."""
        contacts = self._around.contacts
        while True:
            await asyncio.sleep(STRAYS_S)
            try:
                before = self._around.now() - ATTEMPT
                is_found = await contacts.are_strays(self._campaign.id, before, known=frozenset(self._in_hand))
            except AWAY:
                continue  # looked for again in the next round
            if is_found:
                raise BeginAnew("somebody is claimed whom nobody dials")

    async def _rests(self) -> bool:
        """Write that no actor is needed; False: there is news."""
        return await until_done(self._rest, "its rest")

    async def _rest(self) -> bool:
        contacts, campaign = self._around.contacts, self._campaign
        if campaign.status in AFTER:  # whoever was added in the last moment came too late
            await contacts.finish_waiting(campaign.id, AFTER[campaign.status], self._around.now())
        if await contacts.are_strays(campaign.id, self._around.now() + FAR, known=frozenset()):
            raise BeginAnew("somebody is still claimed")
        await self._telling.tell()
        await self._see()
        if not self._inbox.empty():
            return False
        if self._campaign.status is not self._machine.status:
            raise BeginAnew("the campaign stands elsewhere")
        until = None if self._machine.is_at_rest else self._sleeps_until()
        if until is None and not self._machine.is_at_rest:
            return False
        return await self._around.campaigns.rest(self._campaign, self._around.now(), until)
