"""The rules of a campaign said once more, for a referee: by the clock on the wall, dial by dial."""

from bisect import bisect_right
from collections import Counter
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from models.campaign import WEEKDAYS, CampaignRules, Outcome, Refusal
from models.contact import Contact
from models.document import Id
from tests.campaign.people import outcomes

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def is_open(rules: CampaignRules, zone: str, now: datetime) -> bool:
    """Whether somebody there may be called now; read off their wall, without the campaign's own dates."""
    wall = now.astimezone(ZoneInfo(zone))
    today, clock = wall.date(), wall.time().replace(fold=0)
    yesterday = today - DAY
    if today in rules.holidays:
        return False
    for window in rules.windows:
        is_todays = WEEKDAYS[today.weekday()] in window.days
        is_yesterdays = WEEKDAYS[yesterday.weekday()] in window.days and yesterday not in rules.holidays
        if window.opens < window.closes:
            if is_todays and window.opens <= clock < window.closes:
                return True
        elif (is_todays and clock >= window.opens) or (is_yesterdays and clock < window.closes):
            return True
    return False


class Rulebook:
    """Told of every dial before the carrier is; says no by failing."""

    def __init__(self, rules: CampaignRules, do_not_call: frozenset[str]) -> None:
        self._rules = rules
        self._do_not_call = do_not_call
        self._on_the_phone: set[Id] = set()
        self._attempts: dict[Id, int] = {}
        self.dials: list[datetime] = []
        self.days: Counter[date] = Counter()
        self.most_at_once = 0

    def dialled(self, contact: Contact, now: datetime) -> None:
        """One dial, with the attempt it is for."""
        self._may_be_called(contact, now)
        self._is_within_the_campaign(now)
        self._is_owed(contact)
        assert contact.id not in self._on_the_phone, "two live attempts"
        self._on_the_phone.add(contact.id)
        self._attempts[contact.id] = contact.attempts[-1].number
        self._is_slow_enough(now)

    def over(self, contact_id: Id, attempt: int) -> None:
        """The carrier says a call has ended."""
        if self._attempts.get(contact_id) == attempt:
            self._on_the_phone.discard(contact_id)

    def refused(self, contact: Contact, reason: Refusal, until: datetime | None, now: datetime) -> None:
        """Nobody is turned down who could have been called, and nobody waits beyond the next opening."""
        match reason:
            case Refusal.DO_NOT_CALL:
                assert contact.number in self._do_not_call
            case Refusal.NO_CONSENT:
                assert self._rules.requires_consent
                assert not contact.consent
            case Refusal.UNKNOWN_TIME_ZONE:
                assert not _is_zone(contact.time_zone)
            case Refusal.OUTSIDE_WINDOW | Refusal.HOLIDAY | Refusal.NEVER_OPEN:
                assert contact.time_zone is not None
                self.closed(contact.time_zone, reason, until, now)
            case Refusal.DO_NOT_CALL_UNKNOWN:
                pass
            case Refusal.ATTEMPT_OPEN:
                raise AssertionError("a contact was claimed while its call went on")

    def closed(self, zone: str, reason: Refusal, until: datetime | None, now: datetime) -> None:
        """Nobody there can be called now; they can at `until`, and not before."""
        assert not is_open(self._rules, zone, now)
        is_holiday = now.astimezone(ZoneInfo(zone)).date() in self._rules.holidays
        assert reason is Refusal.NEVER_OPEN or is_holiday == (reason is Refusal.HOLIDAY)
        assert (until is None) == (reason is Refusal.NEVER_OPEN)
        assert until is None or self._opens(zone, until)

    def is_full(self, now: datetime, live: int) -> bool:
        """Whether nobody can be dialled now, with so many attempts under way, some of them perhaps never placed."""
        pacing = self._rules.pacing
        today = now.astimezone(ZoneInfo(self._rules.time_zone)).date()
        is_capped = pacing.daily_cap is not None and self.days[today] + live >= pacing.daily_cap
        return live >= pacing.max_concurrency or is_capped

    def _may_be_called(self, contact: Contact, now: datetime) -> None:
        assert contact.number not in self._do_not_call
        assert contact.consent or not self._rules.requires_consent
        assert contact.time_zone is not None
        assert is_open(self._rules, contact.time_zone, now)

    def _opens(self, zone: str, at: datetime) -> bool:
        return is_open(self._rules, zone, at) and not is_open(self._rules, zone, at - timedelta(seconds=1))

    def _is_within_the_campaign(self, now: datetime) -> None:
        wall = now.astimezone(ZoneInfo(self._rules.time_zone))
        if (first := self._rules.starts_on) is not None:
            assert (wall.date(), wall.time()) >= (first, self._rules.starts_at)
        assert self._rules.ends_on is None or wall.date() <= self._rules.ends_on

    def _is_owed(self, contact: Contact) -> None:
        told, retries = outcomes(contact), self._rules.retries
        assert len(told) < retries.max_attempts
        assert not {Outcome.ANSWERED, Outcome.CANCELED} & set(told)
        each = {
            Outcome.BUSY: retries.busy,
            Outcome.NO_ANSWER: retries.no_answer,
            Outcome.FAILED: retries.failed,
            Outcome.MACHINE: retries.machine,
        }
        for outcome, count in Counter(told).items():
            assert count < each[outcome].max_attempts

    def _is_slow_enough(self, now: datetime) -> None:
        pacing = self._rules.pacing
        self.dials.append(now)
        assert len(self.dials) - bisect_right(self.dials, now - MINUTE) <= pacing.calls_per_minute
        self.days[now.astimezone(ZoneInfo(self._rules.time_zone)).date()] += 1
        assert pacing.daily_cap is None or max(self.days.values()) <= pacing.daily_cap
        self.most_at_once = max(self.most_at_once, len(self._on_the_phone))
        assert self.most_at_once <= pacing.max_concurrency


def _is_zone(name: str | None) -> bool:
    try:
        return name is not None and bool(ZoneInfo(name).key)
    except (KeyError, ValueError):
        return False
