"""/campaigns, over HTTP and Socket.IO: nobody is called here, because it is never their time."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.campaign import WEEKDAYS
from models.settings import Settings
from tests.integration.product.contract.client import Client
from tests.integration.product.contract.document import CAMPAIGN, CONTACT, IMPORT, LISTED_CALL, page_of
from tests.integration.product.contract.shapes import Shape, assert_fits
from tests.integration.product.customer import Account, watch_campaign

pytestmark = pytest.mark.integration

ONE = Shape({"campaign": CAMPAIGN})
REPORT = Shape({"report": IMPORT})
PEOPLE = "mobile_no,customer_name,consent\n9123456789,Zoë,yes\n+91 91234 56789,Zoë,yes\n9123456780,,yes\n5,,\n".encode()


def in_three_days() -> dict[str, Any]:
    """Rules by which nobody is called today or tomorrow, wherever they are."""
    weekday = WEEKDAYS[(datetime.now(UTC) + timedelta(days=3)).weekday()]
    return {"windows": [{"days": [weekday], "opens": "09:00", "closes": "18:00"}], "pacing": {"maxConcurrency": 2}}


async def until(client: Client, campaign_id: str, status: str) -> dict[str, Any]:
    """The campaign once its actor has brought it there."""
    async with asyncio.timeout(20):
        while True:
            campaign = (await client.answer("GET", f"/campaigns/{campaign_id}", data=ONE))["campaign"]
            if campaign["status"] == status:
                return dict(campaign)
            await asyncio.sleep(0.1)


async def test_a_campaign_is_drafted_filled_started_watched_and_stopped(
    client: Client, platform: Settings, account: Account
) -> None:
    agent_id, phone = await client.agent(firstMessage="Hello {customer_name}!"), await client.phone()
    order = {"name": "Reminders", "agentId": agent_id, "fromPhone": phone["number"], "rules": in_three_days()}
    campaign_id = (await client.answer("POST", "/campaigns", order, status=201, data=ONE))["campaign"]["_id"]
    path = f"/campaigns/{campaign_id}"
    report = await uploaded(client, path)
    assert (report["imported"], report["duplicatesInFile"], report["bad"]) == (2, 1, 1)
    assert (await client.fields("POST", f"{path}/start")).keys() == {"variables.customer_name"}
    await client.answer("PUT", f"/agents/{agent_id}", {"config": {"firstMessage": "Hello!"}})
    await client.answer("POST", f"{path}/start", data=ONE)
    await until(client, campaign_id, "running")
    watcher = await watch_campaign(f"http://127.0.0.1:{platform.port}", account.access, campaign_id)
    await watcher.has_joined()
    paused = await client.answer("POST", f"{path}/pause", {"reason": "Lunch"}, data=ONE)
    assert (paused["campaign"]["status"], paused["campaign"]["statusReason"]) == ("paused", "Lunch")
    await client.refusal(409, "POST", f"{path}/pause")
    await client.answer("POST", f"{path}/resume", data=ONE)
    more = {"contacts": [{"number": "+919123400001", "consent": True}]}
    assert (await client.answer("POST", f"{path}/contacts", more, data=REPORT))["report"]["imported"] == 1
    await client.answer("PUT", path, {"rules": {"pacing": {"maxConcurrency": 3}}}, data=ONE)
    await client.answer("POST", f"{path}/stop", data=ONE)
    last = (await watcher.events())[-1]
    assert (last["event"], last["data"]["campaignId"], last["data"]["status"]) == (
        "campaign:progress", campaign_id, "stopped",
    )  # fmt: skip
    await until_done(client, path, 3)
    listed = page_of("contacts", CONTACT)
    people = (await client.answer("GET", f"{path}/contacts", data=listed))["contacts"]
    assert [(contact["state"], contact["final"]) for contact in people] == [("done", "stopped")] * 3
    one = await client.answer("GET", f"{path}/contacts/{people[0]['_id']}", data=Shape({"contact": CONTACT}))
    assert one["contact"] == people[0]
    assert (await client.answer("GET", f"{path}/calls", data=page_of("calls", LISTED_CALL)))["calls"] == []
    await until_gone(client, path)


async def uploaded(client: Client, path: str) -> dict[str, Any]:
    """What became of the people's file."""
    files = {"file": ("people.csv", PEOPLE, "text/csv")}
    answer = await client.send("POST", f"{path}/contacts/import", files=files, data={"region": "IN"})
    assert answer.status_code == 200, answer.text
    assert_fits(REPORT, answer.json()["data"])
    return dict(answer.json()["data"]["report"])


async def until_done(client: Client, path: str, people: int) -> None:
    """Until the campaign's actor has told off everybody who still waited."""
    async with asyncio.timeout(20):
        while (await client.answer("GET", path))["campaign"]["counters"]["contacts"] != {"done": people}:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def until_gone(client: Client, path: str) -> None:
    """Until nobody has anything to do for the campaign any more, and it can be deleted."""
    async with asyncio.timeout(20):
        while (await client.send("DELETE", path)).status_code == 409:  # noqa: ASYNC110 - it is in another process
            await asyncio.sleep(0.1)
    await client.refusal(404, "DELETE", path)
    await client.refusal(404, "GET", path)


async def test_another_tenant_finds_no_campaign(client: Client, stranger: Account) -> None:
    campaign = await client.campaign()
    path, other = f"/campaigns/{campaign['_id']}", Client(client.http, stranger.access)
    for method, place in (
        ("GET", path),
        ("GET", f"{path}/contacts"),
        ("GET", f"{path}/calls"),
        ("POST", f"{path}/start"),
        ("POST", f"{path}/contacts/import"),
        ("DELETE", path),
    ):
        await other.refusal(404, method, place)
    listed = await other.answer("GET", "/campaigns", data=page_of("campaigns", CAMPAIGN))
    assert listed["campaigns"] == []
    assert (await client.answer("GET", path))["campaign"]["status"] == "draft"
