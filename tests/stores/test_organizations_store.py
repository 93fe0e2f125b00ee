"""Credit against the real database."""

import asyncio
import random

import pytest

from models.document import Id, new_id
from models.errors import InsufficientCredits
from stores.repositories import Repositories
from tests.documents import NOW

pytestmark = pytest.mark.integration


async def test_charging_follows_the_running_total(stores: Repositories, organization_id: Id) -> None:
    call_id = new_id()
    await stores.organizations.open_charge(organization_id, call_id, NOW)
    charges = [100, 100, 250, 200, 250]
    balances = [await stores.organizations.charge(organization_id, call_id, total, NOW) for total in charges]
    assert balances == [900, 900, 750, 750, 750]
    assert (await stores.organizations.fetch(organization_id)).charged == {call_id: 250}


async def test_a_charge_after_settlement_does_not_charge_again(stores: Repositories, organization_id: Id) -> None:
    call_id = new_id()
    await stores.organizations.open_charge(organization_id, call_id, NOW)
    await stores.organizations.charge(organization_id, call_id, 300, NOW)
    assert await stores.organizations.settle(organization_id, call_id, 400, NOW) == 600
    assert await stores.organizations.settle(organization_id, call_id, 400, NOW) == 600
    assert await stores.organizations.charge(organization_id, call_id, 500, NOW) == 600
    assert (await stores.organizations.fetch(organization_id)).charged == {}


async def test_a_call_that_was_never_opened_is_not_charged(stores: Repositories, organization_id: Id) -> None:
    assert await stores.organizations.charge(organization_id, new_id(), 500, NOW) == 1000


async def test_concurrent_charges_in_any_order_add_up(stores: Repositories, organization_id: Id) -> None:
    calls = [new_id() for _ in range(5)]
    for call_id in calls:
        await stores.organizations.open_charge(organization_id, call_id, NOW)
    charges = [(call_id, total) for call_id in calls for total in range(0, 101, 10)] * 2
    random.Random(7).shuffle(charges)
    await asyncio.gather(*(stores.organizations.charge(organization_id, *charge, NOW) for charge in charges))
    await asyncio.gather(*(stores.organizations.settle(organization_id, call_id, 110, NOW) for call_id in calls * 2))
    left = await stores.organizations.fetch(organization_id)
    assert (left.balance_micros, left.charged) == (1000 - 5 * 110, {})


async def test_an_empty_account_opens_no_call(stores: Repositories, organization_id: Id) -> None:
    call_id = new_id()
    await stores.organizations.open_charge(organization_id, call_id, NOW)
    assert await stores.organizations.charge(organization_id, call_id, 1000, NOW) == 0
    with pytest.raises(InsufficientCredits):
        await stores.organizations.open_charge(organization_id, new_id(), NOW)
    assert await stores.organizations.credit(organization_id, 5, NOW) == 5
    await stores.organizations.open_charge(organization_id, new_id(), NOW)
