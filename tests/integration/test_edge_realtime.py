"""Dashboards on two replicas that share nothing but Redis and the store."""

import asyncio
from typing import Any

import pytest

from models.call import CallStatus
from serve_app.wiring import utc_now
from tests.integration.dashboards import (
    a_call_of,
    a_dashboard,
    names,
    say,
    somebody,
    somebodys_token,
    two_replicas,
    until,
)
from tests.integration.edge import Replica

pytestmark = pytest.mark.integration

replicas = pytest.fixture(two_replicas)
token = pytest.fixture(somebodys_token)


async def test_a_dashboard_on_the_other_replica_sees_the_whole_call(
    replicas: tuple[Replica, Replica], token: str
) -> None:
    one, other = replicas
    call = await a_call_of(one, token)
    async with a_dashboard(other) as (client, told):
        await client.emit("call:join", {"sessionId": call.session_id, "token": token})
        await until(lambda: "started" in names(told))
        await one.log.connected(call, utc_now())
        await say(one, call, 0, "Hello")
        await say(one, call, 1, "Goodbye")
        await one.log.finish(call, status=CallStatus.COMPLETED, reason="hangup", now=utc_now())
        await until(lambda: "ended" in names(told))
    assert names(told) == ["started", "connected", "transcript", "transcript", "ended"]
    assert told[2][1].keys() == {"sessionId", "role", "text", "timestamp", "isFinal", "revision"}


async def test_the_token_may_come_with_the_connection_and_by_polling(
    replicas: tuple[Replica, Replica], token: str
) -> None:
    call = await a_call_of(replicas[0], token)
    async with a_dashboard(replicas[1], {"token": token}, ["polling"]) as (client, told):
        await client.emit("call:join", {"sessionId": call.session_id})
        await until(lambda: names(told) == ["started"])


async def test_joining_in_the_middle_misses_no_line_and_repeats_none(
    replicas: tuple[Replica, Replica], token: str
) -> None:
    one, other = replicas
    call = await a_call_of(one, token, status=CallStatus.IN_PROGRESS, started_at=utc_now())
    lines = [f"line {n}" for n in range(120)]

    async def talk() -> None:
        for n, line in enumerate(lines):
            await say(one, call, n, line)

    talking = asyncio.create_task(talk())
    async with a_dashboard(other) as (client, told), a_dashboard(one) as (nearby, heard):
        await asyncio.sleep(0.1)
        await client.emit("call:join", {"sessionId": call.session_id, "token": token})
        await nearby.emit("call:join", {"sessionId": call.session_id, "token": token})
        await talking
        for seen in (told, heard):
            await until(lambda seen=seen: seen and seen[-1][1].get("text") == lines[-1])  # type: ignore[misc]
            assert [payload["text"] for name, payload in seen if name == "transcript"] == lines


async def test_a_repeated_join_tells_nothing_twice(replicas: tuple[Replica, Replica], token: str) -> None:
    call = await a_call_of(replicas[0], token)
    async with a_dashboard(replicas[0]) as (client, told):
        for _ in range(3):
            await client.emit("call:join", {"sessionId": call.session_id, "token": token})
        await say(replicas[0], call, 0, "Hello")
        await until(lambda: "transcript" in names(told))
        assert names(told) == ["started", "transcript"]


async def test_after_leaving_nothing_more_is_told(replicas: tuple[Replica, Replica], token: str) -> None:
    call = await a_call_of(replicas[0], token)
    async with a_dashboard(replicas[0]) as (client, told):
        await client.emit("call:join", {"sessionId": call.session_id, "token": token})
        await until(lambda: names(told) == ["started"])
        await client.call("call:leave", {"sessionId": call.session_id})
        await say(replicas[0], call, 0, "Hello")
        await client.emit("call:hangup", {})
        await until(lambda: "error" in names(told))
        assert names(told) == ["started", "error"]


@pytest.mark.parametrize(
    "credentials", [{}, {"token": ""}, {"token": "not.a.jwt"}, {"token": 5}, {"token": "x" * 9000}]
)
async def test_without_a_valid_token_nobody_joins(
    replicas: tuple[Replica, Replica], token: str, credentials: dict[str, Any]
) -> None:
    call = await a_call_of(replicas[0], token)
    async with a_dashboard(replicas[0]) as (client, told):
        await client.emit("call:join", {"sessionId": call.session_id, **credentials})
        await until(lambda: bool(told))
        assert names(told) == ["error"]
        assert told[0][1]["sessionId"] == call.session_id
        assert told[0][1]["error"]["code"] == "UNAUTHORIZED"
        await say(replicas[0], call, 0, "Secret")
        await client.call("call:leave", {"sessionId": call.session_id})
        assert len(told) == 1


async def test_other_peoples_calls_are_refused_as_if_they_did_not_exist(
    replicas: tuple[Replica, Replica], token: str
) -> None:
    call = await a_call_of(replicas[0], token)
    stranger, _ = await somebody(replicas[0])
    async with a_dashboard(replicas[0]) as (client, told):
        for session_id in (call.session_id, "sess_nobody"):
            await client.emit("call:join", {"sessionId": session_id, "token": stranger})
        await until(lambda: len(told) == 2)
        assert [payload["error"]["code"] for _, payload in told] == ["NOT_FOUND", "NOT_FOUND"]
        assert told[0][1]["error"] == told[1][1]["error"]


