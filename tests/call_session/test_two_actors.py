"""One call that two drivers carry, the first of which dies, on the real database: what the log holds in the end."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from actors.call_session import prompt
from models.call import Call, Lease
from models.settings import Settings
from services.call_log import CallLog
from stores.events import Events
from stores.mongo import connect, database
from stores.repositories import Repositories
from tests.call_session.line import ENOUGH_S, START, Carrier, inbound_call, run, sound
from tests.documents import CONFIG
from tests.money import STEP, a_writer, fund

pytestmark = pytest.mark.integration


@pytest.fixture
async def stores(settings: Settings) -> AsyncIterator[Repositories]:
    async with connect(settings) as client:
        found = Repositories.over(database(client, settings))
        await found.create_indexes()
        yield found


@pytest.fixture
async def log(settings: Settings, stores: Repositories) -> AsyncIterator[CallLog]:
    events = Events(settings.redis_url or "")
    yield CallLog(stores.calls, a_writer(stores), events)
    await events.close()


async def claimed(stores: Repositories) -> Call:
    call = inbound_call(agent_config=CONFIG.model_copy(update={"first_message": ""}))
    await stores.calls.insert(call)
    await fund(stores, call.organization_id, 10 * STEP)
    await a_writer(stores).hold(call.organization_id, call.id, datetime.now(UTC))
    now = datetime.now(UTC)
    found = await stores.calls.claim(call.session_id, Lease(actor="first", leased_at=now), now)
    assert found is not None
    return found


async def stored(stores: Repositories, call: Call, *, turns: int, is_noted: bool = False) -> Call:
    """The call, once it has so many turns and, if asked for, the agent's next one is noted."""
    async with asyncio.timeout(ENOUGH_S):
        while True:
            found = await stores.calls.by_id(call.id)
            if len(found.turns) >= turns and (found.progress is not None or not is_noted):
                return found
            await asyncio.sleep(0.02)


async def test_the_second_driver_writes_the_turn_of_the_first_and_answers(
    stores: Repositories, log: CallLog, tmp_path: Path
) -> None:
    call = await claimed(stores)
    question = [START, *[sound(0x4000)] * 8, *[sound()] * 12]
    first_carrier = Carrier(*question, plays=False)
    first = run(call, first_carrier, tmp_path, log)
    await stored(stores, call, turns=1, is_noted=True)
    first.task.cancel()
    await asyncio.wait([first.task])

    now = datetime.now(UTC)
    taken = await stores.calls.take_over(call.session_id, "first", Lease(actor="second", leased_at=now), now)
    assert taken is not None
    carrier = Carrier(*question, *[sound()] * 10)
    second = run(taken, carrier, tmp_path, log)
    await stored(stores, call, turns=3)
    carrier.leave(is_closed=True)
    await second.over()

    final = await stores.calls.by_id(call.id)
    said, cut, bridge = final.turns
    assert [turn.index for turn in final.turns] == [0, 1, 2]
    assert said.content == "book a visit please."
    assert cut.role == "assistant"
    assert "Which day?".startswith(cut.content)
    assert bridge.content.startswith(prompt.RESUMED)
    assert (final.status, final.end_reason, final.progress) == ("completed", "media_closed", None)
    assert final.recording is not None
