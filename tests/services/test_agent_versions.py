"""What agents point at: refused when it is not there, copied when a call is made."""

from typing import Any

import pytest

from models.call import Versions
from models.conversation import TurnTaking
from models.document import new_id
from models.errors import Invalid
from models.versioned import Prompt, SessionSettings, SmsTemplate
from providers.roles import IncomingCall
from services.agent_versions import AgentVersions
from services.call_addresses import CallAddresses, WebhookKey
from tests.documents import CONFIG, NOW
from tests.services.conftest import TO, House

pytestmark = pytest.mark.integration

NOWHERE = {"promptId": new_id(), "sessionSettingsId": new_id(), "smsTemplateId": new_id()}


async def test_an_agent_points_at_what_its_organization_has(house: House) -> None:
    theirs = await house.services.prompts.create(
        await house.tenant(), name="Theirs", body=Prompt(content="Say nothing else."), now=NOW
    )
    agents = house.services.agents
    for prompt_id in (theirs.head.id, theirs.version.id):
        config = CONFIG.model_copy(update={"prompt_id": prompt_id})
        with pytest.raises(Invalid) as refused:
            await agents.create(house.principal, name="A", config=config, now=NOW)
        assert [(each.field, each.message) for each in refused.value.fields] == [
            ("config.promptId", "Prompt not found")
        ]
    agent = await agents.create(house.principal, name="A", config=CONFIG, now=NOW)
    with pytest.raises(Invalid) as refused:
        await agents.update(house.principal, agent.id, name="B", config=NOWHERE, now=NOW)
    assert [each.field for each in refused.value.fields] == [f"config.{name}" for name in NOWHERE]
    assert (await house.stores.agents.get(house.principal.organization_id, agent.id)).name == "A"


async def test_an_agent_that_points_at_nothing_talks_as_it_says(house: House) -> None:
    versions = AgentVersions(house.stores)
    assert await versions.resolve(house.principal.organization_id, CONFIG) == (CONFIG, None)


async def test_a_call_is_made_with_the_active_versions(house: House) -> None:
    mine, services = house.principal, house.services
    prompt = await services.prompts.create(mine, name="P", body=Prompt(content="Remind them kindly."), now=NOW)
    body = SessionSettings(language="hi", turn_taking=TurnTaking(end_ms=700))
    settings = await services.session_settings.create(mine, name="S", body=body, now=NOW)
    sms = await services.sms_templates.create(mine, name="T", body=SmsTemplate(content="Dear {name}"), now=NOW)
    references: dict[str, Any] = {
        "prompt_id": prompt.head.id,
        "session_settings_id": settings.head.id,
        "sms_template_id": sms.version.id,
    }
    config = CONFIG.model_copy(update=references)
    update: dict[str, Any] = {"name": None, "activate": True, "now": NOW}
    newer = await services.prompts.update(mine, prompt.head.id, patch={"content": "Remind them firmly."}, **update)
    await services.sms_templates.update(mine, sms.head.id, patch={"content": "Hello {name}"}, **update)

    made, versions = await AgentVersions(house.stores).resolve(mine.organization_id, config)
    copied = {"prompt": "Remind them firmly.", "language": "hi", "turn_taking": TurnTaking(end_ms=700)}
    assert made == config.model_copy(update=copied)
    assert versions == Versions(
        prompt_id=newer.version.id, session_settings_id=settings.version.id, sms_template_id=sms.version.id
    )


async def test_a_version_is_kept_to_when_the_agent_names_it(house: House) -> None:
    mine, prompts = house.principal, house.services.prompts
    first = await prompts.create(mine, name="P", body=Prompt(content="Remind them kindly."), now=NOW)
    await prompts.update(
        mine, first.head.id, name=None, patch={"content": "Remind them firmly."}, activate=True, now=NOW
    )
    config = CONFIG.model_copy(update={"prompt_id": first.version.id})
    made, versions = await AgentVersions(house.stores).resolve(mine.organization_id, config)
    assert (made.prompt, versions) == ("Remind them kindly.", Versions(prompt_id=first.version.id))


async def test_what_is_gone_is_left_out(house: House) -> None:
    mine = house.principal
    sms = await house.services.sms_templates.create(mine, name="T", body=SmsTemplate(content="Hello"), now=NOW)
    config = CONFIG.model_copy(update={"prompt_id": new_id(), "sms_template_id": sms.head.id})
    made, versions = await AgentVersions(house.stores).resolve(mine.organization_id, config)
    assert (made.prompt, versions) == (CONFIG.prompt, Versions(sms_template_id=sms.version.id))


async def test_each_call_keeps_the_versions_it_was_made_with(house: House) -> None:
    mine, prompts = house.principal, house.services.prompts
    first = await prompts.create(mine, name="P", body=Prompt(content="Remind them kindly."), now=NOW)
    number, phone_id = await house.line(mine)
    phone = await house.stores.phones.by_id(phone_id)
    agent_id = phone.agent_id or ""
    pointed = {"promptId": first.head.id}
    await house.services.agents.update(mine, agent_id, name=None, config=pointed, now=NOW)
    order: dict[str, Any] = {"from_phone": number, "to_phone": TO, "agent_id": agent_id, "metadata": {}, "now": NOW}
    made = await house.services.calls.place_outbound(mine, **order)
    second = await prompts.update(
        mine, first.head.id, name=None, patch={"content": "Remind them firmly."}, activate=True, now=NOW
    )
    key = WebhookKey("phone", phone_id, CallAddresses(house.settings).incoming(phone_id).rpartition("token=")[2])
    incoming = IncomingCall(carrier_call_id=new_id(), from_number=TO, to_number=number)
    received = await house.services.calls.receive_incoming(key, incoming, NOW)
    logged = [await house.services.calls.get(mine, call.id) for call in (made, received)]
    ran_with = (await house.stores.agents.get(mine.organization_id, agent_id)).version_id
    assert [call.versions for call in logged] == [
        Versions(agent_version_id=ran_with, prompt_id=first.version.id),
        Versions(agent_version_id=ran_with, prompt_id=second.version.id),
    ]
    assert [call.agent_config.prompt for call in logged] == ["Remind them kindly.", "Remind them firmly."]