@pytest.mark.parametrize(
    "payload", [None, 7, "sess", [], {}, {"sessionId": 5}, {"sessionId": "x" * 65}, {"sessionId": ""}]
)
@pytest.mark.parametrize("event", ["call:join", "call:leave", "call:hangup"])
async def test_a_bad_payload_gets_an_error_and_harms_nothing(
    replicas: tuple[Replica, Replica], event: str, payload: object
) -> None:
    async with a_dashboard(replicas[0]) as (client, told):
        await client.emit(event, payload)
        await until(lambda: bool(told))
        assert told[0][1]["error"]["code"] == "VALIDATION_ERROR"


async def test_hanging_up_takes_a_join_first(replicas: tuple[Replica, Replica], token: str) -> None:
    call = await a_call_of(replicas[0], token)
    async with a_dashboard(replicas[0], {"token": token}) as (client, told):
        await client.emit("call:hangup", {"sessionId": call.session_id})
        await until(lambda: bool(told))
        assert told[0][1]["error"]["code"] == "FORBIDDEN"
        await client.emit("call:join", {"sessionId": call.session_id})
        await client.emit("call:hangup", {"sessionId": call.session_id})
        await until(lambda: "ended" in names(told))
        assert told[-1][1]["status"] == "canceled"


async def test_a_role_that_only_looks_may_watch_but_not_hang_up(replicas: tuple[Replica, Replica], token: str) -> None:
    call, users = await a_call_of(replicas[0], token), replicas[0].repositories.users
    principal = await replicas[0].edge.services.auth.authenticate(token, utc_now())
    async with a_dashboard(replicas[0]) as (client, told):
        await client.emit("call:join", {"sessionId": call.session_id, "token": token})
        await until(lambda: names(told) == ["started"])
        await users.change(principal.organization_id, principal.user_id, {"organizationRole": "viewer"}, utc_now())
        await client.emit("call:hangup", {"sessionId": call.session_id})
        await until(lambda: names(told) == ["started", "error"])
        assert told[1][1]["error"]["code"] == "FORBIDDEN"
        await client.emit("call:join", {"sessionId": call.session_id, "token": token})
        await say(replicas[0], call, 0, "Hello")
        await until(lambda: names(told) == ["started", "error", "transcript"])


async def test_a_client_that_has_logged_out_does_nothing_more(replicas: tuple[Replica, Replica], token: str) -> None:
    call, auth = await a_call_of(replicas[0], token), replicas[0].edge.services.auth
    async with a_dashboard(replicas[1], {"token": token}) as (client, told):
        await client.emit("call:join", {"sessionId": call.session_id})
        await until(lambda: names(told) == ["started"])
        await auth.logout(await auth.authenticate(token, utc_now()), everywhere=False, now=utc_now())
        for event in ("call:hangup", "call:join"):
            await client.emit(event, {"sessionId": call.session_id})
        await until(lambda: names(told) == ["started", "error", "error"])
        assert [payload["error"]["code"] for _, payload in told[1:]] == ["UNAUTHORIZED", "UNAUTHORIZED"]


async def test_who_has_logged_out_is_shown_out_of_the_calls_joined(
    replicas: tuple[Replica, Replica], token: str
) -> None:
    call, auth = await a_call_of(replicas[0], token), replicas[0].edge.services.auth
    async with a_dashboard(replicas[1], {"token": token}) as (client, told):
        await client.emit("call:join", {"sessionId": call.session_id})
        await until(lambda: names(told) == ["started"])
        await replicas[1].edge.realtime.check()
        await say(replicas[0], call, 0, "Hello")
        await until(lambda: names(told) == ["started", "transcript"])
        await auth.logout(await auth.authenticate(token, utc_now()), everywhere=False, now=utc_now())
        await replicas[1].edge.realtime.check()
        await say(replicas[0], call, 1, "Are you there?")
        await until(lambda: names(told) == ["started", "transcript", "error"])
        assert told[-1][1]["error"]["code"] == "UNAUTHORIZED"
        await replicas[1].edge.realtime.check()
        await asyncio.sleep(0.2)
        assert names(told) == ["started", "transcript", "error"]


async def test_an_api_key_joins_as_far_as_its_scope_goes(replicas: tuple[Replica, Replica], token: str) -> None:
    call, services = await a_call_of(replicas[0], token), replicas[0].edge.services
    principal = await services.auth.authenticate(token, utc_now())
    for scope, told_last in (("read", "error"), ("write", "ended")):
        _, key = await services.keys.create(
            principal,
            name="wallboard",
            scope=scope,  # type: ignore[arg-type]
            rate_limit=None,
            now=utc_now(),
        )
        async with a_dashboard(replicas[0], {"token": key}) as (client, told):
            await client.emit("call:join", {"sessionId": call.session_id})
            await client.emit("call:hangup", {"sessionId": call.session_id})
            await until(lambda told=told: len(told) == 2)  # type: ignore[misc]
            assert names(told) == ["started", told_last]


async def test_a_quiet_subscription_stays_open(replicas: tuple[Replica, Replica], token: str) -> None:
    """redis-py ends a read after five seconds unless told otherwise, and events would be lost until it is back."""
    call = await a_call_of(replicas[0], token)
    async with a_dashboard(replicas[1]) as (client, told):
        await client.emit("call:join", {"sessionId": call.session_id, "token": token})
        await until(lambda: names(told) == ["started"])
        await asyncio.sleep(5.5)
        await say(replicas[0], call, 0, "Hello")
        await until(lambda: "transcript" in names(told))
