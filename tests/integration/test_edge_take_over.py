"""Call actors that die under the media socket, of which the carrier hears nothing. Real doors, echoes behind them."""

import asyncio
from typing import Any

import pytest
from pymongo.errors import AutoReconnect, ServerSelectionTimeoutError
from websockets.asyncio.client import ClientConnection, connect

from models.call import Call, CallStatus
from models.settings import Settings
from serve_app import live_call
from serve_app.wiring import utc_now
from services.carriage import MOST_LATELY
from tests.integration.carriers import (
    a_running_replica,
    a_stored_call,
    address,
    close_code,
    echoes,
    lines,
    some_doors,
    stored,
    until,
)
from tests.integration.edge import Doors, Replica
from tests.numbers import counted

pytestmark = pytest.mark.integration

doors = pytest.fixture(some_doors)
replica = pytest.fixture(a_running_replica)
call = pytest.fixture(a_stored_call)


async def said(carrier: ClientConnection, *messages: str) -> None:
    """Say them, and hear each come back."""
    for message in messages:
        await carrier.send(message)
        async with asyncio.timeout(5):
            while await carrier.recv() != message:
                continue


async def log_of(replica: Replica, call: Call) -> tuple[CallStatus, str | None]:
    """How the call ended."""
    stored_call = await replica.repositories.calls.session(call.session_id)
    return stored_call.status, stored_call.end_reason


async def final_log(replica: Replica, call: Call) -> tuple[CallStatus, str | None]:
    """The same, once it has."""
    async with asyncio.timeout(5):
        while not (log := await log_of(replica, call))[0].is_final:  # noqa: ASYNC110 - a store tells nobody
            await asyncio.sleep(0.01)
    return log


# --- the call goes on -------------------------------------------------------------------------------------
async def test_another_actor_goes_on_with_what_opened_the_stream_and_what_is_not_settled(
    replica: Replica, settings: Settings, call: Call, doors: Doors, caplog: pytest.LogCaptureFixture
) -> None:
    async with connect(address(replica, settings, call)) as carrier:
        await said(carrier, "open the stream", "one", "settle", "two", "three")
        doors.kill()
        await until(lambda: len(doors.attachments) == 2)
        await said(carrier, "four")
    assert [repeats for repeats, _ in doors.attachments] == [0, 3]
    assert doors.attachments[1][1] == ["open the stream", "two", "three", "four"]
    await until(lambda: doors.free == 4 and not doors.open)
    assert doors.losses == ["door-0"]
    assert lines(caplog) == ["an attachment broke", "a call actor was lost", "another actor goes on with a call"]


async def test_the_store_knows_who_goes_on(replica: Replica, settings: Settings, call: Call, doors: Doors) -> None:
    async with connect(address(replica, settings, call)) as carrier:
        await said(carrier, "one")
        doors.kill()
        await said(carrier, "two")
        lease = (await replica.repositories.calls.session(call.session_id)).lease
    assert lease is not None
    assert lease.actor == "door-1"


async def test_nothing_is_lost_of_a_carrier_that_talks_through_the_deaths_of_three_actors(
    replica: Replica, settings: Settings, call: Call, doors: Doors
) -> None:
    messages = [f"{n}" if n % 20 else "settle" for n in range(1, 301)]
    async with connect(address(replica, settings, call)) as carrier:
        for n, message in enumerate(messages):
            await carrier.send(message)
            if n in (70, 150, 230):
                doors.kill()
            await asyncio.sleep(0.002)
        await said(carrier, "last")
    heard = doors.heard[call.session_id]
    assert list(dict.fromkeys(heard)) == list(dict.fromkeys([*messages, "last"]))
    assert len(doors.losses) == 3


async def test_actors_that_die_at_the_first_word_or_before_are_passed_over(
    replica: Replica, settings: Settings, call: Call, doors: Doors
) -> None:
    doors.unreachable, doors.dying = 1, 1
    async with connect(address(replica, settings, call)) as carrier:
        await said(carrier, "open", "one")
    await until(lambda: doors.free == 4)
    assert doors.losses == ["door-0", "door-1"]


async def test_a_carrier_waits_for_an_actor_that_is_being_started(
    replica: Replica, settings: Settings, call: Call, doors: Doors
) -> None:
    doors.free, doors.replaces = 1, False
    async with connect(address(replica, settings, call)) as carrier:
        await said(carrier, "open", "one")
        doors.kill()
        await carrier.send("two")
        await asyncio.sleep(0.4)
        doors.free = 1
        await until(lambda: len(doors.attachments) == 2)
        await said(carrier, "three")
    assert doors.attachments[1] == (3, ["open", "one", "two", "three"])


