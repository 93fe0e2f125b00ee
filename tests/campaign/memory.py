"""The stores that a campaign's actor works with, in memory: the same conditions on the same writes."""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from models.campaign import Campaign, CampaignCounters, CampaignStatus, Change, Outcome
from models.contact import Attempt, Claim, Contact
from models.document import Id, new_id
from models.user import User
from stores.calls import CallState
from stores.contacts import Again, ContactCounts, Finished
from tests.campaign.process import Process

Clock = Callable[[], datetime]


@dataclass
class Data:
    """What all processes see."""

    campaign: Campaign
    contacts: dict[Id, Contact]
    user: User | None
    calls: dict[Id, CallState] = field(default_factory=dict)
    do_not_call: set[str] = field(default_factory=set)
    told: list[dict[str, Any]] = field(default_factory=list)

    def decide(self, status: CampaignStatus, at: datetime) -> None:
        """Somebody has decided."""
        self.move(status, at, by=self.campaign.user_id)
        self.change(news=self.campaign.news + 1, needs_runner=True, wake_at=None)

    def move(self, status: CampaignStatus, at: datetime, *, reason: str | None = None, by: Id | None = None) -> None:
        """One more status."""
        change = Change(number=len(self.campaign.changes) + 1, status=status, reason=reason, at=at, by=by)
        self.change(status=status, status_reason=reason, changes=(*self.campaign.changes, change))

    def change(self, **fields: Any) -> None:
        """Other fields of the campaign."""
        self.campaign = self.campaign.model_copy(update=fields)


class MemoryCampaigns:
    """Satisfies `around.CampaignStore`."""

    def __init__(self, data: Data, process: Process) -> None:
        self._data = data
        self._process = process

    async def by_id(self, campaign_id: Id) -> Campaign | None:
        """See the role."""
        async with self._process.step():
            return self._data.campaign

    async def take(self, campaign_id: Id, runner: str, now: datetime) -> Campaign | None:
        """See the role."""
        async with self._process.step():
            self._data.change(runner=runner, wake_at=None)
            return self._data.campaign

    async def become(
        self,
        campaign: Campaign,
        status: CampaignStatus,
        now: datetime,
        *,
        since: Collection[CampaignStatus],
        reason: str | None = None,
    ) -> Campaign | None:
        """See the role."""
        async with self._process.step():
            here = self._data.campaign
            has_news = status is CampaignStatus.COMPLETED and here.news != campaign.news
            if here.status not in since or len(here.changes) != len(campaign.changes) or has_news:
                return None
            self._data.move(status, now, reason=reason)
            return self._data.campaign

    async def rest(self, campaign: Campaign, now: datetime, until: datetime | None = None) -> bool:
        """See the role."""
        async with self._process.step():
            here = self._data.campaign
            if (here.news, here.runner) != (campaign.news, campaign.runner):
                return False
            self._data.change(needs_runner=until is not None, wake_at=until)
            return True

    async def save_counters(
        self, campaign_id: Id, counters: CampaignCounters, now: datetime, *, runner: str | None
    ) -> bool:
        """See the role."""
        async with self._process.step():
            if self._data.campaign.runner != runner:
                return False
            self._data.change(counters=counters)
            return True


