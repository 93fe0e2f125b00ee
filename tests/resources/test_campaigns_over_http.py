"""/campaigns as clients see it."""

import json
from typing import Any

import pytest

from models.call import CampaignCall
from models.campaign import CampaignStatus
from models.document import new_id
from serve_app.resources.campaigns import NewCampaign
from services.principal import Principal
from tests.documents import NOW, a_call
from tests.resources.conftest import Client
from tests.resources.test_odd_values import ODD, spoilt

pytestmark = pytest.mark.integration

RUNNING = CampaignStatus.RUNNING
RULES = {"timeZone": "Asia/Kolkata", "pacing": {"maxConcurrency": 8}, "startsOn": "2034-01-01", "startsAt": "09:30"}
CONTACTS = {"contacts": [{"number": "+919123456789"}, {"number": "+919123456780"}]}


async def order(client: Client, **fields: Any) -> dict[str, Any]:
    """The body of a campaign with a phone and an agent of its own."""
    phone, agent_id = await client.phone(), await client.agent()
    return {"name": "February", "agentId": agent_id, "fromPhone": phone["number"]} | fields


async def made(client: Client, **fields: Any) -> dict[str, Any]:
    """A draft just made, with two contacts."""
    answer = await client.ask("POST", "/campaigns", 201, json=await order(client, **fields))
    campaign: dict[str, Any] = answer["data"]["campaign"]
    await client.ask("POST", f"/campaigns/{campaign['_id']}/contacts", json=CONTACTS)
    return campaign


async def shown(client: Client, campaign: dict[str, Any]) -> dict[str, Any]:
    """The campaign as it is now."""
    now: dict[str, Any] = (await client.ask("GET", f"/campaigns/{campaign['_id']}"))["data"]["campaign"]
    return now


async def decided(client: Client, campaign: dict[str, Any], verb: str, status: int = 200, **request: Any) -> Any:
    """The answer to a decision."""
    return await client.ask("POST", f"/campaigns/{campaign['_id']}/{verb}", status, **request)


async def runs(client: Client, campaign: dict[str, Any]) -> None:
    """What its actor does."""
    store = client.house.stores.campaigns
    seen = await store.get(client.house.principal.organization_id, campaign["_id"])
    assert await store.become(seen, RUNNING, NOW, since=(CampaignStatus.SCHEDULED,)) is not None


async def test_a_draft_is_made_shown_and_listed(client: Client) -> None:
    asked = await order(client, description="Payments", rules=RULES)
    campaign = (await client.ask("POST", "/campaigns", 201, json=asked))["data"]["campaign"]
    assert {name: campaign[name] for name in ("name", "description", "agentId", "fromPhone", "status")} == {
        **{name: asked[name] for name in ("name", "description", "agentId", "fromPhone")},
        "status": "draft",
    }
    rules = campaign["rules"]
    assert (rules["startsOn"], rules["startsAt"], rules["pacing"]["maxConcurrency"]) == ("2034-01-01", "09:30", 8)
    assert (rules["pacing"]["callsPerMinute"], rules["windows"][0]["opens"], rules["requiresConsent"]) == (
        30, "09:00", True,
    )  # fmt: skip
    assert campaign["counters"] == {"contacts": {}, "finals": {}, "attempts": {}}
    assert not {"statusReason", "startedAt", "endedAt"} & campaign.keys()
    assert await shown(client, campaign) == campaign
    listed = (await client.ask("GET", "/campaigns"))["data"]
    assert listed["campaigns"] == [{name: value for name, value in campaign.items() if name != "history"}]


