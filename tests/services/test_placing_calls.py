"""What a call that is to be dialled needs, and what is refused before anything is stored or reserved."""

import asyncio
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from models.agent import AgentConfig
from models.call import Call, CallStatus, CampaignCall
from models.contact import DncEntry
from models.document import Id, new_id
from models.errors import DoNotCall, Invalid, Unavailable
from models.phone import Phone
from models.versioned import Prompt
from services.new_calls import NewCalls
from services.schedule_runner import ScheduleRunner
from stores.dnc import Dnc
from tests.documents import CONFIG, DATES, NOW, a_phone, an_agent
from tests.money import STEP
from tests.schedules import DUE
from tests.services.conftest import TO, House, place
from tests.services.firing import again, history, round_of, scheduled

pytestmark = pytest.mark.integration

PERSONAL = CONFIG.model_copy(
    update={"prompt": "Sell {product} to {customer_name}.", "first_message": "Hello {customer_name}!"}
)
VARIABLES = {"customer_name": "Asha", "product": "a loan"}


async def agent_of(house: House, config: AgentConfig) -> Id:
    owner = house.principal.organization_id
    return (await house.stores.agents.insert(an_agent(owner, config=config))).id


async def a_campaign_call(house: House, config: AgentConfig = PERSONAL, **fields: Any) -> Call:
    campaign = CampaignCall(campaign_id=new_id(), contact_id=new_id(), attempt=1)
    return await place(house, **({"agent_id": await agent_of(house, config), "campaign": campaign} | fields))


async def listed(house: House, owner: Id | None, number: str = TO) -> None:
    entry = DncEntry(**DATES, organization_id=owner, number=number, reason="asked", added_by=new_id())
    await house.stores.dnc.insert(entry)


async def assert_nothing_happened(house: House) -> None:
    assert (house.carrier.placed, house.actors.asked) == ([], [])
    assert await house.held() == 0
    assert (await house.services.calls.page(house.principal)).total == 0


async def test_a_campaigns_call_has_its_variables_in_its_own_texts(house: House) -> None:
    call = await a_campaign_call(house, variables={**VARIABLES, "unused": ""})
    stored = await house.services.calls.get(house.principal, call.id)
    assert stored.agent_config.prompt == "Sell a loan to Asha."
    assert stored.agent_config.first_message == "Hello Asha!"
    assert stored.variables == {**VARIABLES, "unused": ""}
    agent = await house.stores.agents.get(house.principal.organization_id, call.agent_id)
    assert agent.config == PERSONAL
    assert stored.campaign is not None
    others = await a_campaign_call(house, variables=VARIABLES)
    page = await house.services.calls.page(house.principal, campaign_id=stored.campaign.campaign_id)
    assert ([found.id for found in page.items], page.total) == ([call.id], 1)
    assert others.campaign is not None


async def test_the_variables_go_into_the_version_of_a_prompt(house: House) -> None:
    prompts = house.services.prompts
    made = await prompts.create(house.principal, name="Sales", body=Prompt(content="Ask {name} to pay."), now=NOW)
    config = CONFIG.model_copy(update={"prompt_id": made.head.id})
    call = await place(house, agent_id=await agent_of(house, config), variables={"name": "Asha"})
    assert call.agent_config.prompt == "Ask Asha to pay."


@pytest.mark.parametrize("variables", [None, {}, {"customer_name": "Asha", "product": " "}])
async def test_a_campaigns_call_without_a_value_is_refused_before_anything(
    house: House, variables: dict[str, str] | None
) -> None:
    with pytest.raises(Invalid) as refused:
        await a_campaign_call(house, variables=variables)
    assert "variables.product" in [each.field for each in refused.value.fields]
    await assert_nothing_happened(house)


async def test_a_single_call_that_brings_variables_has_to_bring_all(house: House) -> None:
    agent_id = await agent_of(house, PERSONAL)
    with pytest.raises(Invalid) as refused:
        await place(house, agent_id=agent_id, variables={"product": "a loan"})
    assert [each.field for each in refused.value.fields] == ["variables.customer_name"]
    await assert_nothing_happened(house)


