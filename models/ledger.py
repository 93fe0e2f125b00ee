"""The credit ledger: append-only entries per account (an organization), each with the account's state after it."""

from typing import Literal

from models.document import Document, Id

EntryKind = Literal["top-up", "refund", "hold", "extend", "settle", "release"]


class Entry(Document):
    """One movement. Sums over an account's entries are its balance and what it holds.

    `number` counts an account's entries from 1 without gaps and is unique within it, which makes appending a
    compare-and-set: two writers that both read entry n cannot both add n + 1. `key` is unique within the account too
    and names the occasion, so a repeated request finds its entry instead of making another.
    """

    organization_id: Id
    number: int
    key: str
    kind: EntryKind
    amount_micros: int
    """Changes the balance: credit is positive, charges are negative, holds are 0."""
    held_micros: int
    """Changes what is set aside: holds are positive, settlement and release negative."""
    balance_micros: int
    """The balance after this entry: the cache, with the number it includes."""
    total_held_micros: int
    """What is set aside after this entry."""
    call_id: Id | None = None
    reason: str = ""

    @property
    def available_micros(self) -> int:
        """What can be spent after this entry."""
        return self.balance_micros - self.total_held_micros
