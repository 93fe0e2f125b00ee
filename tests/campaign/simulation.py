"""A campaign on a virtual clock: its machine, a store and a carrier in memory, people who pause and stop it, crashes.

`run(Scenario...)` plays it to its end and returns the world, which looked at every step: the rules of a campaign are
checked here from what was written and dialled, by other means than those of the machine.
"""

import heapq
import itertools
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from actors.campaign import protocol as p
from actors.campaign.machine import CampaignMachine
from models.campaign import CampaignRules, CampaignStatus, Outcome, zone_of
from models.contact import Contact
from models.document import Id, new_id
from tests.campaign.people import PeopleStore
from tests.campaign.rulebook import Rulebook

MOST_STEPS_PER_CONTACT = 3000
"""A campaign that takes more has got into a circle."""


@dataclass(frozen=True)
class Scenario:
    """What is played. Shares are between 0 and 1."""

    seed: int
    rules: CampaignRules
    begins: datetime
    contacts: list[Contact]
    do_not_call: frozenset[str] = frozenset()
    outcomes: dict[Outcome, float] = field(default_factory=lambda: {Outcome.ANSWERED: 1.0})
    """How often a call ends like this, relative to the others."""
    talk_s: tuple[float, float] = (20.0, 180.0)
    not_placed: float = 0.0
    """The share of dials for which there is no capacity or no credit."""
    unsure: float = 0.0
    """The share of claims with no answer from the lists of numbers not to be called, and of those that fail."""
    crashes: float = 0.0
    """The share of steps after which the actor is gone, perhaps half-way through what it was to do."""
    pauses: tuple[timedelta, ...] = ()
    """When somebody pauses the campaign, after its beginning; every pause ends, in time."""
    stops_after: timedelta | None = None


@dataclass(frozen=True)
class Happening:
    """Something the actor hears of, or that ends it."""

    event: p.Event | None
    life: int | None = None
    """Of which life of the actor; None: of any."""


@dataclass(frozen=True)
class CarrierCall:
    """What the carrier knows of one call."""

    ends: datetime
    outcome: Outcome