async def test_lists_are_filtered_and_paged(client: Client) -> None:
    first, second = await made(client), await made(client)
    await decided(client, second, "start")

    async def listed(query: str = "") -> list[str]:
        data = (await client.ask("GET", f"/campaigns{query}"))["data"]
        assert data["pagination"]["total"] >= len(data["campaigns"])
        return [each["_id"] for each in data["campaigns"]]

    assert await listed() == [second["_id"], first["_id"]]
    assert await listed("?status=draft&limit=1") == [first["_id"]]
    assert await listed(f"?agentId={second['agentId']}") == [second["_id"]]
    assert await listed("?status=running") == []
    await client.ask("GET", "/campaigns?status=begun", 400)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"name": ""}, "name"),
        ({"fromPhone": "nobody"}, "fromPhone"),
        ({"rules": {"timeZone": "Mars/Olympus"}}, "rules.timeZone"),
        ({"rules": {"pacing": {"maxConcurrency": 0}}}, "rules.pacing.maxConcurrency"),
        ({"rules": {"retries": {"busy": {"delayS": 1}}}}, "rules.retries.busy.delayS"),
        ({"rules": {"startsOn": "tomorrow"}}, "rules.startsOn"),
    ],
)
async def test_what_cannot_be_is_named(client: Client, fields: dict[str, Any], named: str) -> None:
    refusal = await client.ask("POST", "/campaigns", 400, json=await order(client, **fields))
    assert [each["field"] for each in refusal["error"]["details"]["fields"]] == [named]
    campaign = await made(client)
    refusal = await client.ask("PUT", f"/campaigns/{campaign['_id']}", 400, json=fields)
    assert [each["field"] for each in refusal["error"]["details"]["fields"]] == [named]


async def test_only_own_agents_and_phones_call(client: Client) -> None:
    asked = await order(client)
    for fields, noun in (({"agentId": new_id()}, "Agent"), ({"fromPhone": "+919800000000"}, "Phone")):
        refusal = await client.ask("POST", "/campaigns", 404, json=asked | fields)
        assert refusal["error"]["message"] == f"{noun} not found"


async def test_a_change_keeps_what_it_does_not_name(client: Client) -> None:
    campaign = await made(client, rules=RULES, description="Before")
    path = f"/campaigns/{campaign['_id']}"
    body = {"description": "After", "name": None, "rules": {"startsOn": None, "pacing": {"callsPerMinute": 6}}}
    changed = (await client.ask("PUT", path, json=body))["data"]["campaign"]
    assert (changed["name"], changed["description"]) == ("February", "After")
    assert (changed["rules"]["startsOn"], changed["rules"]["startsAt"]) == (None, "09:30")
    assert changed["rules"]["pacing"] == campaign["rules"]["pacing"] | {"callsPerMinute": 6}


async def test_from_the_start_to_the_end(client: Client) -> None:
    campaign = await made(client)
    started = (await decided(client, campaign, "start"))["data"]["campaign"]
    assert started["status"] == "scheduled"
    refusal = await decided(client, campaign, "pause", 409)
    assert refusal["error"]["message"] == "A campaign that is scheduled cannot be paused"
    await runs(client, campaign)
    paused = (await decided(client, campaign, "pause", json={"reason": "Sold out"}))["data"]["campaign"]
    assert (paused["status"], paused["statusReason"], paused["startedAt"]) == (
        "paused", "Sold out", "2026-01-15T10:30:00.000Z",
    )  # fmt: skip
    resumed = (await decided(client, campaign, "resume", json={}))["data"]["campaign"]
    assert "statusReason" not in resumed
    stopped = (await decided(client, campaign, "stop"))["data"]["campaign"]
    assert [change["status"] for change in stopped["history"]] == [
        "scheduled", "running", "paused", "running", "stopped",
    ]  # fmt: skip
    assert stopped["endedAt"] == stopped["history"][-1]["at"]
    for verb in ("start", "pause", "resume", "stop"):
        await decided(client, campaign, verb, 409)


async def test_a_start_names_everything_that_is_missing(client: Client) -> None:
    empty = (await client.ask("POST", "/campaigns", 201, json=await order(client)))["data"]["campaign"]
    refusal = await decided(client, empty, "start", 400)
    assert refusal["error"]["details"]["fields"] == [{"field": "contacts", "message": "The campaign has no contacts"}]
    campaign = await made(client)
    greeting = {"config": {"firstMessage": "Hello {customer_name}!"}}
    await client.ask("PUT", f"/agents/{campaign['agentId']}", json=greeting)
    refusal = await decided(client, campaign, "start", 400)
    assert refusal["error"]["details"]["fields"] == [
        {"field": "variables.customer_name", "message": "has no value in 2 of 2 contacts, such as in line 1, 2"}
    ]
    assert (await shown(client, campaign))["status"] == "draft"


