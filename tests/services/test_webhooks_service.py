"""The rules around webhook endpoints."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from models.document import new_id
from models.errors import Conflict, Invalid, NotFound
from models.settings import Settings
from models.webhook import WebhookEndpoint
from services.webhooks import Change
from stores.webhooks import MOST
from tests.documents import NOW
from tests.services import webhook_shop
from tests.services.webhook_shop import HOOK, Shop

pytestmark = pytest.mark.integration


@pytest.fixture
async def shop(settings: Settings) -> AsyncIterator[Shop]:
    """An empty one."""
    async with webhook_shop.opened(settings) as shop:
        yield shop


async def create(shop: Shop, **fields: Any) -> tuple[WebhookEndpoint, str]:
    own: dict[str, Any] = {
        "name": "CRM",
        "url": HOOK,
        "events": ("call.ended",),
        "secret": None,
        "is_active": True,
        "now": NOW,
    }
    return await shop.service.create(shop.principal, **(own | fields))


async def test_a_secret_is_made_up_and_kept_encrypted(shop: Shop) -> None:
    endpoint, secret = await create(shop)
    assert secret.startswith("whsec_")
    assert secret != (await create(shop))[1]
    stored = await shop.service.get(shop.principal, endpoint.id)
    assert secret not in stored.model_dump_json()
    assert shop.secrets.open(stored.encrypted_secret) == secret


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/x", "http://192.168.0.1/", "http://localhost:8000/", "https://u:p@example.com/", "ftp://x/"],
)
async def test_addresses_that_can_only_be_wrong_are_refused(shop: Shop, url: str) -> None:
    with pytest.raises(Invalid) as refused:
        await create(shop, url=url)
    assert [each.field for each in refused.value.fields] == ["url"]
    endpoint, _ = await create(shop)
    with pytest.raises(Invalid):
        await shop.service.update(shop.principal, endpoint.id, Change(url=url), NOW)


async def test_there_is_a_limit(shop: Shop) -> None:
    for _ in range(MOST):
        await create(shop)
    with pytest.raises(Conflict):
        await create(shop)


async def test_an_update_changes_what_it_names(shop: Shop) -> None:
    endpoint, _ = await create(shop)
    change = Change(name="New", secret="another-key", events=("call.ended", "call.ended"))
    changed = await shop.service.update(shop.principal, endpoint.id, change, NOW + timedelta(hours=1))
    assert (changed.name, changed.url, changed.events) == ("New", HOOK, ("call.ended",))
    assert shop.secrets.open(changed.encrypted_secret) == "another-key"
    assert changed.since == NOW


@pytest.mark.parametrize("change", [Change(events=("call.started", "call.ended")), Change(is_active=True)])
async def test_who_subscribes_to_more_or_is_on_again_is_told_from_then_on(shop: Shop, change: Change) -> None:
    endpoint, _ = await create(shop, is_active=change.is_active is None)
    later = NOW + timedelta(hours=1)
    assert (await shop.service.update(shop.principal, endpoint.id, change, later)).since == later


async def test_switching_on_again_forgets_the_failures(shop: Shop) -> None:
    endpoint, _ = await create(shop)
    await shop.stores.webhooks.note_failure(endpoint, NOW - timedelta(days=2))
    off = await shop.stores.webhooks.give_up(endpoint.id, NOW, timedelta(days=1))
    assert off is not None
    assert await shop.stores.webhooks.give_up(endpoint.id, NOW, timedelta(days=1)) is None
    on = await shop.service.update(shop.principal, endpoint.id, Change(is_active=True), NOW)
    assert (on.is_active, on.failing_since, on.disabled_at) == (True, None, None)


async def test_nothing_is_replayed_while_it_is_off_or_under_way(shop: Shop) -> None:
    endpoint = await shop.endpoint(events=("call.initiated",))
    await shop.events.happened(await shop.call(), shop.now)
    (pending,) = (
        await shop.service.log(shop.principal, endpoint.id, status="pending", event=None, page=1, limit=10)
    ).items
    with pytest.raises(Conflict, match="under way"):
        await shop.service.replay(shop.principal, endpoint.id, pending.id, NOW)
    await shop.service.update(shop.principal, endpoint.id, Change(is_active=False), NOW)
    with pytest.raises(Conflict, match="switched off"):
        await shop.service.replay(shop.principal, endpoint.id, pending.id, NOW)
    with pytest.raises(Conflict, match="switched off"):
        await shop.service.replay_dead(shop.principal, endpoint.id, NOW)


async def test_another_organization_finds_nothing(shop: Shop) -> None:
    endpoint = await shop.endpoint(events=("call.initiated",))
    attempt = await shop.service.test(shop.principal, endpoint.id, NOW)
    assert attempt.is_success
    mine = await shop.service.log(shop.principal, endpoint.id, status=None, event=None, page=1, limit=10)
    stranger = replace(shop.principal, organization_id=new_id())
    other = await shop.service_with(shop.receiver).create(
        stranger, name="X", url=HOOK, events=("call.ended",), secret=None, is_active=True, now=NOW
    )
    service, asked = shop.service, len(shop.receiver.got)
    refused = (
        service.get(stranger, endpoint.id),
        service.update(stranger, endpoint.id, Change(name="Taken"), NOW),
        service.delete(stranger, endpoint.id, NOW),
        service.test(stranger, endpoint.id, NOW),
        service.log(stranger, endpoint.id, status=None, event=None, page=1, limit=10),
        service.replay(stranger, endpoint.id, mine.items[0].id, NOW),
        service.replay(stranger, other[0].id, mine.items[0].id, NOW),
        service.replay_dead(stranger, endpoint.id, NOW),
    )
    for attempt_of_theirs in refused:
        with pytest.raises(NotFound):
            await attempt_of_theirs
    assert len(shop.receiver.got) == asked


async def test_a_delivery_is_replayed_only_as_its_own_endpoints(shop: Shop) -> None:
    one, two = await shop.endpoint(), await shop.endpoint()
    await shop.service.test(shop.principal, one.id, NOW)
    (tested,) = (await shop.service.log(shop.principal, one.id, status=None, event=None, page=1, limit=10)).items
    with pytest.raises(NotFound):
        await shop.service.replay(shop.principal, two.id, tested.id, NOW)
    assert (await shop.service.replay(shop.principal, one.id, tested.id, NOW)).status == "pending"


async def test_every_change_is_in_the_audit_log_without_secrets(shop: Shop) -> None:
    endpoint, secret = await create(shop)
    await shop.service.update(shop.principal, endpoint.id, Change(secret="another-key", url=HOOK + "/2"), NOW)
    await shop.service.replay_dead(shop.principal, endpoint.id, NOW)
    await shop.service.delete(shop.principal, endpoint.id, NOW)
    found = await shop.stores.audit.search(shop.principal.organization_id, subject_id=endpoint.id, page=1, limit=50)
    assert {each.action for each in found.items} == {
        f"webhook.{verb}" for verb in ("create", "update", "replay", "delete")
    }
    assert not {secret, "another-key", HOOK} & {str(value) for each in found.items for value in each.details.values()}
