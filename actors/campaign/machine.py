"""One campaign as a state machine: `handle(event, now)` gives commands, `deadline(now)` says when to call again. Pure.

SCHEDULED until its first day -> RUNNING <-> PAUSED -> COMPLETED, or STOPPED. Contacts are in the store. The machine
asks for as many as it may dial at that moment and decides about each as soon as it has it, so that nobody is kept
waiting in memory and every rule is looked at when it matters. Times are instants (UTC).
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

from actors.campaign import protocol as p
from actors.campaign.breaker import CarrierWatch
from actors.campaign.compliance import Allowed, Refused, checked
from actors.campaign.lines import Lines
from actors.campaign.pacing import Pace
from actors.campaign.retries import delay_after
from actors.campaign.windows import Hours
from actors.campaign.zones import DAY, start_of
from models.campaign import CampaignRules, CampaignStatus, Outcome, Refusal, Unreached, zone_of
from models.contact import Contact
from models.document import Id

AGAIN = timedelta(seconds=5)
"""The pause after a claim that failed or a dial that was not placed, at least."""
AFTER = {CampaignStatus.STOPPED: Unreached.STOPPED, CampaignStatus.COMPLETED: Unreached.EXPIRED}
BY_THE_CLOCK = (Refusal.OUTSIDE_WINDOW, Refusal.HOLIDAY)
CARRIER_FAILS = "carrier-failures"
PAUSES = {p.Cause.NO_CREDIT: "no-credit", p.Cause.NOT_READY: "not-ready"}
"""What no other contact would fare better with, and the reason that is given."""


class CampaignMachine:
    """Decides whom one campaign dials when; knows no clock, no store and no carrier."""

    def __init__(self, rules: CampaignRules, standing: p.Standing, *, now: datetime) -> None:
        self.status = standing.status
        self._follow(rules)
        self._pace = Pace(self._zone, now, lately=standing.dialled_lately, today=standing.dialled_today)
        self._carrier = CarrierWatch(standing.ended_lately)
        self._lines = Lines()
        self._live: dict[Id, p.Live] = {each.contact.id: each for each in standing.live}
        self._is_claiming = False
        self._due: datetime | None = now
        """When the first contact that waits is due, as far as the store has said; None: nobody waits."""
        self._put_back: datetime | None = None
        """The same of those put back since the store was asked."""
        self._held_until = now
        self._unreached = AFTER.get(self.status)
        """Nobody is dialled any more; how those end who were still to be."""
        self._has_told_waiting = self.status is CampaignStatus.COMPLETED

    @property
    def live(self) -> int:
        """Attempts under way."""
        return len(self._live)

    @property
    def is_over(self) -> bool:
        """Nothing is under way, and nothing will be."""
        return self.status.is_final and self._has_told_waiting and not self._live and not self._is_claiming

    @property
    def is_at_rest(self) -> bool:
        """Nothing is under way until somebody decides something; an actor may leave."""
        return self.is_over or (self.status is CampaignStatus.PAUSED and not self._live and not self._is_claiming)

    def handle(self, event: p.Event, now: datetime) -> list[p.Command]:
        """What to do about one event, in this order."""
        self._expire(now)
        return [*self._on_event(event, now), *self._on_time(now)]

    def deadline(self, now: datetime) -> datetime | None:
        """When to send `Tick` if nothing else happens first; None: never."""
        if self.status is CampaignStatus.SCHEDULED:
            return self._starts_at
        if self.status is not CampaignStatus.RUNNING or self._unreached is not None:
            return None
        times = [self._ends_at, None if self._is_claiming else self._next_claim(now)]
        return min((time for time in times if time is not None), default=None)

    def wakes_at(self, now: datetime) -> datetime | None:
        """When there is something to do again, where nothing is under way; None: something is, or nobody knows."""
        return None if self._live or self._is_claiming else self.deadline(now)

    def _on_event(self, event: p.Event, now: datetime) -> list[p.Command]:
        match event:
            case p.Tick():
                return []
            case p.ContactsDue():
                return self._take(event, now)
            case p.CallEnded():
                return self._end(event, now)
            case p.NotPlaced():
                return self._not_placed(event, now)
            case p.ClaimFailed():
                self._is_claiming = False
                self._hold(now + AGAIN)
            case p.ContactsAdded():
                self._wait_for(now)
            case p.RulesChanged():
                self._follow(event.rules)
                self._pace.moved(self._zone, now)
            case p.Paused():
                self._move(CampaignStatus.PAUSED, CampaignStatus.RUNNING)
            case p.Resumed():
                self._move(CampaignStatus.RUNNING, CampaignStatus.PAUSED)
            case p.Stopped():
                self._stop()
            case _:
                assert_never(event)
        return []

    def _follow(self, rules: CampaignRules) -> None:
        self._rules = rules
        self._zone = zone_of(rules.time_zone) or ZoneInfo("UTC")  # the rules name no zone that does not exist
        self._starts_at = start_of(self._zone, rules.starts_on, rules.starts_at) if rules.starts_on else None
        self._ends_at = start_of(self._zone, rules.ends_on + DAY) if rules.ends_on else None
        self._hours = Hours(rules, self._ends_at)

    # --- the campaign itself -----------------------------------------------------------------------------
    def _move(self, to: CampaignStatus, since: CampaignStatus) -> None:
        if self.status is since and self._unreached is None:
            self.status = to

    def _stop(self) -> None:
        if not self.status.is_final:
            self.status, self._unreached, self._has_told_waiting = CampaignStatus.STOPPED, Unreached.STOPPED, False

    def _expire(self, now: datetime) -> None:
        if self.status is CampaignStatus.RUNNING and self._ends_at is not None and now >= self._ends_at:
            self._unreached = Unreached.EXPIRED

    def _pause(self, reason: str) -> list[p.Command]:
        if self.status is not CampaignStatus.RUNNING or self._unreached is not None:
            return []
        self.status = CampaignStatus.PAUSED
        return [p.Become(CampaignStatus.PAUSED, reason)]

    def _on_time(self, now: datetime) -> list[p.Command]:
        commands: list[p.Command] = []
        if self.status is CampaignStatus.SCHEDULED and (self._starts_at is None or now >= self._starts_at):
            self.status = CampaignStatus.RUNNING
            commands.append(p.Become(CampaignStatus.RUNNING))
        self._expire(now)
        if self._unreached is not None and not self._has_told_waiting:
            self._has_told_waiting = True
            commands.append(p.FinishWaiting(self._unreached))
        if self.status is not CampaignStatus.RUNNING:
            return commands
        if self._is_done:
            self.status, self._has_told_waiting = CampaignStatus.COMPLETED, True
            commands.append(p.Become(CampaignStatus.COMPLETED))
        elif self._unreached is None:
            commands += self._claim(now)
        return commands

    @property
    def _is_done(self) -> bool:
        nobody_waits = self._first_due is None or self._unreached is not None
        return nobody_waits and not self._live and not self._is_claiming

    # --- who is next --------------------------------------------------------------------------------------
    @property
    def _first_due(self) -> datetime | None:
        return min((each for each in (self._due, self._put_back) if each is not None), default=None)

    def _wait_for(self, at: datetime) -> None:
        self._put_back = at if self._put_back is None else min(self._put_back, at)

    def _hold(self, until: datetime) -> None:
        """Nobody is asked for or dialled before; then the store is asked in any case."""
        self._held_until = max(self._held_until, until)
        self._wait_for(until)

    def _room(self, now: datetime) -> int:
        most = self._lines.most(self._rules.pacing.max_concurrency, now)
        return max(0, min(self._pace.allowance(self._rules.pacing, now), most - len(self._live)))

    def _next_claim(self, now: datetime) -> datetime | None:
        """When the next contacts can be claimed; None: not before something else happens."""
        due, live = self._first_due, len(self._live)
        if due is None or live >= self._rules.pacing.max_concurrency:
            return None
        return max(due, self._held_until, self._pace.free_at(self._rules.pacing, now), self._lines.free_at(live, now))

    def _claim(self, now: datetime) -> list[p.Command]:
        at = None if self._is_claiming else self._next_claim(now)
        if at is None or at > now:
            return []
        self._is_claiming, self._put_back = True, None
        return [p.ClaimContacts(self._room(now), now)]

    def _take(self, event: p.ContactsDue, now: datetime) -> list[p.Command]:
        self._is_claiming = False
        self._due = event.next_at
        commands: list[p.Command] = []
        for contact in event.contacts:
            if (command := self._decided(contact, event.do_not_call, now)) is not None:
                commands.append(command)
            if (closed := _closed_zone(contact, command)) is not None and closed not in commands:
                commands.append(closed)
        return commands

    def _decided(self, contact: Contact, do_not_call: Collection[str] | None, now: datetime) -> p.Command | None:
        if contact.id in self._live:
            return None
        if self._unreached is not None:
            return p.Finish(contact.id, self._unreached)
        if self.status is not CampaignStatus.RUNNING or self._held_until > now or not self._room(now):
            return self._again(contact, now)
        outcomes = outcomes_of(contact)
        if outcomes and len(outcomes) >= self._rules.retries.max_attempts:
            return p.Finish(contact.id, outcomes[-1])
        match checked(contact, self._rules, self._hours, do_not_call, now):
            case Refused(reason, until):
                return self._refuse(contact, reason, until)
            case Allowed(before):
                return self._dial(contact, before, now)

    def _refuse(self, contact: Contact, reason: Refusal, until: datetime | None) -> p.Command:
        if until is not None:
            self._wait_for(until)
        return p.Refuse(contact.id, reason, until)

    def _dial(self, contact: Contact, before: datetime, now: datetime) -> p.Command:
        attempt = max((each.number for each in contact.attempts), default=0) + 1
        self._live[contact.id] = p.Live(contact, attempt, now)
        self._pace.dialled(self._rules.pacing, now)
        return p.Dial(contact.id, attempt, before)

    # --- what became of it --------------------------------------------------------------------------------
    def _end(self, event: p.CallEnded, now: datetime) -> list[p.Command]:
        live = self._taken(event.contact_id, event.attempt)
        if live is None:
            return []
        commands = [self._settled(live, event.outcome, now)]
        if self._carrier.trips(self._rules.breaker, event.outcome, now):
            commands += self._pause(CARRIER_FAILS)
        return commands

    def _settled(self, live: p.Live, outcome: Outcome, now: datetime) -> p.Command:
        ended = p.Ended(live.attempt, outcome)
        at = self._retry_at(live.contact, [*outcomes_of(live.contact), outcome], now)
        if at is None:
            return p.Finish(live.contact.id, outcome, ended)
        return self._again(live.contact, at, ended)

    def _retry_at(self, contact: Contact, outcomes: list[Outcome], now: datetime) -> datetime | None:
        delay, zone = delay_after(self._rules.retries, outcomes), zone_of(contact.time_zone)
        if delay is None or zone is None or self._unreached is not None:
            return None
        return self._hours.opening(zone, now + delay)

    def _not_placed(self, event: p.NotPlaced, now: datetime) -> list[p.Command]:
        live = self._taken(event.contact_id, event.attempt)
        if live is None:
            return []
        self._pace.not_dialled(live.at, now)
        if event.cause is p.Cause.TAKEN:
            self._wait_for(now + AGAIN)  # whoever has the contact may give it back, and tells nobody
            return []
        ended = p.Ended(live.attempt, Outcome.NOT_PLACED)
        if event.cause is p.Cause.UNSUITABLE:
            return [p.Finish(live.contact.id, Refusal.UNSUITABLE, ended)]
        if event.cause is p.Cause.NO_CAPACITY:
            self._lines.refused(len(self._live), now)
        at = now + max(event.retry_after, AGAIN)
        self._hold(at)
        if self._unreached is not None:
            return [p.Finish(live.contact.id, self._unreached, ended)]
        reason = PAUSES.get(event.cause)
        return [self._again(live.contact, at, ended), *(self._pause(reason) if reason else [])]

    def _taken(self, contact_id: Id, attempt: int) -> p.Live | None:
        """The attempt, which is over now; None: it has been for long, or this is news of another one."""
        live = self._live.get(contact_id)
        return self._live.pop(contact_id) if live is not None and live.attempt == attempt else None

    def _again(self, contact: Contact, at: datetime, ended: p.Ended | None = None) -> p.Command:
        self._wait_for(at)
        return p.RetryAt(contact.id, at, ended)


def _closed_zone(contact: Contact, command: p.Command | None) -> p.CloseZone | None:
    """What a refusal by the clock says of everybody in the contact's time zone."""
    if not isinstance(command, p.Refuse) or command.reason not in BY_THE_CLOCK:
        return None
    if command.until is None or contact.time_zone is None:
        return None
    return p.CloseZone(contact.time_zone, command.reason, command.until)


def outcomes_of(contact: Contact) -> list[Outcome]:
    """What the attempts that reached the carrier came to, in their order."""
    told = [Outcome(each.outcome) for each in contact.attempts if each.outcome is not None]
    return [outcome for outcome in told if outcome is not Outcome.NOT_PLACED]
