"""What calls came to, and the variables they were placed with, as clients see them."""

from typing import Any

import pytest

from models.call import CampaignCall, Disposition
from models.document import Id, new_id
from tests.documents import NOW, a_call
from tests.resources.conftest import AGENT, Client

pytestmark = pytest.mark.integration

CONFIG = AGENT["config"]
TEXTS = {"prompt": "Sell {product} to {customer_name}.", "firstMessage": "Hello {customer_name}!"}


async def template(client: Client) -> str:
    body = {"name": "Thanks", "content": "Thank you for calling."}
    made: str = (await client.ask("POST", "/sms-templates", 201, json=body))["data"]["smsTemplate"]["rootId"]
    return made


async def order(client: Client, **fields: Any) -> dict[str, Any]:
    body = {"fromPhone": (await client.phone())["number"], "toPhone": "+919123456789"}
    return {**body, "agentId": await client.agent(), **fields}


async def placed(client: Client, **fields: Any) -> str:
    made = await client.ask("POST", "/calls/outbound", 201, json=await order(client, **fields))
    call_id: str = made["data"]["call"]["_id"]
    return call_id


async def shown(client: Client, call_id: str) -> dict[str, Any]:
    call: dict[str, Any] = (await client.ask("GET", f"/calls/{call_id}"))["data"]["call"]
    return call


async def refused(client: Client, method: str, path: str, body: Any) -> dict[str, str]:
    error = (await client.ask(method, path, 400, json=body))["error"]
    return {each["field"]: each["message"] for each in error["details"]["fields"]}


async def test_a_call_is_placed_with_variables(client: Client) -> None:
    variables = {"customer_name": "Asha", "product": "a loan"}
    call_id = await placed(client, agentId=await client.agent(**TEXTS), variables=variables)
    assert (await shown(client, call_id))["variables"] == variables
    stored = await client.house.stores.calls.by_id(call_id)
    assert (stored.agent_config.prompt, stored.agent_config.first_message) == ("Sell a loan to Asha.", "Hello Asha!")


async def test_a_call_without_variables_shows_none_and_keeps_its_texts(client: Client) -> None:
    call_id = await placed(client, agentId=await client.agent(**TEXTS))
    assert not {"variables", "campaign", "disposition"} & (await shown(client, call_id)).keys()
    assert (await client.house.stores.calls.by_id(call_id)).agent_config.prompt == TEXTS["prompt"]


async def test_a_variable_without_a_value_is_named(client: Client) -> None:
    body = await order(client, agentId=await client.agent(**TEXTS), variables={"product": "a loan"})
    problem = {"variables.customer_name": "{customer_name} has no value"}
    assert await refused(client, "POST", "/calls/outbound", body) == problem


@pytest.mark.parametrize(
    "variables", [{"no name": "x"}, {"1st": "x"}, {"a": 1}, {"a": None}, {"a": "x" * 2_001}, ["a"], {"a": ["x"]}]
)
async def test_variables_are_names_with_texts(client: Client, variables: Any) -> None:
    body = await order(client, variables=variables)
    assert all(field.startswith("variables") for field in await refused(client, "POST", "/calls/outbound", body))


async def test_variables_are_no_larger_than_a_call_can_keep(client: Client) -> None:
    body = await order(client, variables={f"v{n}": "x" * 2_000 for n in range(10)})
    assert (await refused(client, "POST", "/calls/outbound", body)).keys() == {"variables"}


async def test_a_listed_number_is_refused_by_its_field(client: Client) -> None:
    body = await order(client)
    await client.ask("POST", "/dnc", 201, json={"number": body["toPhone"], "reason": "Asked us not to"})
    assert await refused(client, "POST", "/calls/outbound", body) == {
        "toPhone": "The number is on the do-not-call list"
    }
    assert client.house.carrier.placed == []


