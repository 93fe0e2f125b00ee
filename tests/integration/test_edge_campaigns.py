"""Dashboards that watch campaigns, on two replicas that share nothing but Redis and the store."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import socketio

from models.campaign import Campaign, CampaignStatus
from models.document import new_id
from serve_app.wiring import utc_now
from services.campaign_events import progress
from services.campaigns import STOP
from services.principal import Principal
from tests.campaigns import a_campaign, a_contact
from tests.integration.dashboards import Told, somebody, somebodys_token, two_replicas, until
from tests.integration.edge import Replica

pytestmark = pytest.mark.integration

replicas = pytest.fixture(two_replicas)
token = pytest.fixture(somebodys_token)


async def whose(replica: Replica, token: str) -> Principal:
    return await replica.edge.services.auth.authenticate(token, utc_now())


async def a_campaign_of(replica: Replica, token: str, **fields: Any) -> Campaign:
    """A campaign of the token's organization, with a contact."""
    principal = await whose(replica, token)
    campaign = a_campaign(principal.organization_id, status=CampaignStatus.RUNNING, **fields)
    await replica.repositories.contacts.insert_batch([a_contact(campaign, 1)])
    return await replica.repositories.campaigns.insert(campaign)


async def nudged(replica: Replica, campaign: Campaign, by: Principal) -> None:
    """Something is told of the campaign."""
    await replica.edge.services.campaigns.update(by, campaign.id, {"description": new_id()}, utc_now())


@asynccontextmanager
async def a_dashboard(replica: Replica, auth: Any = None) -> AsyncIterator[tuple[socketio.AsyncClient, Told]]:
    """A connected client, and what it is told of campaigns."""
    told: Told = []
    client = socketio.AsyncClient(reconnection=False)
    for name in ("progress", "error"):
        client.on(f"campaign:{name}", lambda payload, name=name: told.append((name, payload)))
    await client.connect(replica.url(), auth=auth, transports=["websocket"])
    try:
        yield client, told
    finally:
        await client.disconnect()


async def test_who_joins_is_told_where_it_stands_and_what_comes(replicas: tuple[Replica, Replica], token: str) -> None:
    one, other = replicas
    campaign = await a_campaign_of(one, token)
    async with a_dashboard(other, {"token": token}) as (client, told):
        assert await client.call("campaign:join", {"campaignId": campaign.id}) == {"success": True}
        await until(lambda: len(told) == 1)
        assert told[0][0] == "progress"
        assert (told[0][1]["status"], told[0][1]["contacts"]) == ("running", {"pending": 1, "dialing": 0, "done": 0})
        await one.edge.services.campaigns.decide(await whose(one, token), campaign.id, STOP, utc_now(), reason="Over")
        await until(lambda: len(told) == 2)
        assert (told[1][1]["campaignId"], told[1][1]["status"], told[1][1]["reason"]) == (
            campaign.id,
            "stopped",
            "Over",
        )
        assert told[1][1].keys() == progress(campaign, utc_now()).keys()


async def test_the_token_of_the_join_wins_over_that_of_the_connection(
    replicas: tuple[Replica, Replica], token: str
) -> None:
    campaign = await a_campaign_of(replicas[0], token)
    async with a_dashboard(replicas[0], {"token": "nonsense"}) as (client, told):
        assert not (await client.call("campaign:join", {"campaignId": campaign.id}))["success"]
        assert (await client.call("campaign:join", {"campaignId": campaign.id, "token": token}))["success"]
        await until(lambda: len(told) == 2)
    assert [name for name, _ in told] == ["error", "progress"]


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (None, "VALIDATION_ERROR"),
        ({}, "VALIDATION_ERROR"),
        ({"campaignId": 5}, "VALIDATION_ERROR"),
        ({"campaignId": "x" * 65}, "VALIDATION_ERROR"),
        ({"campaignId": new_id()}, "NOT_FOUND"),
        ({"campaignId": new_id(), "token": "x"}, "UNAUTHORIZED"),
    ],
)
async def test_what_cannot_be_joined_is_said(
    replicas: tuple[Replica, Replica], token: str, payload: Any, code: str
) -> None:
    async with a_dashboard(replicas[0], {"token": token}) as (client, told):
        answer = await client.call("campaign:join", payload)
        await until(lambda: len(told) == 1)
    assert (answer["success"], answer["error"]["code"]) == (False, code)
    assert told[0][1]["error"] == answer["error"]


