"""The rules of the ledger: from an account's last entry and a call's entries to the next entry. Pure.

Nothing here is remembered between requests: what an account has, and what a call holds, is what their entries say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from models.document import Id, new_id
from models.errors import Conflict, FieldError, InsufficientCredits, Invalid, NotFound
from models.ledger import Entry, EntryKind


@dataclass(frozen=True, slots=True)
class Movement:
    """What is to be added to an account. `amount` moves the balance, `held` what is set aside; micro-credits."""

    kind: EntryKind
    key: str
    amount: int = 0
    held: int = 0
    call_id: Id | None = None
    reason: str = ""
    by: Id | None = None


@dataclass(frozen=True, slots=True)
class Funds:
    """An account after its last entry; without entries, the zeros."""

    number: int = 0
    balance: int = 0
    held: int = 0

    @classmethod
    def after(cls, last: Entry | None) -> "Funds":
        """What an account's last entry says."""
        return cls() if last is None else cls(last.number, last.balance_micros, last.total_held_micros)

    @property
    def available(self) -> int:
        """What can be spent or set aside."""
        return self.balance - self.held


@dataclass(frozen=True, slots=True)
class CallFunds:
    """What one call's entries come to."""

    held: int = 0
    charged: int = 0
    refunded: int = 0
    is_opened: bool = False
    is_closed: bool = False

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> "CallFunds":
        """The sums, and whether the call has begun and ended."""
        kinds = {entry.kind for entry in entries}
        return cls(
            held=sum(entry.held_micros for entry in entries),
            charged=-sum(entry.amount_micros for entry in entries if entry.kind == "settle"),
            refunded=sum(entry.amount_micros for entry in entries if entry.kind == "refund"),
            is_opened="hold" in kinds,
            is_closed=bool(kinds & {"settle", "release"}),
        )


def hold(funds: Funds, call: CallFunds, call_id: Id, amount: int) -> Movement | None:
    """Set aside what a call begins with; None: it is. Raises InsufficientCredits, and Conflict after the call's end."""
    if call.is_closed:
        raise Conflict("Call is already over")
    if call.is_opened:
        return None
    if funds.available < amount:
        raise InsufficientCredits("Insufficient credits")
    return Movement("hold", f"hold:{call_id}", held=amount, call_id=call_id)


def extend(funds: Funds, call: CallFunds, call_id: Id, total: int) -> Movement | None:
    """Bring what the call holds up to `total`; None: it holds that much. Raises InsufficientCredits.

    A call without a hold, or over, has nothing to extend and may not spend: that is InsufficientCredits too.
    """
    missing = total - call.held
    if call.is_closed or not call.is_opened or (missing > 0 and funds.available < missing):
        raise InsufficientCredits("Insufficient credits")
    if missing <= 0:
        return None
    # The total names the occasion: repeated it is the same entry, and a later one has a higher total.
    return Movement("extend", f"extend:{call_id}:{total}", held=missing, call_id=call_id)


def close(call: CallFunds, call_id: Id, cost: int) -> Movement | None:
    """Charge a call's final cost and let go of its hold in one entry; None: it is closed.

    Also without a hold: the entry then keeps a hold that comes too late from opening the call.
    """
    if call.is_closed:
        return None
    kind: EntryKind = "settle" if cost > 0 else "release"
    return Movement(kind, f"close:{call_id}", amount=-max(0, cost), held=-call.held, call_id=call_id)


def top_up(key: str, amount: int, reason: str, by: Id | None) -> Movement:
    """Add credit. Raises Invalid unless `amount` is positive."""
    return Movement("top-up", f"top-up:{key}", amount=_positive(amount), reason=reason, by=by)


def refund(call: CallFunds, call_id: Id, key: str, amount: int, reason: str, by: Id) -> Movement:
    """Give back some of a charge. Raises NotFound for a call that was not charged, Invalid beyond what it was."""
    if call.charged <= 0:
        raise NotFound("The call was not charged")
    if _positive(amount) > call.charged - call.refunded:
        raise Invalid(fields=[FieldError("amount", "Must not exceed what is left of the call's charge")])
    return Movement("refund", refund_key(key), amount=amount, call_id=call_id, reason=reason, by=by)


def refund_key(key: str) -> str:
    """The ledger's key of a refund."""
    return f"refund:{key}"


def entry(organization_id: Id, funds: Funds, movement: Movement, now: datetime) -> Entry:
    """The account's next entry. It can be stored only if no other entry took its number meanwhile."""
    return Entry(
        id=new_id(),
        created_at=now,
        updated_at=now,
        created_by=movement.by,
        organization_id=organization_id,
        number=funds.number + 1,
        key=movement.key,
        kind=movement.kind,
        amount_micros=movement.amount,
        held_micros=movement.held,
        balance_micros=funds.balance + movement.amount,
        total_held_micros=funds.held + movement.held,
        call_id=movement.call_id,
        reason=movement.reason,
    )


def _positive(amount: int) -> int:
    if amount <= 0:
        raise Invalid(fields=[FieldError("amount", "Must be positive")])
    return amount
