"""Whether a ledger is right: every call closed once, for what its log says, and balances what the entries add up to."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.call import Call
from models.document import Id
from models.ledger import Entry
from stores.ledger import Ledger

PAGE = 500
CLOSING = ("settle", "release")


@dataclass(frozen=True, slots=True)
class Accounts:
    """What is wrong; nothing is, when all of it is 0."""

    held_micros: int
    """Still set aside, although no call is live."""
    doubled: int
    """Entries too many."""
    lost: int
    """Entries that should be there, or do not say what the call's log says."""
    unbalanced: int
    """Entries whose balance is not the sum of all so far."""

    def __str__(self) -> str:
        return f"{self.doubled}/{self.lost}" + (f" ({self.unbalanced} UNBALANCED)" if self.unbalanced else "")


async def entries_of(ledger: Ledger, organization_id: Id) -> list[Entry]:
    """All entries of an account, oldest first."""
    found: list[Entry] = []
    while True:
        page = await ledger.search(organization_id, kind=None, call_id=None, page=len(found) // PAGE + 1, limit=PAGE)
        found += page.items
        if len(page.items) < PAGE:
            return found[::-1]


def audit(entries: Sequence[Entry], calls: Sequence[Call]) -> Accounts:
    """Compare an account's entries, oldest first, with the final logs of some of its calls."""
    keys = Counter(entry.key for entry in entries)
    closings = [_closings(entries, call) for call in calls if call.status.is_final]
    too_many = sum(max(0, len(found) - 1) for found, _ in closings)
    missing = sum(not found or found[-1].amount_micros != -cost for found, cost in closings)
    skipped = (entries[-1].number if entries else 0) - len(entries)
    return Accounts(
        held_micros=entries[-1].total_held_micros if entries else 0,
        doubled=sum(count - 1 for count in keys.values()) + too_many,
        lost=missing + max(0, skipped),
        unbalanced=sum(_unbalanced(entries)),
    )


def _closings(entries: Sequence[Entry], call: Call) -> tuple[list[Entry], int]:
    """What closed the call, and what it should have cost."""
    return [each for each in entries if each.call_id == call.id and each.kind in CLOSING], call.cost.total


def _unbalanced(entries: Sequence[Entry]) -> Iterator[bool]:
    balance = held = 0
    for entry in entries:
        balance, held = balance + entry.amount_micros, held + entry.held_micros
        yield (balance, held) != (entry.balance_micros, entry.total_held_micros)