async def test_what_a_call_came_to_is_said_shown_and_found(client: Client) -> None:
    call_id = await placed(client, agentId=await client.agent(dispositions=["interested", "call back"]))
    path = f"/calls/{call_id}/disposition"
    body = {"name": "call back", "notes": "On Monday"}
    call = (await client.ask("PATCH", path, json=body))["data"]["call"]
    assert call["disposition"].items() >= body.items()
    assert call["disposition"]["by"] == client.house.principal.user_id
    assert await shown(client, call_id) == call
    (listed,) = (await client.ask("GET", "/calls?disposition=call back"))["data"]["calls"]
    assert listed["disposition"] == call["disposition"]
    assert (await client.ask("GET", "/calls?disposition=interested"))["data"]["calls"] == []
    assert (await client.ask("PATCH", path, json={"name": " interested "}))["data"]["call"]["disposition"][
        "notes"
    ] == ""
    gone = (await client.ask("PATCH", path, json={"name": None}))["data"]["call"]
    assert "disposition" not in gone


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "name"), ({"name": "sold"}, "name"), ({"name": ""}, "name"), ({"name": "interested", "notes": 1}, "notes")],
)
async def test_a_wrong_word_is_named(client: Client, body: Any, field: str) -> None:
    call_id = await placed(client, agentId=await client.agent(dispositions=["interested"]))
    assert (await refused(client, "PATCH", f"/calls/{call_id}/disposition", body)).keys() == {field}


async def test_the_word_of_an_agent_has_no_user(client: Client) -> None:
    owner = client.house.principal.organization_id
    call = await client.house.stores.calls.insert(a_call(owner, disposition=Disposition(name="interested", at=NOW)))
    word = {"name": "interested", "notes": "", "at": "2026-01-15T10:30:00.000Z"}
    assert (await shown(client, call.id))["disposition"] == word
    await client.ask("PATCH", f"/calls/{call.id}/disposition", json={"name": "anything"})
    await client.become(await client.house.tenant())
    await client.ask("PATCH", f"/calls/{call.id}/disposition", 404, json={"name": "mine"})


async def test_a_campaigns_calls_are_found(client: Client) -> None:
    owner, campaign = client.house.principal.organization_id, new_id()
    attempt = CampaignCall(campaign_id=campaign, contact_id=Id("c"), attempt=2)
    call = await client.house.stores.calls.insert(a_call(owner, campaign=attempt))
    await client.house.stores.calls.insert(a_call(owner))
    (listed,) = (await client.ask("GET", f"/calls?campaignId={campaign}"))["data"]["calls"]
    assert (listed["_id"], listed["campaign"]) == (
        call.id,
        {"campaignId": campaign, "contactId": "c", "attempt": 2},
    )


async def test_an_agents_message_waits_for_words_it_has(client: Client) -> None:
    waiting = {"outcomes": ["answered"], "dispositions": ["sold"]}
    agent_id = await client.agent(smsAfter=waiting, dispositions=["sold"], smsTemplateId=await template(client))
    for config in ({"dispositions": ["lost"]}, {"smsAfter": {"dispositions": ["lost"]}}):
        problems = await refused(client, "PUT", f"/agents/{agent_id}", {"config": config})
        assert problems.keys() == {"config.smsAfter.dispositions"}
    both = {"dispositions": ["lost"], "smsAfter": {"dispositions": ["lost"]}}
    await client.ask("PUT", f"/agents/{agent_id}", json={"config": both})
    body = {"name": "Sales", "config": {**CONFIG, "smsAfter": waiting, "dispositions": ["lost"]}}
    assert (await refused(client, "POST", "/agents", body)).keys() == {"config.smsAfter.dispositions"}


async def test_an_agents_message_is_named(client: Client) -> None:
    rule = {"smsAfter": {"outcomes": ["busy"]}}
    problems = await refused(client, "POST", "/agents", {"name": "Sales", "config": {**CONFIG, **rule}})
    assert problems.keys() == {"config.smsTemplateId"}
    agent_id = await client.agent()
    assert (await refused(client, "PUT", f"/agents/{agent_id}", {"config": rule})).keys() == problems.keys()
    named = {"smsTemplateId": await template(client)}
    await client.ask("PUT", f"/agents/{agent_id}", json={"config": {**rule, **named}})
    unnamed = {"config": {"smsTemplateId": None}}
    assert (await refused(client, "PUT", f"/agents/{agent_id}", unnamed)).keys() == problems.keys()
