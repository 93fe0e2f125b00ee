"""A fault of our own in what one call owes, against the real database."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from models.call import Call
from models.settings import Settings
from models.webhook import Event
from services import webhook_rules
from tests.services import webhook_shop
from tests.services.webhook_shop import Shop, events_of

pytestmark = pytest.mark.integration


@pytest.fixture
async def shop(settings: Settings) -> AsyncIterator[Shop]:
    """An empty one."""
    async with webhook_shop.opened(settings) as shop:
        yield shop


async def test_a_fault_in_what_one_call_owes_holds_up_no_other(shop: Shop, monkeypatch: Any) -> None:
    await shop.endpoint(events=("call.initiated",))
    odd, other = await shop.call(), await shop.call()
    owed = webhook_rules.owed_events

    def broken(call: Call) -> list[Event]:
        if call.id == odd.id:
            raise KeyError("a fault of ours")
        return list(owed(call))

    monkeypatch.setattr(webhook_rules, "owed_events", broken)
    await shop.events.happened(odd, shop.now)
    await shop.events.sweep(shop.now)
    await shop.runner.drain()
    assert [each.id for each in shop.receiver.taken] == events_of(other.id, "call.initiated")
    assert [each.id for each in await shop.stores.calls.untold(10)] == [odd.id]
