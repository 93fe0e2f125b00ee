"""An organization's money as people see it: what there is, what was entered, and credit given by the installation."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from models.document import Id
from models.errors import FieldError, Invalid
from models.ledger import Entry, EntryKind
from services.audit import AuditService
from services.credit import Credit
from services.principal import Principal
from stores.repositories import Repositories
from stores.repository import Page

CreditKind = Literal["top-up", "refund"]


@dataclass(frozen=True, slots=True)
class Balance:
    """Micro-credits. `held` is set aside for live calls; `entry` numbers the last entry these figures include."""

    balance_micros: int = 0
    held_micros: int = 0
    entry: int = 0
    as_of: datetime | None = None


class BillingService:
    """Reads come from the store, writes go to the ledger's writer."""

    def __init__(self, repositories: Repositories, credit: Credit, audit: AuditService) -> None:
        self._stores = repositories
        self._credit = credit
        self._audit = audit

    async def balance(self, principal: Principal) -> Balance:
        """What the organization has."""
        last = await self._stores.ledger.last(principal.organization_id)
        if last is None:
            return Balance()
        return Balance(last.balance_micros, last.total_held_micros, last.number, last.created_at)

    async def ledger(
        self, principal: Principal, *, kind: EntryKind | None, call_id: str | None, page: int, limit: int
    ) -> Page[Entry]:
        """The organization's entries that match, newest first."""
        return await self._stores.ledger.search(
            principal.organization_id, kind=kind, call_id=call_id, page=page, limit=limit
        )

    async def credit(
        self,
        principal: Principal,
        *,
        key: Id,
        organization_id: str | None,
        kind: CreditKind,
        amount_micros: int,
        call_id: str | None,
        reason: str,
        now: datetime,
    ) -> Entry:
        """Top an organization up, or refund one of its calls; `key` names the occasion.

        Raises NotFound (organization, call) and Invalid (amount, a refund without a call).
        """
        owner = Id(organization_id) if organization_id else principal.organization_id
        await self._stores.organizations.fetch(owner)
        if kind == "refund":
            call = await self._stores.calls.get(owner, _required(call_id))
            entry = await self._credit.refund(
                owner, key, call.id, amount_micros, reason=reason, by=principal.user_id, now=now
            )
        else:
            entry = await self._credit.top_up(owner, key, amount_micros, reason=reason, by=principal.user_id, now=now)
        # In the log of whose money it is.
        await self._audit.record(
            replace(principal, organization_id=owner), kind, "organization", owner, now, amountMicros=amount_micros
        )
        return entry


def _required(call_id: str | None) -> str:
    if not call_id:
        raise Invalid(fields=[FieldError("callId", "Call is required for a refund")])
    return call_id
