"""The role of whoever keeps the credit ledger. Services know no more of it than this; `actors/billing` plays it."""

from datetime import datetime
from typing import Protocol

from models.document import Id
from models.ledger import Entry


class Credit(Protocol):
    """Moves money. Everything is idempotent: by the call, or by the key of what is credited.

    Amounts are micro-credits. Any method may raise CreditUnavailable (503) while the ledger's writer restarts.
    """

    async def hold(self, organization_id: Id, call_id: Id, now: datetime) -> None:
        """Set aside what a minute of a call may cost, before the call is; raises InsufficientCredits."""

    async def extend(self, organization_id: Id, call_id: Id, total_micros: int, now: datetime) -> bool:
        """Raise what is set aside for a live call to `total_micros` in all; False: the account cannot cover it."""

    async def close(self, organization_id: Id, call_id: Id, cost_micros: int, now: datetime) -> None:
        """The call is over: charge what it cost and let go of its hold. The first word counts."""

    async def top_up(
        self, organization_id: Id, key: str, amount_micros: int, *, reason: str, by: Id | None, now: datetime
    ) -> Entry:
        """Add credit; the same key again gives the entry that was made."""

    async def refund(
        self, organization_id: Id, key: str, call_id: Id, amount_micros: int, *, reason: str, by: Id, now: datetime
    ) -> Entry:
        """Give back some of what a call was charged; raises Invalid beyond that, and NotFound for an uncharged call."""