@pytest.mark.parametrize("variables", [None, {}])
async def test_a_single_call_without_variables_keeps_its_braces(house: House, variables: dict[str, str] | None) -> None:
    call = await place(house, agent_id=await agent_of(house, PERSONAL), variables=variables)
    assert (call.agent_config, call.variables, call.campaign) == (PERSONAL, {}, None)


@pytest.mark.parametrize("scope", ["organization", "global"])
async def test_a_listed_number_is_not_dialled(house: House, scope: str) -> None:
    number = a_phone(house.principal.organization_id).number
    await listed(house, house.principal.organization_id if scope == "organization" else None, number)
    with pytest.raises(DoNotCall) as refused:
        await place(house, to_phone=number)
    assert [each.field for each in refused.value.fields] == ["toPhone"]
    await assert_nothing_happened(house)


async def test_another_organizations_list_is_its_own(house: House) -> None:
    await listed(house, (await house.tenant()).organization_id)
    assert (await place(house)).to_phone == TO


async def test_without_the_list_nothing_is_dialled(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> set[str]:
        raise AutoReconnect("connection closed")

    monkeypatch.setattr(Dnc, "blocked", away)
    with pytest.raises(Unavailable):
        await place(house)
    await assert_nothing_happened(house)


async def test_a_schedule_whose_number_is_listed_fails_and_says_so(house: House) -> None:
    number, _ = await house.line(house.principal)
    agent_id = await agent_of(house, CONFIG)
    schedule = await scheduled(house, from_phone=number, to_phone=TO, agent_id=agent_id)
    await listed(house, house.principal.organization_id)
    await round_of(house, ScheduleRunner(house.stores, house.services.calls), DUE)
    after = await again(house, schedule)
    assert (after.status, after.reason) == ("failed", "The number is on the do-not-call list")
    (told,) = await history(house, schedule)
    assert (told.outcome, told.reason) == ("failed", after.reason)
    assert house.carrier.placed == []


async def test_a_schedule_without_a_value_says_which_is_missing(house: House) -> None:
    number, _ = await house.line(house.principal)
    fields = {"from_phone": number, "to_phone": TO, "agent_id": await agent_of(house, PERSONAL)}
    lacking = await scheduled(house, **fields, variables={"product": "a loan"})
    whole = await scheduled(house, **fields, variables=VARIABLES)
    await round_of(house, ScheduleRunner(house.stores, house.services.calls), DUE)
    assert (await again(house, lacking)).reason == "{customer_name} has no value"
    assert (await again(house, whole)).status == "done"
    assert len(house.carrier.placed) == 1


async def test_many_attempts_with_one_id_at_once_dial_once(house: House) -> None:
    number, _ = await house.line(house.principal)
    agent_id, call_id = await agent_of(house, CONFIG), new_id()
    fields = {"from_phone": number, "agent_id": agent_id, "call_id": call_id}
    calls = await asyncio.gather(*(place(house, **fields) for _ in range(12)))
    assert {(call.id, call.session_id) for call in calls} == {(call_id, calls[0].session_id)}
    assert len(house.carrier.placed) == 1
    # The others have given back what they had, and taken nothing from the call that was made.
    assert house.actors.reserved == {calls[0].session_id}
    assert await house.held() == STEP


async def test_who_comes_after_the_end_of_the_other_attempts_call_gets_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, _ = await house.line(house.principal)
    fields = {"from_phone": number, "agent_id": await agent_of(house, CONFIG), "call_id": new_id()}
    really = NewCalls.outbound

    async def overtaken(self: NewCalls, *asked: Any) -> tuple[Call, Phone]:
        monkeypatch.undo()
        other = await place(house, **fields)
        await house.services.calls.end(house.principal, other.session_id, "user_requested", NOW)
        return await really(self, *asked)

    monkeypatch.setattr(NewCalls, "outbound", overtaken)
    call = await place(house, **fields)
    assert (call.id, call.status) == (fields["call_id"], CallStatus.CANCELED)
    assert (len(house.carrier.placed), house.actors.reserved) == (1, set())
    assert (await house.balance(), await house.held()) == (1_000_000, 0)
