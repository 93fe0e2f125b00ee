"""Accounts with money in them."""

from actors.billing.rating import Prices, hold_step
from actors.billing.writer import LedgerWriter
from models.document import Id, new_id
from models.settings import Settings
from stores.repositories import Repositories
from tests.documents import NOW

STEP = hold_step(Prices.of(Settings(_env_file=None)))
"""What a call begins with at the default prices."""


def a_writer(stores: Repositories) -> LedgerWriter:
    """The ledger's writer, in this process."""
    return LedgerWriter(stores.ledger, stores.holds, STEP)


async def fund(stores: Repositories, organization_id: Id, amount_micros: int) -> None:
    """Give an organization credit."""
    if amount_micros:
        await a_writer(stores).top_up(organization_id, new_id(), amount_micros, reason="test", by=None, now=NOW)


async def state(stores: Repositories, organization_id: Id) -> tuple[int, int]:
    """The balance and what is set aside, in micro-credits."""
    last = await stores.ledger.last(organization_id)
    return (0, 0) if last is None else (last.balance_micros, last.total_held_micros)