class MemoryContacts:
    """Satisfies `around.ContactStore`."""

    def __init__(self, data: Data, process: Process) -> None:
        self._rows = data.contacts
        self._process = process

    async def claim_due(self, campaign_id: Id, runner: str, limit: int, now: datetime) -> list[Contact]:
        """See the role; as in the real one, finding and claiming are two steps."""
        async with self._process.step():
            due = [each for each in self._those("pending") if each.next_at and each.next_at <= now][:limit]
        claim = Claim(runner=runner, token=new_id(), at=now)
        async with self._process.step():
            free = [each for each in due if self._rows[each.id].state == "pending" and each.next_at]
            return [self._change(each.id, state="dialing", claim=claim) for each in free]

    async def next_due(self, campaign_id: Id) -> datetime | None:
        """See the role."""
        async with self._process.step():
            return min((each.next_at for each in self._those("pending") if each.next_at), default=None)

    async def begin_attempt(self, contact_id: Id, number: int, call_id: Id, now: datetime, *, runner: str) -> bool:
        """See the role."""
        async with self._process.step():
            contact = self._rows[contact_id]
            if any(each.call_id == call_id and each.outcome is None for each in contact.attempts):
                return True
            is_ours = contact.state == "dialing" and contact.claim is not None and contact.claim.runner == runner
            if not is_ours or contact.open_attempt is not None or len(contact.attempts) != number - 1:
                return False
            attempt = Attempt(number=number, call_id=call_id, at=now)
            self._change(contact_id, attempts=(*contact.attempts, attempt))
            return True

    async def record_outcome(
        self, contact_id: Id, number: int, outcome: str, then: Again | Finished, now: datetime
    ) -> bool:
        """See the role."""
        async with self._process.step():
            attempts = self._rows[contact_id].attempts
            if not any(each.number == number and each.outcome is None for each in attempts):
                return False
            told = {"outcome": str(outcome)}
            closed = tuple(each.model_copy(update=told) if each.number == number else each for each in attempts)
            self._change(contact_id, attempts=closed, **_after(then))
            return True

    async def retry_at(
        self, contact_id: Id, at: datetime, now: datetime, *, refusal: str | None = None, runner: str | None = None
    ) -> bool:
        """See the role."""
        async with self._process.step():
            return self._settle(contact_id, ("dialing",), runner, **_after(Again(at)), refusal=refusal)

    async def finish(
        self, contact_id: Id, final: str, now: datetime, *, refusal: str | None = None, runner: str | None = None
    ) -> bool:
        """See the role."""
        async with self._process.step():
            return self._settle(contact_id, ("pending", "dialing"), runner, **_after(Finished(final)), refusal=refusal)

    async def close_zone(self, campaign_id: Id, time_zone: str, until: datetime, refusal: str, now: datetime) -> int:
        """See the role."""
        async with self._process.step():
            there = [each for each in self._those("pending") if each.time_zone == time_zone]
            early = [each for each in there if each.next_at and each.next_at < until]
            return len([self._change(each.id, next_at=until, refusal=refusal) for each in early])

    async def finish_waiting(self, campaign_id: Id, final: str, now: datetime) -> int:
        """See the role."""
        async with self._process.step():
            return len([self._change(each.id, **_after(Finished(final))) for each in self._those("pending")])

    async def release_stale(
        self, campaign_id: Id, before: datetime, now: datetime, *, keep: Collection[Id] = (), runner: str | None = None
    ) -> int:
        """See the role."""
        async with self._process.step():
            return len(
                [
                    self._change(each.id, state="pending", claim=None)
                    for each in self._those("dialing")
                    if each.claim is not None
                    and each.claim.at <= before
                    and each.open_attempt is None
                    and each.id not in keep
                    and runner in (None, each.claim.runner)
                ]
            )

    async def under_way(self, campaign_id: Id, limit: int = 10_000) -> list[Contact]:
        """See the role."""
        async with self._process.step():
            return [each for each in self._those("dialing") if each.open_attempt is not None]

    async def is_anybody_left(self, campaign_id: Id) -> bool:
        """See the role."""
        async with self._process.step():
            return bool(self._those("pending") or self._those("dialing"))

    async def are_strays(self, campaign_id: Id, before: datetime, *, known: Collection[Id]) -> bool:
        """See the role."""
        async with self._process.step():
            claimed = [each for each in self._those("dialing") if each.claim is None or each.claim.at <= before]
            return any(each.id not in known for each in claimed)

    async def counts(self, campaign_id: Id) -> ContactCounts:
        """See the role."""
        async with self._process.step():
            rows = list(self._rows.values())
            attempts = Counter(each.outcome or "open" for row in rows for each in row.attempts)
            return ContactCounts(
                Counter[str](row.state for row in rows), Counter(row.final for row in rows if row.final), attempts
            )

    async def attempts_since(self, campaign_id: Id, since: datetime) -> list[tuple[datetime, Outcome | None]]:
        """See the role."""
        async with self._process.step():
            return [
                (each.at, Outcome(each.outcome) if each.outcome else None)
                for row in self._rows.values()
                for each in row.attempts
                if each.at >= since
            ]

    async def dialled_since(self, campaign_id: Id, since: datetime) -> int:
        """See the role."""
        async with self._process.step():
            attempts = [each for row in self._rows.values() for each in row.attempts]
            return sum(each.at >= since and each.outcome != Outcome.NOT_PLACED for each in attempts)

    def _those(self, state: str) -> list[Contact]:
        return [each for each in self._rows.values() if each.state == state]

    def _settle(self, contact_id: Id, states: Collection[str], runner: str | None, **fields: Any) -> bool:
        contact = self._rows[contact_id]
        is_ours = runner is None or (contact.claim is not None and contact.claim.runner == runner)
        if contact.state not in states or contact.open_attempt is not None or not is_ours:
            return False
        self._change(contact_id, **fields)
        return True

    def _change(self, contact_id: Id, **fields: Any) -> Contact:
        self._rows[contact_id] = self._rows[contact_id].model_copy(update=fields)
        return self._rows[contact_id]


def _after(then: Again | Finished) -> dict[str, Any]:
    if isinstance(then, Again):
        return {"state": "pending", "next_at": then.at, "final": None, "claim": None}
    return {"state": "done", "next_at": None, "final": str(then.final), "claim": None}
