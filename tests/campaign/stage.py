"""A campaign with its actors, their processes, the store and everybody's phone, on the loop's clock.

As in the product, somebody looks every few seconds whether the campaign needs an actor and has none. Processes die and
freeze when they are told to, at any step they take; a frozen one goes on later, as if nothing had been.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from actors.campaign.around import Around
from actors.campaign.runner import CampaignRunner
from models.campaign import (
    WEEKDAYS,
    Breaker,
    Campaign,
    CampaignRules,
    CampaignStatus,
    Outcome,
    Pacing,
    Retries,
    Retry,
    Window,
)
from models.contact import Contact
from models.document import Id, new_id
from tests.campaign.bystanders import Audience, MemoryCalls, MemoryLists, MemoryUsers
from tests.campaign.memory import Data, MemoryCampaigns, MemoryContacts
from tests.campaign.phones import Luck, Phones, Switchboard
from tests.campaign.process import Process, Weather
from tests.documents import a_user

BEGINS = datetime(2026, 1, 15, 12, tzinfo=UTC)
ROUND_S = 3.0
DOUBT = timedelta(seconds=60)
SLOW = Luck(talk_s=(40.0, 40.0))
ALWAYS = (Window(days=WEEKDAYS, opens=time(0), closes=time(0)),)
RULES = CampaignRules(
    windows=ALWAYS,
    requires_consent=False,
    pacing=Pacing(max_concurrency=3, calls_per_minute=600, batch_size=5),
    retries=Retries(
        busy=Retry(max_attempts=2, delay_s=30),
        no_answer=Retry(max_attempts=2, delay_s=40),
        failed=Retry(max_attempts=3, delay_s=30),
        machine=Retry(max_attempts=2, delay_s=35),
    ),
    breaker=Breaker(enabled=False),
)


def some_contacts(campaign_id: Id, count: int) -> list[Contact]:
    """So many people in Kolkata who are due."""
    dates = {"created_at": BEGINS, "updated_at": BEGINS, "next_at": BEGINS, "time_zone": "Asia/Kolkata"}
    whose: dict[str, Any] = {**dates, "organization_id": new_id(), "campaign_id": campaign_id}
    return [Contact(**whose, number=f"+9198{line:08d}", line=line) for line in range(1, count + 1)]


def a_campaign(rules: CampaignRules = RULES, **fields: Any) -> Campaign:
    """One that somebody has started."""
    own: dict[str, Any] = {
        "created_at": BEGINS,
        "updated_at": BEGINS,
        "organization_id": new_id(),
        "user_id": new_id(),
        "name": "Spring",
        "status": CampaignStatus.SCHEDULED,
        "agent_id": new_id(),
        "from_phone": "+918047491899",
        "rules": rules,
        "needs_runner": True,
        "news": 1,
    }
    return Campaign(**(own | fields))


def nothing(process: Process) -> None:
    """Nobody is struck."""


@dataclass
class Stage:
    """Begin with `begin`, or have `look_after` begin whenever it must."""

    seed: int = 0
    rules: CampaignRules = RULES
    count: int = 8
    luck: Luck = field(default_factory=Luck)
    weather: Weather = field(default_factory=Weather)
    strike: Callable[[Process], None] = nothing

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        campaign = a_campaign(self.rules)
        user = a_user(campaign.organization_id, id=campaign.user_id)
        people = some_contacts(campaign.id, self.count)
        self.data = Data(campaign, {each.id: each for each in people}, user)
        self.phones = Phones(self.data, self.luck, self.random, self.now)
        self.processes: list[Process] = []
        self.boards: list[Switchboard] = []
        self.runners: list[CampaignRunner] = []
        self.lives: list[asyncio.Task[None]] = []

    def now(self) -> datetime:
        """The wall's clock."""
        return BEGINS + timedelta(seconds=self._loop.time() - self._began)

    @property
    def status(self) -> CampaignStatus:
        """Where the campaign stands."""
        return self.data.campaign.status

    @property
    def is_over(self) -> bool:
        """It is, and its actor knows."""
        return self.status.is_final and not self.data.campaign.needs_runner

    @property
    def is_wanted(self) -> bool:
        """It needs an actor now."""
        campaign = self.data.campaign
        return campaign.needs_runner and (campaign.wake_at is None or campaign.wake_at <= self.now())

    # --- actors -------------------------------------------------------------------------------------------
    def begin(self) -> Process:
        """One more actor, whatever the others do."""
        process = Process(self.random, self.weather, lambda struck: self.strike(struck))
        board = Switchboard(self.data, self.phones, process, self.luck, self.random, self.now)
        around = Around(
            campaigns=MemoryCampaigns(self.data, process),
            contacts=MemoryContacts(self.data, process),
            calls=MemoryCalls(self.data, process),
            users=MemoryUsers(self.data, process),
            lists=MemoryLists(self.data, process),
            dialler=board,
            audience=Audience(self.data),
            now=self.now,
            doubt=DOUBT,
        )
        runner = CampaignRunner(self.data.campaign.id, around)
        self.processes.append(process)
        self.boards.append(board)
        self.runners.append(runner)
        self.lives.append(asyncio.create_task(runner.run()))
        return process

    async def look_after(self, within_s: float = 7200.0) -> None:
        """Begin an actor whenever the last one is dead or frozen and one is needed, until the campaign is over."""
        async with asyncio.timeout(within_s):
            while not self.is_over:
                is_gone = not self.processes or not self.processes[-1].is_well or self.lives[-1].done()
                if is_gone and self.is_wanted:
                    self.begin()
                if self.status is CampaignStatus.PAUSED and self.random.random() < 0.1:
                    self.data.decide(CampaignStatus.RUNNING, self.now())
                await asyncio.sleep(ROUND_S)

    async def close(self) -> None:
        """Let those who are frozen go on for a while, then end everybody. Raises what a runner raised."""
        self.strike = nothing
        for process in self.processes:
            process.thaw()
        await asyncio.sleep(300)
        for life in self.lives:
            life.cancel()
        await asyncio.gather(*(life for life in self.lives if not life.done()), return_exceptions=True)
        await self.phones.close_all()
        for life in self.lives:
            if not life.cancelled() and (error := life.exception()) is not None:
                raise error

    # --- afterwards ---------------------------------------------------------------------------------------
    def check(self) -> None:
        """What holds of every campaign that is over, whatever happened to its actors."""
        assert self.phones.twice == []
        assert self.phones.most <= self.rules.pacing.max_concurrency
        assert set(self.phones.dials.values()) <= {1}
        for contact in self.data.contacts.values():
            assert (contact.state, contact.claim, contact.next_at) == ("done", None, None)
            assert contact.final is not None
            for attempt in contact.attempts:
                self._check_attempt(contact, attempt.number, attempt.call_id, attempt.outcome)
        assert self.data.campaign.counters.contacts == {"done": len(self.data.contacts)}
        assert self.data.campaign.counters.attempts == Counter(
            each.outcome for contact in self.data.contacts.values() for each in contact.attempts
        )

    def _check_attempt(self, contact: Contact, number: int, call_id: Id, outcome: str | None) -> None:
        dials = self.phones.dials[contact.id, number]
        if dials == 0:
            assert outcome in (Outcome.NOT_PLACED, Outcome.FAILED, Outcome.NO_ANSWER), "nobody was rung"
        elif call_id in self.phones.came_to:
            assert outcome == self.phones.came_to[call_id], "what a call came to is what is recorded"
        else:
            assert outcome in (Outcome.FAILED, Outcome.NO_ANSWER), "a call whose answer was lost"


def finals(stage: Stage) -> Counter[str | None]:
    """How the contacts have ended."""
    return Counter(each.final for each in stage.data.contacts.values())


async def at_rest(stage: Stage) -> None:
    """The first actor has left by itself."""
    await asyncio.wait_for(asyncio.shield(stage.lives[0]), 3600)
    assert not stage.data.campaign.needs_runner
