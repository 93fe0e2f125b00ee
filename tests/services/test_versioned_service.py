"""Prompts, session settings and templates of text messages: their rules."""

import asyncio
from typing import Any

import pytest

from models.conversation import TurnTaking
from models.document import new_id
from models.errors import Conflict, Invalid, NotFound
from models.versioned import Prompt, SessionSettings, SmsTemplate
from services.principal import Principal
from services.versioned_kinds import PATIENT, STANDARD
from stores.versioned import Entry
from tests.documents import CONFIG, NOW
from tests.services.conftest import House

pytestmark = pytest.mark.integration

FIRST = Prompt(content="Remind them kindly.")


async def made(house: House, name: str = "Reminder") -> Entry[Prompt]:
    return await house.services.prompts.create(house.principal, name=name, body=FIRST, now=NOW)


async def updated(house: House, any_id: str, content: str, **fields: Any) -> Entry[Prompt]:
    wanted: dict[str, Any] = {"name": None, "activate": True, "now": NOW}
    return await house.services.prompts.update(house.principal, any_id, patch={"content": content}, **(wanted | fields))


async def test_each_update_is_a_version_of_its_own(house: House) -> None:
    first = await made(house)
    second = await updated(house, first.head.id, "Remind them firmly.")
    third = await updated(house, first.version.id, "Remind them twice.", name="Twice")
    assert [each.version.version for each in (first, second, third)] == [1, 2, 3]
    assert [each.version.previous_id for each in (first, second, third)] == [None, first.version.id, first.version.id]
    assert {each.head.id for each in (first, second, third)} == {first.version.root_id}
    assert (second.version.name, third.version.name, third.head.name) == ("Reminder", "Twice", "Twice")
    assert (await house.services.prompts.get(house.principal, first.head.id)).version == third.version
    assert (await house.services.prompts.get(house.principal, first.version.id)).version.body == FIRST
    assert first.version.created_by == house.principal.user_id


async def test_a_version_is_made_active_and_the_newest_again(house: House) -> None:
    first = await made(house)
    second = await updated(house, first.head.id, "Remind them firmly.")
    back = await house.services.prompts.activate(house.principal, first.version.id, NOW)
    assert (back.version.id, back.is_active) == (first.version.id, True)
    again = await house.services.prompts.activate(house.principal, first.head.id, NOW)
    assert (again.version.id, again.is_active) == (second.version.id, True)


async def test_changes_are_audited_without_their_words(house: House) -> None:
    first = await made(house)
    await updated(house, first.head.id, "Remind them firmly.", activate=False)
    await house.services.prompts.activate(house.principal, first.head.id, NOW)
    await house.services.prompts.delete(house.principal, first.version.id, NOW)
    seen = await house.services.audit.page(
        house.principal,
        subject="prompt",
        subject_id=first.head.id,
        user_id=None,
        since=None,
        before=None,
        page=1,
        limit=9,
    )
    assert {record.action for record in seen.items} == {
        "prompt.create",
        "prompt.update",
        "prompt.activate",
        "prompt.delete",
    }
    (update,) = [record for record in seen.items if record.action == "prompt.update"]
    assert (update.details["version"], update.details["isActive"]) == (2, False)
    assert "firmly" not in str(seen.items)


async def test_nothing_of_another_organization_is_found(house: House) -> None:
    entry = await made(house)
    stranger = await house.tenant()
    prompts = house.services.prompts
    for any_id in (entry.head.id, entry.version.id):
        for asked in (
            prompts.get(stranger, any_id),
            prompts.history(stranger, any_id, page=1, limit=9),
            prompts.update(stranger, any_id, name="Mine", patch={}, activate=True, now=NOW),
            prompts.activate(stranger, any_id, NOW),
            prompts.delete(stranger, any_id, NOW),
        ):
            with pytest.raises(NotFound):
                await asked
    assert (await prompts.page(stranger, search=None, page=1, limit=9, now=NOW)).items == []
    assert await prompts.get(house.principal, entry.head.id) == entry


