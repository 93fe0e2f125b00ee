"""What keeps a campaign from starting, over the real database."""

from datetime import date, timedelta
from typing import Any

import pytest

from models.agent import AgentConfig, SmsAfter
from models.campaign import Campaign, CampaignRules, CampaignStatus
from models.conversation import Voicemail
from models.document import Id, new_id
from models.errors import Invalid
from models.settings import Settings
from models.versioned import Prompt, SmsTemplate
from services.campaign_checks import CampaignChecks
from stores.contact_gaps import ContactGaps
from stores.mongo import connect, database
from tests.campaigns import a_campaign, a_contact
from tests.documents import CONFIG, NOW, a_phone, an_agent
from tests.services.conftest import House

pytestmark = pytest.mark.integration

GREETING = CONFIG.model_copy(update={"first_message": "Hello {customer_name}!"})


async def checked(house: House, settings: Settings, campaign: Campaign) -> dict[str, str]:
    """What is wrong with a campaign, by field."""
    async with connect(settings) as client:
        checks = CampaignChecks(house.stores, ContactGaps(database(client, settings)))
        try:
            await checks.require_ready(campaign, NOW)
        except Invalid as error:
            return {each.field: each.message for each in error.fields}
    return {}


async def ready(house: House, config: AgentConfig = CONFIG, **fields: Any) -> Campaign:
    """A draft with an agent, a phone, and a contact whose name is known; `fields` replace its own."""
    organization_id = house.principal.organization_id
    agent = await house.stores.agents.insert(an_agent(organization_id, config=config))
    phone = await house.stores.phones.insert(a_phone(organization_id))
    campaign = a_campaign(organization_id, **({"agent_id": agent.id, "from_phone": phone.number} | fields))
    await house.stores.contacts.insert_batch([a_contact(campaign, 1, {"customer_name": "Zoë"})])
    return campaign


async def change(house: House, kind: str, document_id: Id, **fields: Any) -> None:
    """Change a stored agent or phone."""
    await getattr(house.stores, kind).change(house.principal.organization_id, document_id, fields, NOW)


async def test_a_campaign_with_everything_may_start(house: House, settings: Settings) -> None:
    assert await checked(house, settings, await ready(house, GREETING)) == {}


async def test_everything_that_is_gone_is_named_at_once(house: House, settings: Settings) -> None:
    over = CampaignRules(ends_on=(NOW - timedelta(days=1)).date())
    campaign = await ready(house, agent_id=new_id(), from_phone="+15550001", rules=over)
    assert await checked(house, settings, campaign) == {
        "rules.endsOn": "The campaign's last day is over",
        "fromPhone": "There is no such phone any more",
        "agentId": "There is no such agent any more",
    }


async def test_agent_and_phone_have_to_be_active(house: House, settings: Settings) -> None:
    campaign = await ready(house)
    phone = await house.stores.phones.by_number(campaign.organization_id, campaign.from_phone)
    await change(house, "agents", campaign.agent_id, isActive=False)
    await change(house, "phones", phone.id, status="inactive")
    assert await checked(house, settings, campaign) == {
        "agentId": "The agent is inactive",
        "fromPhone": "The phone is inactive",
    }


async def test_another_tenants_agent_is_none(house: House, settings: Settings) -> None:
    stranger = await house.stores.agents.insert(an_agent(new_id()))
    assert await checked(house, settings, await ready(house, agent_id=stranger.id)) == {
        "agentId": "There is no such agent any more"
    }


async def test_the_last_day_is_over_by_the_campaigns_own_clock(house: House, settings: Settings) -> None:
    # It is 10:30 on the 15th in Greenwich.
    for zone, ends_on, is_over in (
        ("Pacific/Kiritimati", 15, True),
        ("Pacific/Pago_Pago", 14, False),
        ("UTC", 15, False),
    ):
        rules = CampaignRules(time_zone=zone, ends_on=date(2026, 1, ends_on))
        found = await checked(house, settings, await ready(house, rules=rules))
        assert bool(found) is is_over, zone


async def test_a_draft_without_contacts_calls_nobody(house: House, settings: Settings) -> None:
    campaign = await ready(house)
    empty = campaign.model_copy(update={"id": new_id()})
    assert await checked(house, settings, empty) == {"contacts": "The campaign has no contacts"}
    paused = empty.model_copy(update={"status": CampaignStatus.PAUSED})
    assert await checked(house, settings, paused) == {}


async def test_each_variable_of_every_text_is_needed(house: House, settings: Settings) -> None:
    texts = {
        "prompt": "You remind people of {amount}, and of {customer_name} again.",
        "first_message": "Hello {customer_name}!",
        "voicemail": Voicemail(message="Call us about {reference}"),
    }
    campaign = await ready(house, CONFIG.model_copy(update=texts))
    others = [{"customer_name": "Al", "amount": "5", "reference": "R"}, {"customer_name": "", "amount": "5"}]
    await house.stores.contacts.insert_batch([a_contact(campaign, at, of) for at, of in enumerate(others, start=2)])
    assert await checked(house, settings, campaign) == {
        "variables.amount": "has no value in 1 of 3 contacts, such as in line 1",
        "variables.customer_name": "has no value in 1 of 3 contacts, such as in line 3",
        "variables.reference": "has no value in 2 of 3 contacts, such as in line 1, 3",
    }


async def test_a_text_message_is_needed_where_one_may_be_sent(house: House, settings: Settings) -> None:
    services, owner = house.services, house.principal
    body = SmsTemplate(content="Dear {customer_name}, {amount} is due.")
    template = await services.sms_templates.create(owner, name="Due", body=body, now=NOW)
    config = CONFIG.model_copy(update={"sms_template_id": template.head.id})
    assert await checked(house, settings, await ready(house, config)) == {}
    sending = config.model_copy(update={"sms_after": SmsAfter(outcomes=("no-answer",))})
    assert (await checked(house, settings, await ready(house, sending))).keys() == {"variables.amount"}


async def test_the_prompt_is_the_version_that_calls_are_made_with(house: House, settings: Settings) -> None:
    services, owner = house.services, house.principal
    body = Prompt(content="You speak with {nobody_knows}.")
    prompt = await services.prompts.create(owner, name="Reminder", body=body, now=NOW)
    campaign = await ready(house, CONFIG.model_copy(update={"prompt_id": prompt.head.id}))
    assert (await checked(house, settings, campaign)).keys() == {"variables.nobody_knows"}


async def test_more_variables_than_a_file_has_columns_are_never_there(house: House, settings: Settings) -> None:
    prompt = " ".join(f"{{v{at}}}" for at in range(201))
    found = await checked(house, settings, await ready(house, CONFIG.model_copy(update={"prompt": prompt})))
    assert found == {"agentId": "The agent's texts use more than 200 variables"}
