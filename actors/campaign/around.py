"""What a campaign's actor works with, as it sees it: the stores, whoever places calls, whoever hears how far it is."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from models.call import Call, CampaignCall
from models.campaign import Campaign, CampaignCounters, CampaignStatus, Outcome
from models.contact import Contact
from models.document import Id
from models.user import User
from services.principal import Principal
from stores.calls import CallState
from stores.contacts import Again, ContactCounts, Finished


class CampaignStore(Protocol):
    """`stores.campaigns.Campaigns`."""

    async def by_id(self, campaign_id: Id) -> Campaign | None:
        """The campaign; None: it was deleted."""

    async def take(self, campaign_id: Id, runner: str, now: datetime) -> Campaign | None:
        """Give it to this life of its actor; None: it was deleted."""

    async def become(
        self,
        campaign: Campaign,
        status: CampaignStatus,
        now: datetime,
        *,
        since: Collection[CampaignStatus],
        reason: str | None = None,
    ) -> Campaign | None:
        """Move on from one of the statuses `since`; None: not from where it stands."""

    async def rest(self, campaign: Campaign, now: datetime, until: datetime | None = None) -> bool:
        """Note that no actor is needed, or none before `until`; False: one is."""

    async def save_counters(
        self, campaign_id: Id, counters: CampaignCounters, now: datetime, *, runner: str | None
    ) -> bool:
        """Note how far it is; False: another life has it."""


class ContactStore(Protocol):
    """`stores.contacts.Contacts`, which says what each of them promises."""

    async def claim_due(self, campaign_id: Id, runner: str, limit: int, now: datetime) -> list[Contact]:
        """Have those who are due to ourselves."""

    async def next_due(self, campaign_id: Id) -> datetime | None:
        """When the next of those who wait is due."""

    async def begin_attempt(self, contact_id: Id, number: int, call_id: Id, now: datetime, *, runner: str) -> bool:
        """Put an attempt on record; False: it must not be dialled."""

    async def record_outcome(
        self, contact_id: Id, number: int, outcome: str, then: Again | Finished, now: datetime
    ) -> bool:
        """Close an attempt; False: it was closed before."""

    async def retry_at(
        self, contact_id: Id, at: datetime, now: datetime, *, refusal: str | None = None, runner: str | None = None
    ) -> bool:
        """Give a claimed contact back."""

    async def finish(
        self, contact_id: Id, final: str, now: datetime, *, refusal: str | None = None, runner: str | None = None
    ) -> bool:
        """End a contact without another attempt."""

    async def close_zone(self, campaign_id: Id, time_zone: str, until: datetime, refusal: str, now: datetime) -> int:
        """Let everybody there wait."""

    async def finish_waiting(self, campaign_id: Id, final: str, now: datetime) -> int:
        """End everybody who waits."""

    async def release_stale(
        self, campaign_id: Id, before: datetime, now: datetime, *, keep: Collection[Id] = (), runner: str | None = None
    ) -> int:
        """Give back claims in which no attempt began."""

    async def under_way(self, campaign_id: Id, limit: int = 10_000) -> list[Contact]:
        """Contacts with an open attempt."""

    async def is_anybody_left(self, campaign_id: Id) -> bool:
        """Whether somebody waits or is being dialled."""

    async def are_strays(self, campaign_id: Id, before: datetime, *, known: Collection[Id]) -> bool:
        """Whether somebody was claimed until then whom we do not know of."""

    async def counts(self, campaign_id: Id) -> ContactCounts:
        """How far the campaign is."""

    async def attempts_since(self, campaign_id: Id, since: datetime) -> list[tuple[datetime, Outcome | None]]:
        """When each attempt since then began, and what it came to."""

    async def dialled_since(self, campaign_id: Id, since: datetime) -> int:
        """How many attempts began since then and may have been placed."""


class CallStore(Protocol):
    """`stores.calls.Calls`."""

    async def states(self, call_ids: Iterable[Id]) -> Mapping[Id, CallState]:
        """How far those of the calls are that exist."""


class UserStore(Protocol):
    """`stores.users.Users`."""

    async def by_id(self, user_id: Id) -> User | None:
        """The user; None: there is none."""


class Lists(Protocol):
    """`stores.dnc.Dnc`."""

    async def blocked(self, organization_id: Id, numbers: Iterable[str]) -> Collection[str]:
        """Those of the numbers that must not be called."""


class Dialler(Protocol):
    """`services.calls.CallService`."""

    async def place_outbound(
        self,
        principal: Principal,
        *,
        from_phone: str,
        to_phone: str,
        agent_id: str,
        metadata: dict[str, Any],
        now: datetime,
        call_id: Id | None = None,
        variables: Mapping[str, str] | None = None,
        campaign: CampaignCall | None = None,
    ) -> Call:
        """Dial once for this id; raises every error of ours."""


class Audience(Protocol):
    """`stores.events.Events`."""

    async def publish_to_campaign(self, campaign_id: Id, event: str, payload: Mapping[str, Any]) -> None:
        """Tell whoever watches the campaign."""


@dataclass(frozen=True, slots=True)
class Around:
    """All of it, and the clock. `doubt`: how long a phone may ring that the carrier did not say it would."""

    campaigns: CampaignStore
    contacts: ContactStore
    calls: CallStore
    users: UserStore
    lists: Lists
    dialler: Dialler
    audience: Audience
    now: Callable[[], datetime]
    doubt: timedelta = timedelta(seconds=60)
