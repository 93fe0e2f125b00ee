"""What the ledger allows, without a database."""

from datetime import timedelta

import pytest
from hypothesis import given, settings, strategies as st

from actors.billing import book
from actors.billing.book import CallFunds, Funds, Movement
from models.document import Id, new_id
from models.errors import CallboardError, Conflict, InsufficientCredits, Invalid, NotFound
from models.ledger import Entry
from tests.documents import NOW

ACCOUNT = new_id()
CALL = new_id()


class Book:
    """An account on paper."""

    def __init__(self, balance: int = 0) -> None:
        self.entries: list[Entry] = []
        if balance:
            self.add(book.top_up("begin", balance, "", None))

    @property
    def funds(self) -> Funds:
        return Funds.after(self.entries[-1] if self.entries else None)

    def call(self, call_id: Id = CALL) -> CallFunds:
        return CallFunds.of([entry for entry in self.entries if entry.call_id == call_id])

    def add(self, movement: Movement | None) -> None:
        if movement is not None:
            self.entries.append(book.entry(ACCOUNT, self.funds, movement, NOW + timedelta(seconds=len(self.entries))))

    def hold(self, amount: int, call_id: Id = CALL) -> None:
        self.add(book.hold(self.funds, self.call(call_id), call_id, amount))

    def extend(self, total: int, call_id: Id = CALL) -> None:
        self.add(book.extend(self.funds, self.call(call_id), call_id, total))

    def close(self, cost: int, call_id: Id = CALL) -> None:
        self.add(book.close(self.call(call_id), call_id, cost))

    def refund(self, amount: int, key: str) -> None:
        self.add(book.refund(self.call(), CALL, key, amount, "sorry", new_id()))


def test_a_call_is_held_extended_and_settled() -> None:
    paper = Book(100)
    paper.hold(40)
    assert paper.funds == Funds(2, 100, 40)
    paper.extend(70)
    paper.extend(60)
    assert paper.funds == Funds(3, 100, 70)
    paper.close(55)
    assert paper.funds == Funds(4, 45, 0)
    assert [entry.kind for entry in paper.entries] == ["top-up", "hold", "extend", "settle"]


def test_a_call_that_cost_nothing_is_released() -> None:
    paper = Book(100)
    paper.hold(40)
    paper.close(0)
    assert (paper.funds, paper.entries[-1].kind) == (Funds(3, 100, 0), "release")


def test_every_word_counts_once() -> None:
    paper = Book(100)
    for _ in range(2):
        paper.hold(40)
    for _ in range(2):
        paper.extend(50)
    paper.close(30)
    paper.close(90)
    assert paper.funds == Funds(4, 70, 0)


def test_nobody_sets_aside_what_is_not_there() -> None:
    paper = Book(100)
    paper.hold(60)
    with pytest.raises(InsufficientCredits):
        paper.hold(60, new_id())
    with pytest.raises(InsufficientCredits):
        paper.extend(101)
    assert paper.funds == Funds(2, 100, 60)


def test_a_hold_that_comes_after_the_end_opens_nothing() -> None:
    paper = Book(100)
    paper.close(0)
    with pytest.raises(Conflict):
        paper.hold(10)
    with pytest.raises(InsufficientCredits):
        paper.extend(10)
    assert paper.funds.held == 0


def test_a_call_may_cost_more_than_it_held() -> None:
    paper = Book(100)
    paper.hold(100)
    paper.close(120)
    assert paper.funds == Funds(3, -20, 0)


def test_no_more_is_refunded_than_was_charged() -> None:
    paper = Book(100)
    with pytest.raises(NotFound):
        paper.refund(1, "a")
    paper.hold(40)
    paper.close(30)
    paper.refund(20, "a")
    with pytest.raises(Invalid):
        paper.refund(11, "b")
    paper.refund(10, "b")
    assert paper.funds == Funds(5, 100, 0)


@pytest.mark.parametrize("amount", [0, -1])
def test_credit_is_positive(amount: int) -> None:
    with pytest.raises(Invalid):
        book.top_up("a", amount, "", None)


CALLS = [new_id() for _ in range(3)]
STEPS = st.lists(
    st.tuples(st.sampled_from(["hold", "extend", "close"]), st.sampled_from(CALLS), st.integers(0, 200)), max_size=40
)


@settings(max_examples=200, deadline=None)
@given(balance=st.integers(0, 500), steps=STEPS)
def test_entries_always_add_up(balance: int, steps: list[tuple[str, Id, int]]) -> None:
    paper = Book(balance)
    for name, call_id, amount in steps:
        before = paper.funds
        try:
            getattr(paper, name)(amount, call_id)
        except CallboardError:
            assert paper.funds == before
        if name in ("hold", "extend") and paper.funds != before:
            assert paper.funds.available >= 0
    for call_id in CALLS:
        paper.close(0, call_id)
    entries = paper.entries
    assert paper.funds.held == 0
    assert paper.funds.balance == sum(entry.amount_micros for entry in entries)
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
    assert len({entry.key for entry in entries}) == len(entries)