@pytest.mark.parametrize("by_version", [False, True])
async def test_what_an_agent_uses_is_kept(house: House, by_version: bool) -> None:
    entry = await made(house)
    await updated(house, entry.head.id, "Remind them firmly.")
    config = CONFIG.model_copy(update={"prompt_id": entry.version.id if by_version else entry.head.id})
    agent = await house.services.agents.create(house.principal, name="A", config=config, now=NOW)
    with pytest.raises(Conflict, match="while an agent uses it"):
        await house.services.prompts.delete(house.principal, entry.head.id, NOW)
    await house.services.agents.update(house.principal, agent.id, name=None, config={"promptId": None}, now=NOW)
    await house.services.prompts.delete(house.principal, entry.head.id, NOW)


class TestDefaults:
    async def listed(self, house: House, principal: Principal) -> list[Entry[SessionSettings]]:
        found = await house.services.session_settings.page(principal, search=None, page=1, limit=9, now=NOW)
        return found.items

    async def test_every_organization_has_two_and_the_same_ones_always(self, house: House) -> None:
        at_once = await asyncio.gather(*(self.listed(house, house.principal) for _ in range(8)))
        listed = await self.listed(house, house.principal)
        assert all(len(each) <= 2 for each in at_once)
        assert {entry.head.name: entry.version.body for entry in listed} == {"Standard": STANDARD, "Patient": PATIENT}
        assert all(entry.head.is_default and entry.head.created_by is None for entry in listed)
        theirs = await self.listed(house, await house.tenant())
        assert not {entry.head.id for entry in theirs} & {entry.head.id for entry in listed}

    async def test_they_get_new_versions_and_are_not_deleted(self, house: House) -> None:
        settings = house.services.session_settings
        (patient,) = [each for each in await self.listed(house, house.principal) if each.head.name == "Patient"]
        changed = await settings.update(
            house.principal, patient.head.id, name=None, patch={"language": "hi"}, activate=True, now=NOW
        )
        assert changed.version.body == PATIENT.model_copy(update={"language": "hi"})
        with pytest.raises(Conflict, match="Default session settings"):
            await settings.delete(house.principal, changed.version.id, NOW)
        assert len(await self.listed(house, house.principal)) == 2


async def test_settings_are_changed_inside_and_cleared(house: House) -> None:
    settings = house.services.session_settings
    body = SessionSettings(language="hi", turn_taking=TurnTaking(end_ms=700, end_complete_ms=300))
    entry = await settings.create(house.principal, name="Hindi", body=body, now=NOW)
    wanted = {"turnTaking": {"endMs": 800}, "language": None, "silence": {"reprompts": 1}}
    changed = await settings.update(house.principal, entry.head.id, name=None, patch=wanted, activate=True, now=NOW)
    taken = changed.version.body
    assert taken.turn_taking == TurnTaking(end_ms=800, end_complete_ms=300)
    assert (taken.language, taken.silence and taken.silence.reprompts) == (None, 1)
    with pytest.raises(Invalid) as refused:
        await settings.update(
            house.principal, entry.head.id, name=None, patch={"turnTaking": {"endMs": 1}}, activate=True, now=NOW
        )
    assert [each.field for each in refused.value.fields] == ["settings.turnTaking.endMs"]
    assert (await settings.history(house.principal, entry.head.id, page=1, limit=9)).total == 2


async def test_a_template_with_a_stray_brace_is_refused(house: House) -> None:
    templates = house.services.sms_templates
    good = SmsTemplate(content="Dear {customer_name}")
    with pytest.raises(Invalid):
        await templates.create(house.principal, name="A", body=SmsTemplate(content="Dear {customer name}"), now=NOW)
    entry = await templates.create(house.principal, name="A", body=good, now=NOW)
    with pytest.raises(Invalid):
        await templates.update(
            house.principal, entry.head.id, name=None, patch={"content": "Dear {"}, activate=True, now=NOW
        )
    with pytest.raises(NotFound):
        await templates.get(house.principal, new_id())