async def test_a_carrier_waits_while_the_database_is_away(
    replica: Replica, settings: Settings, call: Call, doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([AutoReconnect("away"), ServerSelectionTimeoutError("away")])
    take_over = replica.edge.services.carriage.take_over

    async def later(*asked: Any) -> Call | None:
        for error in answers:
            raise error
        return await take_over(*asked)

    monkeypatch.setattr(replica.edge.services.carriage, "take_over", later)
    async with connect(address(replica, settings, call)) as carrier:
        await said(carrier, "one")
        doors.kill()
        await said(carrier, "two")
    await until(lambda: doors.free == 4)
    assert doors.made == 2


async def test_a_call_that_goes_on_is_counted(replica: Replica, settings: Settings, call: Call, doors: Doors) -> None:
    with counted() as numbers:
        async with connect(address(replica, settings, call)) as carrier:
            await said(carrier, "one")
            doors.kill()
            await said(carrier, "two")
    assert numbers.of("calls_resumed_total") == [1]


# --- the call does not go on ------------------------------------------------------------------------------
async def test_a_call_that_breaks_every_actor_is_ended_and_the_carrier_told(
    replica: Replica, settings: Settings, call: Call, doors: Doors
) -> None:
    async with connect(address(replica, settings, call)) as carrier:
        await carrier.send("break")
        assert await close_code(carrier) == 1011
    assert await log_of(replica, call) == (CallStatus.FAILED, "call_actor_lost")
    assert len(doors.losses) == 1 + MOST_LATELY
    await until(lambda: doors.free == 4)


async def test_when_no_actor_lives_long_enough_to_be_spoken_to_the_call_is_ended(
    replica: Replica, settings: Settings, call: Call, doors: Doors
) -> None:
    doors.dying = 100
    async with connect(address(replica, settings, call)) as carrier:
        assert await close_code(carrier) == 1011
    assert await log_of(replica, call) == (CallStatus.FAILED, "call_actor_lost")


async def test_when_there_is_no_other_actor_for_too_long_the_call_is_ended(
    replica: Replica, settings: Settings, call: Call, doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_call, "PATIENCE_S", 0.3)
    doors.free, doors.replaces = 1, False
    async with connect(address(replica, settings, call)) as carrier:
        await said(carrier, "one")
        doors.kill()
        assert await close_code(carrier) == 1013
    assert await log_of(replica, call) == (CallStatus.FAILED, "no-capacity")


async def test_when_the_database_is_away_for_too_long_the_call_is_ended_and_the_actor_given_back(
    replica: Replica, settings: Settings, call: Call, doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*asked: Any) -> Call | None:
        raise AutoReconnect("away")

    monkeypatch.setattr(live_call, "PATIENCE_S", 0.3)
    monkeypatch.setattr(replica.edge.services.carriage, "take_over", never)
    async with connect(address(replica, settings, call)) as carrier:
        await said(carrier, "one")
        doors.kill()
        assert await close_code(carrier) == 1011
    assert await log_of(replica, call) == (CallStatus.FAILED, "call_actor_lost")
    await until(lambda: doors.free == 4 and not doors.open)


async def test_a_call_that_was_over_when_its_actor_died_is_not_taken_up(
    replica: Replica, settings: Settings, call: Call, doors: Doors
) -> None:
    async with connect(address(replica, settings, call)) as carrier:
        await said(carrier, "one")
        await replica.log.finish(call, status=CallStatus.COMPLETED, reason="completed", now=utc_now())
        doors.kill()
        assert await close_code(carrier) == 1000
    assert await log_of(replica, call) == (CallStatus.COMPLETED, "completed")
    assert len(doors.attachments) == 1
    await until(lambda: doors.free == 4)


@pytest.mark.parametrize(
    ("status", "end"),
    [(CallStatus.IN_PROGRESS, CallStatus.COMPLETED), (CallStatus.RINGING, CallStatus.FAILED)],
)
async def test_a_carrier_that_leaves_while_nobody_has_its_call_leaves_a_closed_log(
    replica: Replica, settings: Settings, doors: Doors, status: CallStatus, end: CallStatus
) -> None:
    call = await stored(replica)
    doors.free, doors.replaces = 1, False
    async with connect(address(replica, settings, call)) as carrier:
        await said(carrier, "one")
        await replica.repositories.calls.advance(call.id, status, utc_now())
        doors.kill()
        await until(lambda: doors.losses == ["door-0"])
    assert await final_log(replica, call) == (end, "media_closed")
    assert doors.free == 0


async def test_an_actor_that_dies_over_the_end_of_its_call_leaves_a_closed_log(
    replica: Replica, settings: Settings, call: Call, doors: Doors
) -> None:
    doors.lingers_s = 60.0
    async with connect(address(replica, settings, call)) as carrier:
        assert await echoes(carrier)
    await asyncio.sleep(0.1)
    assert not (await log_of(replica, call))[0].is_final
    doors.kill()
    assert await final_log(replica, call) == (CallStatus.FAILED, "media_closed")
    await until(lambda: doors.free == 4)


async def test_one_actors_death_is_nothing_to_other_calls(
    replica: Replica, settings: Settings, call: Call, doors: Doors
) -> None:
    other = await stored(replica)
    async with (
        connect(address(replica, settings, other)) as calm,
        connect(address(replica, settings, call)) as unlucky,
    ):
        await said(calm, "calm")
        await unlucky.send("break")
        assert await close_code(unlucky) == 1011
        await said(calm, "still calm")
