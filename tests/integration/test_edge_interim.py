"""What only some watch, or only live: partial texts and metrics."""

from typing import Any

import pytest

from models.call import CostBreakdown, Turn, TurnTimings, Usage
from serve_app.wiring import utc_now
from tests.documents import a_turn
from tests.integration.dashboards import (
    a_call_of,
    a_dashboard,
    handled,
    names,
    say,
    somebodys_token,
    two_replicas,
    until,
)
from tests.integration.edge import Replica

pytestmark = pytest.mark.integration

replicas = pytest.fixture(two_replicas)
token = pytest.fixture(somebodys_token)


async def test_only_who_asks_sees_what_is_said_while_it_is_said(replicas: tuple[Replica, Replica], token: str) -> None:
    one, other = replicas
    call = await a_call_of(one, token)
    join = {"sessionId": call.session_id, "token": token}
    async with a_dashboard(other) as (curious, told), a_dashboard(one) as (plain, heard):
        await plain.emit("call:join", join | {"interim": "yes"})
        await curious.emit("call:join", join)
        await until(lambda: names(told) == names(heard) == ["started"])
        await one.log.tell_partial(call, "Too early", 1, utc_now())
        await one.log.connected(call, utc_now())
        await until(lambda: names(told) == names(heard) == ["started", "connected"])
        await curious.emit("call:join", join | {"interim": True})
        await handled(curious)
        await one.log.tell_partial(call, "Hello", 2, utc_now())
        turn = a_turn(0, "Hello there").model_copy(update={"revision": 3})
        await one.log.record_turn(call, turn, Usage(), CostBreakdown(), utc_now())
        for seen in (told, heard):
            await until(lambda seen=seen: seen[-1][1].get("text") == "Hello there")  # type: ignore[misc]
    lines = [[(line["text"], line["isFinal"], line["revision"]) for _, line in seen[2:]] for seen in (told, heard)]
    assert lines == [[("Hello", False, 2), ("Hello there", True, 3)], [("Hello there", True, 3)]]


STEPS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("asked for", "call:join", {"interim": True}),
    ("not asked for any more", "call:join", {}),
    ("asked for again", "call:join", {"interim": True}),
    ("left", "call:leave", {}),
    ("joined again", "call:join", {}),
)


async def test_the_last_join_says_whether_partial_texts_are_told_and_leaving_ends_them(
    replicas: tuple[Replica, Replica], token: str
) -> None:
    call = await a_call_of(replicas[0], token)
    join = {"sessionId": call.session_id, "token": token}
    async with a_dashboard(replicas[0]) as (client, told), a_dashboard(replicas[0]) as (other, heard):
        await other.emit("call:join", join)
        for number, (text, event, payload) in enumerate(STEPS):
            await client.emit(event, join | payload)
            await handled(client)
            await replicas[0].log.tell_partial(call, text, 1, utc_now())
            await say(replicas[0], call, number, f"line {number}")
            await until(lambda number=number: names(heard).count("transcript") == number + 1)  # type: ignore[misc]
    partials = [line["text"] for name, line in told if name == "transcript" and not line["isFinal"]]
    assert partials == ["asked for", "asked for again"]


async def test_who_is_shown_out_sees_no_partial_texts_either(replicas: tuple[Replica, Replica], token: str) -> None:
    call, services = await a_call_of(replicas[0], token), replicas[0].edge.services
    principal = await services.auth.authenticate(token, utc_now())
    _, key = await services.keys.create(principal, name="wallboard", scope="read", rate_limit=None, now=utc_now())
    join = {"sessionId": call.session_id, "interim": True}
    async with a_dashboard(replicas[1], {"token": token}) as (client, told):
        async with a_dashboard(replicas[1], {"token": key}) as (staying, heard):
            for each in (client, staying):
                await each.emit("call:join", join)
                await handled(each)
            await services.auth.logout(principal, everywhere=False, now=utc_now())
            await replicas[1].edge.realtime.check()
            await replicas[0].log.tell_partial(call, "Secret", 1, utc_now())
            await until(lambda: names(heard) == ["started", "transcript"])
        await handled(client)
    assert names(told) == ["started", "error"]


async def test_an_answers_metrics_are_told_live_and_not_again(replicas: tuple[Replica, Replica], token: str) -> None:
    one, other = replicas
    call = await a_call_of(one, token)
    timings = TurnTimings(speech_end_ms=5200, final_text_ms=5560, first_token_ms=5630, playback_start_ms=5800)
    answer = Turn(index=1, role="assistant", content="Of course.", timestamp=utc_now(), timings=timings)
    join = {"sessionId": call.session_id, "token": token}
    async with a_dashboard(other) as (client, told), a_dashboard(one) as (late, replayed):
        await client.emit("call:join", join)
        await until(lambda: names(told) == ["started"])
        await one.log.record_turn(call, answer, Usage(), CostBreakdown(), utc_now())
        await until(lambda: names(told) == ["started", "transcript", "metrics"])
        await late.emit("call:join", join)
        await handled(late)
    metrics = told[-1][1]
    assert (metrics["turn"], metrics["latency"]["userStopToFirstByteMs"]) == (1, 600)
    assert replayed == told[:2]
