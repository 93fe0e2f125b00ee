"""What calls come to in the customer's own words: who may say what, when, and who hears of it."""

from datetime import timedelta
from typing import Any

import pytest

from models.agent import AgentConfig, SmsAfter
from models.call import Call, CallStatus, Disposition, Lease
from models.document import new_id
from models.errors import Invalid, NotFound
from services.call_log import CallLog
from services.dispositions import check_word, check_words
from tests.documents import CONFIG, NOW, a_call, an_agent
from tests.money import a_writer
from tests.services.conftest import House, place

WORDS = ("interested", "call back")
WITH_WORDS = CONFIG.model_copy(update={"dispositions": WORDS})
LATER = NOW + timedelta(days=2)


def of_agent(**fields: Any) -> Call:
    return a_call(new_id(), agent_config=CONFIG.model_copy(update=fields))


def test_only_the_words_of_the_calls_agent_are_taken() -> None:
    check_word(of_agent(dispositions=WORDS), "call back")
    with pytest.raises(Invalid, match="Validation failed") as refused:
        check_word(of_agent(dispositions=WORDS), "sold")
    (problem,) = refused.value.fields
    assert (problem.field, problem.message) == ("name", "Must be one of: interested, call back")


def test_a_call_of_an_agent_without_words_may_come_to_anything() -> None:
    check_word(of_agent(), "sold")


@pytest.mark.parametrize(
    ("words", "awaited", "is_right"),
    [(WORDS, ("interested",), True), (WORDS, ("interested", "sold"), False), ((), ("sold",), True), (WORDS, (), True)],
)
def test_a_message_waits_for_words_that_can_come(words: Any, awaited: Any, is_right: bool) -> None:
    after = SmsAfter(outcomes=("answered",), dispositions=awaited)
    config = CONFIG.model_copy(update={"dispositions": words, "sms_after": after})
    if is_right:
        check_words(config)
        return
    with pytest.raises(Invalid) as refused:
        check_words(config)
    assert [each.field for each in refused.value.fields] == ["config.smsAfter.dispositions"]


def test_the_agent_itself_chooses_among_its_words_once_each() -> None:
    config = AgentConfig.model_validate({**CONFIG.model_dump(), "dispositions": [" sold ", "lost", "sold"]})
    assert config.words == ("sold", "lost")


async def placed(house: House, config: AgentConfig = WITH_WORDS) -> Call:
    agent = await house.stores.agents.insert(an_agent(house.principal.organization_id, config=config))
    return await place(house, agent_id=agent.id)


@pytest.mark.integration
async def test_a_word_is_said_replaced_and_taken_back_long_after_the_end(house: House) -> None:
    call = await placed(house)
    service, who = house.services.calls, house.principal
    await service.end(who, call.session_id, "user_requested", NOW)
    said = await service.set_disposition(who, call.id, name="interested", notes="Monday", now=LATER)
    assert said.disposition == Disposition(name="interested", notes="Monday", at=LATER, by=who.user_id)
    again = await service.set_disposition(who, call.id, name="call back", notes="", now=LATER)
    assert (await service.get(who, call.id)).disposition == again.disposition
    assert [found.id for found in (await service.page(who, disposition="call back")).items] == [call.id]
    assert (await service.page(who, disposition="interested")).total == 0
    assert (await service.set_disposition(who, call.id, name=None, notes="", now=LATER)).disposition is None
    with pytest.raises(Invalid):
        await service.set_disposition(who, call.id, name="sold", notes="", now=LATER)
    with pytest.raises(NotFound):
        await service.set_disposition(await house.tenant(), call.id, name="interested", notes="", now=LATER)


@pytest.mark.integration
async def test_the_agents_word_is_its_actors_and_gives_way_to_a_users(house: House) -> None:
    log = CallLog(house.stores.calls, a_writer(house.stores), house.events)
    call = await placed(house)
    carried = await house.services.carriage.claim(call.session_id, "actor", NOW)
    assert carried is not None
    gone = carried.model_copy(update={"lease": Lease(actor="another", leased_at=NOW)})
    await log.save_disposition(gone, "call back", "", NOW)
    assert (await house.stores.calls.by_id(call.id)).disposition is None
    await log.save_disposition(carried, "interested", "On Monday", NOW)
    word = Disposition(name="interested", notes="On Monday", at=NOW)
    assert (await house.stores.calls.by_id(call.id)).disposition == word
    await house.services.calls.set_disposition(house.principal, call.id, name="call back", notes="", now=LATER)
    await log.save_disposition(carried, "interested", "", LATER)
    stored = (await house.stores.calls.by_id(call.id)).disposition
    assert stored is not None
    assert (stored.name, stored.by) == ("call back", house.principal.user_id)


@pytest.mark.integration
async def test_what_is_said_after_the_end_is_passed_on(house: House) -> None:
    """The call is marked, so whoever tells of calls looks at it once more."""
    call = await placed(house)
    await house.services.calls.end(house.principal, call.session_id, "user_requested", NOW)
    over = await house.stores.calls.by_id(call.id)
    assert (over.status, over.untold) == (CallStatus.CANCELED, False)
    await house.stores.calls.save_disposition(call.id, Disposition(name="interested", at=LATER, by=new_id()))
    assert call.id in [each.id for each in await house.stores.calls.untold(1000)]
    await house.services.webhook_events.sweep(LATER)
    assert not (await house.stores.calls.by_id(call.id)).untold
