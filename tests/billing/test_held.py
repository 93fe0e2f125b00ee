"""The sum of what accounts hold, from the entries alone."""

from actors.billing.held import Held
from models.document import Id, new_id
from models.ledger import Entry
from tests.documents import DATES


def entry(account: Id, total_held: int) -> Entry:
    return Entry(
        **DATES,
        organization_id=account,
        number=1,
        key="key",
        kind="hold",
        amount_micros=0,
        held_micros=0,
        balance_micros=0,
        total_held_micros=total_held,
    )


def test_accounts_add_up_and_each_counts_as_it_is_now() -> None:
    held, one, other = Held(), new_id(), new_id()
    assert [held.after(entry(*step)) for step in ((one, 100), (other, 50), (one, 30), (other, 0), (one, 0))] == [
        100,
        150,
        80,
        30,
        0,
    ]


def test_an_account_first_seen_with_calls_under_way_counts_whole() -> None:
    held = Held()
    assert held.after(entry(new_id(), 900)) == 900