class World:
    """Everything around the machine, and the only clock."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.rules = scenario.rules
        self.now = scenario.begins
        self.random = random.Random(scenario.seed)
        self.people = PeopleStore(scenario.contacts)
        self.rulebook = Rulebook(scenario.rules, scenario.do_not_call)
        self.status = CampaignStatus.SCHEDULED
        self.statuses = [self.status]
        self.steps = 0
        self.life = 0
        self.calls: dict[tuple[Id, int], CarrierCall] = {}
        self._is_asked = False
        self._order = itertools.count()
        self._ahead: list[tuple[datetime, int, Happening]] = []
        self.machine = self._machine()

    # --- time ---------------------------------------------------------------------------------------------
    def play(self) -> None:
        """From the first day until nothing is left to be done."""
        for pause in self.scenario.pauses:
            self._later(pause, p.Paused())
        if self.scenario.stops_after is not None:
            self._later(self.scenario.stops_after, p.Stopped())
        self._do(p.Tick())
        while not self.machine.is_over:
            self.steps += 1
            assert self.steps < MOST_STEPS_PER_CONTACT * (len(self.scenario.contacts) + 10), "in a circle"
            self._step()
        assert self.status.is_final

    def _step(self) -> None:
        deadline = self.machine.deadline(self.now)
        assert deadline is None or deadline > self.now, "a deadline that nothing was done about"
        self._nobody_is_forgotten(deadline)
        if not self._ahead or (deadline is not None and deadline <= self._ahead[0][0]):
            assert deadline is not None, "asleep for ever"
            self.now = deadline
            self._do(p.Tick())
            return
        self.now, _, happening = heapq.heappop(self._ahead)
        if happening.event is not None and happening.life in (None, self.life):
            self._do(happening.event)

    def _nobody_is_forgotten(self, deadline: datetime | None) -> None:
        """Whoever is due is asked for within a minute or so, unless there is a reason."""
        first = self.people.next_at()
        is_full = self.rulebook.is_full(self.now, self.machine.live)
        if first is None or is_full or self._is_asked or self.machine.status is not CampaignStatus.RUNNING:
            return
        assert deadline is not None, "somebody waits and nobody will look"
        assert deadline <= max(self.now, first) + timedelta(seconds=75)

    def _later(self, delay: timedelta, event: p.Event, *, life: int | None = None) -> None:
        heapq.heappush(self._ahead, (self.now + delay, next(self._order), Happening(event, life)))

    # --- the actor ------------------------------------------------------------------------------------------
    def _do(self, event: p.Event) -> None:
        """One event, and what the machine wants done about it, unless the actor dies over it."""
        self._people_decide(event)
        if isinstance(event, p.CallEnded):
            self.rulebook.over(event.contact_id, event.attempt)
        if isinstance(event, p.ContactsDue | p.ClaimFailed):
            self._is_asked = False
        commands = self.machine.handle(event, self.now)
        dies = self.random.random() < self.scenario.crashes
        done = self.random.randint(0, len(commands)) if dies else len(commands)
        for command in commands[:done]:
            self._carry_out(command)
        if dies:
            self._rise_again()

    def _people_decide(self, event: p.Event) -> None:
        match event, self.status:
            case p.Stopped(), status if not status.is_final:
                self._write(CampaignStatus.STOPPED)
            case p.Paused(), CampaignStatus.RUNNING:
                self._write(CampaignStatus.PAUSED)
                self._resume_some_time()
            case p.Resumed(), CampaignStatus.PAUSED:
                self._write(CampaignStatus.RUNNING)

    def _resume_some_time(self) -> None:
        self._later(timedelta(minutes=self.random.uniform(1, 90)), p.Resumed())

    def _rise_again(self) -> None:
        """A new actor with what the store has; the carrier is asked about every attempt that has no outcome."""
        self.life += 1
        self._is_asked = False
        self.people.release_claims(self.now)
        self.machine = self._machine()
        for live in self.people.live():
            key = (live.contact.id, live.attempt)
            call = self.calls.get(key)
            if call is None:
                self._later(timedelta(0), p.NotPlaced(*key, p.Cause.LOST), life=self.life)
            elif call.ends <= self.now:
                self._later(timedelta(0), p.CallEnded(*key, call.outcome), life=self.life)
        self._do(p.Tick())

    def _machine(self) -> CampaignMachine:
        zone = zone_of(self.rules.time_zone)
        assert zone is not None
        today = self.now.astimezone(zone).date()
        lately, begun = self.now - timedelta(minutes=1), self.people.begun()
        since = self.now - timedelta(seconds=self.rules.breaker.window_s)
        standing = p.Standing(
            self.status,
            self.people.live(),
            tuple(at for at in begun if at > lately),
            sum(at.astimezone(zone).date() == today for at in begun),
            tuple((call.ends, call.outcome) for call in self.calls.values() if since < call.ends <= self.now),
        )
        return CampaignMachine(self.rules, standing, now=self.now)

    def _carry_out(self, command: p.Command) -> None:
        match command:
            case p.ClaimContacts(limit, due):
                assert 0 < limit <= self.rules.pacing.batch_size
                self._claim(limit, due)
            case p.Dial():
                self._dial(command)
            case p.Refuse(contact_id, reason, until):
                self.rulebook.refused(self.people[contact_id], reason, until, self.now)
                self.people.put_back(contact_id, until, reason)
            case p.CloseZone(time_zone, reason, until):
                self.rulebook.closed(time_zone, reason, until, self.now)
                self.people.close_zone(time_zone, until, reason)
            case p.RetryAt(contact_id, at, ended):
                assert at >= self.now
                self.people.ended(contact_id, ended)
                self.people.put_back(contact_id, at, None)
            case p.Finish(contact_id, final, ended):
                self.people.ended(contact_id, ended)
                self.people.finish(contact_id, final)
            case p.FinishWaiting(final):
                self.people.finish_waiting(final)
            case p.Become(status):
                self._write(status)
                if status is CampaignStatus.PAUSED:
                    self._resume_some_time()

    def _write(self, status: CampaignStatus) -> None:
        if status is not self.status:
            assert not self.status.is_final
            self.status = status
            self.statuses.append(status)

    # --- the store and the carrier --------------------------------------------------------------------------
    def _claim(self, limit: int, due: datetime) -> None:
        self._is_asked = True
        if self.random.random() < self.scenario.unsure / 2:
            return self._later(self._soon(), p.ClaimFailed(), life=self.life)
        contacts = self.people.claim(limit, due)
        is_sure = self.random.random() >= self.scenario.unsure
        blocked = {each.number for each in contacts} & self.scenario.do_not_call if is_sure else None
        answer = p.ContactsDue(contacts, blocked, self.people.next_at())
        return self._later(self._soon(), answer, life=self.life)

    def _dial(self, command: p.Dial) -> None:
        contact_id, number = command.contact_id, command.attempt
        contact = self.people.begin(contact_id, number, new_id(), self.now)
        key = (contact_id, number)
        assert self.now < command.before
        if self.random.random() < self.scenario.not_placed:
            cause = self.random.choice([p.Cause.NO_CAPACITY, p.Cause.NO_CREDIT, p.Cause.TOO_LATE, p.Cause.UNSUITABLE])
            self._later(self._soon(), p.NotPlaced(*key, cause, timedelta(seconds=self.random.randint(0, 30))))
            return
        self.rulebook.dialled(contact, self.now)
        outcome = self._outcome()
        talks = timedelta(seconds=self.random.uniform(*self.scenario.talk_s))
        lasts = self._soon() if outcome is Outcome.FAILED else talks
        self.calls[key] = CarrierCall(self.now + lasts, outcome)
        self._later(lasts, p.CallEnded(*key, outcome))

    def _outcome(self) -> Outcome:
        weights = self.scenario.outcomes
        return self.random.choices(list(weights), list(weights.values()))[0]

    def _soon(self) -> timedelta:
        return timedelta(seconds=self.random.choice([0.002, 0.01, 0.3, 2.0]))


def played(scenario: Scenario) -> World:
    """The world after the campaign; says which one it was, should a rule be broken in it."""
    world = World(scenario)
    try:
        world.play()
    except AssertionError as broken:
        broken.add_note(f"in the campaign drawn with {scenario.seed}, at {world.now.isoformat()}")
        raise
    return world
