"""A ledger is checked against the logs of the calls it was charged for."""

from typing import Any

from bench.accounts import Accounts, audit
from models.call import Call, CallStatus, CostBreakdown
from models.document import Id, new_id
from models.ledger import Entry, EntryKind
from tests.documents import NOW, a_call

ACCOUNT = new_id()
ALL_RIGHT = Accounts(held_micros=0, doubled=0, lost=0, unbalanced=0)


def over(cost: int, **fields: Any) -> Call:
    """A finished call."""
    return a_call(ACCOUNT, status=CallStatus.COMPLETED, ended_at=NOW, cost=CostBreakdown(stt=cost), **fields)


class Books:
    """Appends entries the way a writer does."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.add("top-up", "first", amount=1000)

    def add(
        self,
        kind: EntryKind,
        key: str,
        *,
        amount: int = 0,
        held: int = 0,
        call_id: Id | None = None,
    ) -> None:
        """The next entry."""
        last = self.entries[-1] if self.entries else None
        self.entries.append(
            Entry(
                created_at=NOW,
                updated_at=NOW,
                organization_id=ACCOUNT,
                number=len(self.entries) + 1,
                key=key,
                kind=kind,
                amount_micros=amount,
                held_micros=held,
                balance_micros=(last.balance_micros if last else 0) + amount,
                total_held_micros=(last.total_held_micros if last else 0) + held,
                call_id=call_id,
            )
        )

    def call(self, call: Call, cost: int) -> None:
        """A call from its hold to its charge."""
        self.add("hold", f"hold:{call.id}", held=50, call_id=call.id)
        self.add("settle", f"close:{call.id}", amount=-cost, held=-50, call_id=call.id)


def test_a_call_closed_once_for_its_cost_is_right() -> None:
    books, call = Books(), over(30)
    books.call(call, 30)
    assert audit(books.entries, [call]) == ALL_RIGHT


def test_a_call_that_is_not_closed_holds_and_lacks_an_entry() -> None:
    books, call = Books(), over(30)
    books.add("hold", f"hold:{call.id}", held=50, call_id=call.id)
    assert audit(books.entries, [call]) == Accounts(held_micros=50, doubled=0, lost=1, unbalanced=0)


def test_a_charge_that_is_not_the_logs_is_a_wrong_one() -> None:
    books, call = Books(), over(30)
    books.call(call, 29)
    assert audit(books.entries, [call]).lost == 1


def test_a_call_closed_twice_is_doubled() -> None:
    books, call = Books(), over(30)
    books.call(call, 30)
    books.add("settle", f"again:{call.id}", amount=-30, call_id=call.id)
    assert audit(books.entries, [call]).doubled == 1


def test_an_occasion_entered_twice_is_doubled() -> None:
    books = Books()
    books.add("top-up", "first", amount=1000)
    assert audit(books.entries, []).doubled == 1


def test_a_missing_number_is_a_lost_entry_and_breaks_the_sums() -> None:
    books, call = Books(), over(30)
    books.call(call, 30)
    del books.entries[0]
    assert audit(books.entries, [call]) == Accounts(held_micros=0, doubled=0, lost=1, unbalanced=2)


def test_a_live_call_may_hold() -> None:
    books, call = Books(), a_call(ACCOUNT, status=CallStatus.IN_PROGRESS)
    books.add("hold", f"hold:{call.id}", held=50, call_id=call.id)
    assert audit(books.entries, [call]).lost == 0


def test_what_is_wrong_is_shown() -> None:
    assert str(ALL_RIGHT) == "0/0"
    assert str(Accounts(0, 1, 2, 3)) == "1/2 (3 UNBALANCED)"
