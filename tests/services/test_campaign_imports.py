"""Imports into campaigns: what is asked of contacts when, and what follows."""

import io
from typing import Any

import pytest

from models.campaign import Campaign, CampaignStatus
from models.document import new_id
from models.errors import Conflict, Invalid, NotFound
from services.campaign_imports import TOO_LATE
from services.campaigns import START, STOP, Plan
from services.contact_import.columns import Wanted
from services.contacts import ImportReport
from services.principal import Principal
from tests.documents import CONFIG, NOW, an_agent
from tests.services.conftest import House

pytestmark = pytest.mark.integration

GREETING = CONFIG.model_copy(update={"first_message": "Hello {customer_name}, at {mobile_no}!"})
FILE = "Mobile No.,Customer Name\n9876543210,Zoë\n9876543211,\n"


async def drafted(house: House) -> Campaign:
    """A draft whose agent greets people by their names."""
    number, _ = await house.line(house.principal)
    agent = await house.stores.agents.insert(an_agent(house.principal.organization_id, config=GREETING))
    plan = Plan(name="February", agent_id=agent.id, from_phone=number)
    return await house.services.campaigns.create(house.principal, plan, campaign_id=new_id(), now=NOW)


async def imported(house: House, campaign: Campaign, text: str, by: Principal | None = None) -> ImportReport:
    """What became of a file."""
    file, wanted = io.BytesIO(text.encode()), Wanted(region="IN")
    return await house.services.campaign_imports.import_(by or house.principal, campaign.id, file, "csv", wanted, NOW)


async def contacts(house: House, campaign: Campaign) -> list[Any]:
    return (await house.services.contacts.page(house.principal, campaign.id, state=None, page=1, limit=9)).items


async def test_a_draft_takes_everybody_and_variables_are_as_the_agent_spells_them(house: House) -> None:
    campaign = await drafted(house)
    report = await imported(house, campaign, FILE)
    assert (report.imported, report.bad) == (2, 0)
    assert [contact.variables for contact in await contacts(house, campaign)] == [
        {"mobile_no": "9876543210", "customer_name": "Zoë"},
        {"mobile_no": "9876543211", "customer_name": ""},
    ]
    stored = await house.services.campaigns.get(house.principal, campaign.id)
    assert (stored.counters.contacts, stored.news, house.campaign_hands.seen) == ({"pending": 2}, 0, [])
    [(event, payload)] = await house.heard(1)
    assert (event, payload["contacts"]["pending"]) == ("campaign:progress", 2)


async def test_what_has_begun_takes_those_only_who_have_all_that_is_needed(house: House) -> None:
    campaign = await drafted(house)
    await imported(house, campaign, "phone,mobile_no,customer_name\n9876543219,1,Al\n")
    started = await house.services.campaigns.decide(house.principal, campaign.id, START, NOW)
    house.campaign_hands.seen.clear()
    report = await imported(house, campaign, FILE)
    assert (report.imported, report.bad, report.reasons) == (1, 1, {"Empty: customer_name": 1})
    with pytest.raises(Invalid, match="Validation") as caught:
        await imported(house, campaign, "phone\n9876543212\n")
    assert caught.value.fields[0].message == "Missing columns: customer_name, mobile_no"
    stored = await house.services.campaigns.get(house.principal, campaign.id)
    assert (stored.news, house.campaign_hands.seen) == (started.news + 1, [campaign.id])
    assert stored.counters.contacts == {"pending": 2}


async def test_what_is_over_takes_nobody(house: House) -> None:
    campaign = await drafted(house)
    await imported(house, campaign, "phone,mobile_no,customer_name\n9876543219,1,Al\n")
    await house.services.campaigns.decide(house.principal, campaign.id, START, NOW)
    await house.services.campaigns.decide(house.principal, campaign.id, STOP, NOW)
    with pytest.raises(Conflict, match="A campaign that is stopped gets no more contacts"):
        await imported(house, campaign, FILE)


async def test_who_comes_when_the_campaign_is_just_over_is_not_left_waiting(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = await drafted(house)
    await imported(house, campaign, "phone,mobile_no,customer_name\n9876543219,1,Al\n")
    await house.services.campaigns.decide(house.principal, campaign.id, START, NOW)
    real = house.services.contacts.import_

    async def meanwhile(*args: Any) -> ImportReport:
        report = await real(*args)
        await house.services.campaigns.decide(house.principal, campaign.id, STOP, NOW)
        return report

    monkeypatch.setattr(type(house.services.contacts), "import_", lambda _, *args: meanwhile(*args))
    report = await imported(house, campaign, "phone,mobile_no,customer_name\n9876543210,1,Zoë\n")
    assert (report.imported, report.stopped) == (1, TOO_LATE)
    counted = await house.stores.contacts.counts(campaign.id)
    assert (counted.states, counted.finals) == ({"done": 2}, {"stopped": 2})
    assert (await house.services.campaigns.get(house.principal, campaign.id)).status is CampaignStatus.STOPPED


async def test_an_agent_that_is_gone_asks_for_nothing(house: House) -> None:
    campaign = await drafted(house)
    await house.stores.agents.delete(house.principal.organization_id, campaign.agent_id, NOW)
    assert (await imported(house, campaign, FILE)).imported == 2


async def test_nobody_imports_into_another_tenants(house: House) -> None:
    campaign, stranger = await drafted(house), await house.tenant()
    with pytest.raises(NotFound):
        await imported(house, campaign, FILE, by=stranger)
    assert await contacts(house, campaign) == []


async def test_a_contact_is_shown_in_its_own_campaign_only(house: House) -> None:
    campaign, other = await drafted(house), await drafted(house)
    await imported(house, campaign, FILE)
    [contact, _] = await contacts(house, campaign)
    assert await house.services.contacts.get(house.principal, campaign.id, contact.id) == contact
    with pytest.raises(NotFound):
        await house.services.contacts.get(house.principal, other.id, contact.id)
    with pytest.raises(NotFound):
        await house.services.contacts.get(await house.tenant(), campaign.id, contact.id)