async def test_a_draft_is_deleted_and_what_runs_is_not(client: Client) -> None:
    campaign, other = await made(client), await made(client)
    assert (await client.ask("DELETE", f"/campaigns/{campaign['_id']}"))["message"] == "Campaign deleted successfully"
    await client.ask("GET", f"/campaigns/{campaign['_id']}", 404)
    await decided(client, other, "start")
    refusal = await client.ask("DELETE", f"/campaigns/{other['_id']}", 409)
    assert refusal["error"]["message"] == "A campaign that is scheduled cannot be deleted"


async def test_the_calls_of_a_campaign_are_listed(client: Client) -> None:
    campaign, other = await made(client), await made(client)
    owner = client.house.principal.organization_id
    placed = [
        a_call(owner, campaign=CampaignCall(campaign_id=each["_id"], contact_id=new_id(), attempt=1))
        for each in (campaign, campaign, other)
    ]
    for call in placed:
        await client.house.stores.calls.insert(call)
    data = (await client.ask("GET", f"/campaigns/{campaign['_id']}/calls?limit=1"))["data"]
    assert [call["_id"] for call in data["calls"]] == [placed[1].id]
    assert data["pagination"]["total"] == 2


async def test_the_same_request_under_its_key_makes_one_campaign(client: Client) -> None:
    asked, key = await order(client), {"Idempotency-Key": new_id()}
    answers = [await client.ask("POST", "/campaigns", 201, json=asked, headers=key) for _ in range(2)]
    assert answers[0] == answers[1]
    assert (await client.ask("GET", "/campaigns"))["data"]["pagination"]["total"] == 1


async def test_nobody_sees_or_touches_another_tenants(client: Client) -> None:
    campaign = await made(client)
    path = f"/campaigns/{campaign['_id']}"
    [contact, _] = (await client.ask("GET", f"{path}/contacts"))["data"]["contacts"]
    await client.become(await client.house.tenant())
    routes: list[tuple[str, str, Any]] = [
        ("GET", path, None),
        ("PUT", path, {"name": "Mine"}),
        ("DELETE", path, None),
        ("GET", f"{path}/calls", None),
        ("GET", f"{path}/contacts", None),
        ("GET", f"{path}/contacts/{contact['_id']}", None),
        ("POST", f"{path}/contacts", CONTACTS),
        ("POST", f"{path}/contacts/import", None),
        *((("POST", f"{path}/{verb}", {})) for verb in ("start", "pause", "resume", "stop")),
    ]
    for method, place, body in routes:
        assert (await client.ask(method, place, 404, json=body))["error"]["message"] == "Campaign not found", place
    assert (await client.ask("GET", "/campaigns"))["data"]["campaigns"] == []


async def test_who_may_not_run_campaigns_may_look_only(client: Client) -> None:
    campaign = await made(client)
    for role in ("viewer", "agent"):
        await client.become(Principal(new_id(), client.house.principal.organization_id, role))
        await shown(client, campaign)
        await client.ask("GET", f"/campaigns/{campaign['_id']}/contacts")
        await client.ask("POST", "/campaigns", 403, json={})
        await decided(client, campaign, "start", 403)
        await client.ask("POST", f"/campaigns/{campaign['_id']}/contacts/import", 403)


def test_the_documented_example_is_an_order() -> None:
    (example,) = NewCampaign.model_json_schema()["examples"]
    asked = NewCampaign.model_validate(example)
    assert asked.rules.retries.no_answer.max_attempts == 2
    assert asked.rules.model_dump(by_alias=True)["holidays"] == ("2030-02-14",)


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_odd_values_are_answered(client: Client, method: str) -> None:
    body = await order(client, rules=RULES | {"windows": [{"days": ["monday"], "opens": "09:00", "closes": "10:00"}]})
    path = "/campaigns" if method == "POST" else f"/campaigns/{(await made(client))['_id']}"
    for odd in ODD:
        for content in spoilt(body, odd):
            response = await client.http.request(
                method, f"/api/v1{path}", content=json.dumps(content), headers={"Content-Type": "application/json"}
            )
            assert response.status_code < 500, (content, response.text)