async def test_nobody_watches_another_tenants_campaign_or_one_without_a_token(
    replicas: tuple[Replica, Replica], token: str
) -> None:
    one = replicas[0]
    campaign = await a_campaign_of(one, token)
    strangers, _ = await somebody(one)
    async with a_dashboard(one) as (client, told):
        for credentials, code in (({}, "UNAUTHORIZED"), ({"token": strangers}, "NOT_FOUND")):
            answer = await client.call("campaign:join", {"campaignId": campaign.id, **credentials})
            assert answer["error"]["code"] == code
        await nudged(one, campaign, await whose(one, token))
        await asyncio.sleep(0.2)
    assert [name for name, _ in told] == ["error", "error"]


async def test_after_leaving_nothing_more_is_told(replicas: tuple[Replica, Replica], token: str) -> None:
    one = replicas[0]
    campaign, other = await a_campaign_of(one, token), await a_campaign_of(one, token)
    async with a_dashboard(one, {"token": token}) as (client, told):
        for each in (campaign, other):
            await client.call("campaign:join", {"campaignId": each.id})
        assert await client.call("campaign:leave", {"campaignId": campaign.id}) == {"success": True}
        for each in (campaign, other):
            await nudged(one, each, await whose(one, token))
        await until(lambda: len(told) == 3)
    assert [payload["campaignId"] for _, payload in told] == [campaign.id, other.id, other.id]


async def test_who_has_logged_out_is_shown_out(replicas: tuple[Replica, Replica], token: str) -> None:
    one = replicas[0]
    campaign = await a_campaign_of(one, token)
    async with a_dashboard(one, {"token": token}) as (client, told):
        await client.call("campaign:join", {"campaignId": campaign.id})
        await one.edge.realtime.check()
        principal = await whose(one, token)
        await one.edge.services.auth.logout(principal, everywhere=False, now=utc_now())
        await one.edge.realtime.check()
        await nudged(one, campaign, principal)
        await until(lambda: len(told) == 2)
        await one.edge.realtime.check()
        await asyncio.sleep(0.2)
    assert [name for name, _ in told] == ["progress", "error"]
    assert (told[1][1]["campaignId"], told[1][1]["error"]["code"]) == (campaign.id, "UNAUTHORIZED")


async def test_who_cannot_be_told_where_it_stands_is_not_let_in(
    replicas: tuple[Replica, Replica], token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = replicas[0]
    campaign = await a_campaign_of(one, token)

    async def broken(*_: Any) -> None:
        raise RuntimeError("a bug")

    async with a_dashboard(one, {"token": token}) as (client, told):
        with monkeypatch.context() as patch:
            patch.setattr(type(one.edge.services.campaigns), "counted", broken)
            answer = await client.call("campaign:join", {"campaignId": campaign.id})
        assert answer["error"] == {"code": "INTERNAL_ERROR", "message": "Something went wrong"}
        await nudged(one, campaign, await whose(one, token))
        await asyncio.sleep(0.2)
    assert [name for name, _ in told] == ["error"]


async def test_a_client_that_has_gone_is_asked_after_no_more(replicas: tuple[Replica, Replica], token: str) -> None:
    one = replicas[0]
    campaign = await a_campaign_of(one, token)
    async with a_dashboard(one, {"token": token}) as (client, _):
        await client.call("campaign:join", {"campaignId": campaign.id})
    await until(lambda: not one.edge.realtime._campaigns._joined)
