"""Agents and phones: rules, and walls between organizations."""

from dataclasses import replace
from typing import Any

import pytest

from models.document import new_id
from models.errors import Conflict, Invalid, NotFound, ProviderError
from services.permissions import ROLES
from tests.documents import CONFIG, NOW, a_phone
from tests.services.conftest import CREDENTIALS, House

pytestmark = pytest.mark.integration


async def test_an_agent_with_live_calls_is_kept(house: House) -> None:
    number, phone_id = await house.line(house.principal)
    [listed] = (await house.services.phones.page(house.principal, status=None, page=1, limit=9)).items
    agent_id = listed.phone.agent_id or ""
    assert listed.agent_name == "Sales Agent"
    call = await house.services.calls.place_outbound(
        house.principal, from_phone=number, to_phone="+919123456789", agent_id=agent_id, metadata={}, now=NOW
    )
    with pytest.raises(Conflict, match="active calls"):
        await house.services.agents.delete(house.principal, agent_id, NOW)
    await house.services.calls.end(house.principal, call.session_id, "done", NOW)
    agent, figures = await house.services.agents.get(house.principal, agent_id)
    assert (figures.calls, figures.over, figures.completed) == (1, 1, 0)
    copy = await house.services.agents.duplicate(house.principal, agent.id, name=None, now=NOW)
    assert (copy.name, copy.config) == ("Copy of Sales Agent", agent.config)
    await house.services.agents.delete(house.principal, agent_id, NOW)
    assert (await house.stores.phones.by_id(phone_id)).agent_id is None


async def test_an_edit_leaves_calls_as_they_were(house: House) -> None:
    number, _ = await house.line(house.principal)
    agent = await house.services.agents.create(house.principal, name="A", config=CONFIG, now=NOW)
    call = await house.services.calls.place_outbound(
        house.principal, from_phone=number, to_phone="+919123456789", agent_id=agent.id, metadata={}, now=NOW
    )
    patch = {"prompt": "A completely different prompt."}
    await house.services.agents.update(house.principal, agent.id, name=None, config=patch, now=NOW)
    assert (await house.services.calls.get(house.principal, call.id)).agent_config == CONFIG


async def test_credentials_are_sealed_and_the_key_is_shown_masked(house: House) -> None:
    await house.line(house.principal)
    phone = await house.stores.phones.newest(house.principal.organization_id)
    assert phone is not None
    stored = phone.model_dump_json()
    assert CREDENTIALS.api_key not in stored
    assert CREDENTIALS.api_token not in stored


async def test_a_number_must_be_one_and_is_imported_once(house: House) -> None:
    wanted: dict[str, Any] = {"country": "IN", "credentials": CREDENTIALS, "now": NOW}
    with pytest.raises(Invalid):
        await house.services.phones.import_number(house.principal, number="call me", **wanted)
    number = a_phone(new_id()).number
    spaced = f"{number[:3]} {number[3:8]} {number[8:]}"
    imported = await house.services.phones.import_number(house.principal, number=spaced, **wanted)
    assert imported.phone.number == number
    with pytest.raises(Conflict):
        await house.services.phones.import_number(await house.tenant(), number=number, **wanted)


async def test_what_happens_to_a_phone_is_on_record(house: House) -> None:
    number, phone_id = await house.line(house.principal)
    phones, audit = house.services.phones, house.services.audit
    tagged = await phones.tag(house.principal, phone_id, ["sales"], NOW)
    assert (tagged.agent_name, tagged.phone.tags) == ("Sales Agent", ["sales"])
    freed = await phones.assign_agent(house.principal, phone_id, None, NOW)
    assert (freed.agent_name, freed.phone.agent_id) == (None, None)
    await phones.delete(house.principal, phone_id, NOW)
    with pytest.raises(NotFound):
        await phones.delete(house.principal, phone_id, NOW)
    wanted: dict[str, Any] = {"subject_id": None, "user_id": None, "since": None, "before": None}
    found = await audit.page(house.principal, subject="phone", page=1, limit=9, **wanted)
    assert sorted(record.action for record in found.items) == [
        "phone.assign-agent",
        "phone.assign-agent",
        "phone.delete",
        "phone.import",
        "phone.tag",
    ]
    assert {record.subject_id for record in found.items} == {phone_id}
    assert number not in str(found.items)
    stored = await house.stores.phones._rows.find_one({"_id": phone_id})
    assert stored is not None
    assert (stored["createdBy"], stored["modifiedBy"]) == (house.principal.user_id, house.principal.user_id)


async def test_a_carrier_that_refuses_the_account_stops_the_import_and_an_outage_does_not(house: House) -> None:
    wanted: dict[str, Any] = {"country": "IN", "credentials": CREDENTIALS, "now": NOW}
    number = a_phone(new_id()).number
    house.carrier.account_problem = Invalid("Exotel does not accept the API key and token")
    with pytest.raises(Invalid) as caught:
        await house.services.phones.import_number(house.principal, number=number, **wanted)
    [refused] = caught.value.fields
    assert (refused.field, refused.message) == ("exotelConfig", "Exotel does not accept the API key and token")
    house.carrier.account_problem = ProviderError("down", provider="exotel", retryable=True)
    await house.services.phones.import_number(house.principal, number=number, **wanted)
    asked = len(house.carrier.checked)
    for wrong in ("call me", number):
        with pytest.raises((Invalid, Conflict)):
            await house.services.phones.import_number(house.principal, number=wrong, **wanted)
    assert len(house.carrier.checked) == asked == 2


async def test_a_number_given_up_may_be_anybodys(house: House) -> None:
    number, phone_id = await house.line(house.principal)
    await house.services.phones.delete(house.principal, phone_id, NOW)
    stranger = await house.tenant()
    again = await house.services.phones.import_number(
        stranger, number=number, country="IN", credentials=CREDENTIALS, now=NOW
    )
    assert again.phone.id != phone_id


async def test_nothing_of_ours_is_anybody_elses(house: House) -> None:
    _, phone_id = await house.line(house.principal)
    agent = await house.services.agents.create(house.principal, name="A", config=CONFIG, now=NOW)
    stranger = await house.tenant()
    theirs = await house.services.agents.create(stranger, name="B", config=CONFIG, now=NOW)
    agents, phones = house.services.agents, house.services.phones
    for attempt in (
        agents.get(stranger, agent.id),
        agents.update(stranger, agent.id, name="Mine", config=None, now=NOW),
        agents.delete(stranger, agent.id, NOW),
        agents.duplicate(stranger, agent.id, name=None, now=NOW),
        phones.assign_agent(stranger, phone_id, theirs.id, NOW),
        phones.assign_agent(house.principal, phone_id, theirs.id, NOW),
        phones.tag(stranger, phone_id, ["mine"], NOW),
        phones.delete(stranger, phone_id, NOW),
    ):
        with pytest.raises(NotFound):
            await attempt


async def test_only_those_who_may_change_phones_see_where_their_calls_are_announced(house: House) -> None:
    await house.line(house.principal)
    viewer = replace(house.principal, role="viewer", permissions=ROLES["viewer"])
    [shown] = (await house.services.phones.page(house.principal, status=None, page=1, limit=9)).items
    [hidden] = (await house.services.phones.page(viewer, status=None, page=1, limit=9)).items
    assert shown.incoming_url is not None
    assert hidden.incoming_url is None
