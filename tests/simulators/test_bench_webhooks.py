"""What the benchmark of webhooks counts: what calls owe by their logs, and how what came compares."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from bench.webhook_receiver import Answers, Received, Receiver, verified
from bench.webhook_tally import owed, tally
from models.call import Call, CallStatus, Recording
from models.document import as_iso, new_id
from services import webhook_rules as rules
from tests.documents import NOW, a_call, a_turn

SECRET = "my-secret-key"
OVER: dict[str, Any] = {
    "rang_at": NOW,
    "started_at": NOW,
    "ended_at": NOW,
    "status": CallStatus.COMPLETED,
    "turns": [a_turn(0)],
    "recording": Recording(path="recordings/1.wav"),
}
BUSY: dict[str, Any] = {"rang_at": NOW, "ended_at": NOW, "status": CallStatus.BUSY}


def call(**fields: Any) -> Call:
    """One that is over."""
    return a_call(new_id(), **fields)


def received(whose: Call, status: int = 200, late_s: float = 1.0) -> list[Received]:
    """Everything the product tells of a call, in its order."""
    found = []
    for event in rules.owed_events(whose):
        body = rules.body(event.type, event.at, event.data).encode()
        headers = rules.headers(event.type, event.id, body, SECRET, event.at)
        lines = ["POST / HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        head = "\r\n".join(lines).encode() + b"\r\n\r\n"
        found.append(Received((event.at + timedelta(seconds=late_s)).timestamp(), head, body, status))
    return found


@pytest.mark.parametrize("fields", [OVER, BUSY, {**OVER, "turns": [], "recording": None}, {**BUSY, "rang_at": None}])
def test_the_bench_and_the_product_agree_on_what_a_call_owes(fields: dict[str, Any]) -> None:
    whose = call(**fields)
    told = [(whose.id, each.type, each.data.get("state", "")) for each in rules.owed_events(whose)]
    assert owed(whose) == told


def test_all_that_is_owed_and_came_once_in_order_is_all_right() -> None:
    calls = [call(**OVER), call(**BUSY)]
    found = tally(calls, [each for whose in calls for each in received(whose)])
    assert (found.owed, found.taken) == (15, 15)
    assert (found.lost, found.strange, found.repeated, found.disordered) == (0, 0, 0, 0)
    assert found.longest_s == pytest.approx(1.0)


def test_what_never_came_or_was_not_taken_is_lost() -> None:
    whose = call(**BUSY)
    assert tally([whose], []).lost == 5
    assert tally([whose], received(whose, status=302)).lost == 5
    assert tally([whose], received(whose)[1:]).lost == 1
    assert tally([], []).longest_s is None


def test_what_no_log_owes_is_strange_and_what_came_again_is_counted() -> None:
    whose, other = call(**BUSY), call(**BUSY)
    found = tally([whose], [*received(whose), *received(whose), *received(other)])
    assert (found.owed, found.taken, found.strange, found.repeated) == (5, 10, 5, 5)


def test_only_the_order_within_a_call_counts_and_only_what_was_taken() -> None:
    whose, other = call(**BUSY), call(**BUSY)
    mine, theirs = received(whose), received(other)
    mixed = [each for pair in zip(mine, theirs, strict=True) for each in pair]
    assert tally([whose, other], mixed).disordered == 0
    assert tally([whose], [*received(whose, status=503)[::-1], *mine]).disordered == 0
    assert tally([whose], [mine[1], mine[0], *mine[2:]]).disordered == 1
    assert tally([whose], [mine[4], *mine[:4]]).disordered == 4


@pytest.mark.integration
async def test_the_receiver_keeps_what_came_byte_by_byte_and_answers_as_it_is_told() -> None:
    receiver = Receiver()
    whose = call(**BUSY)
    body = rules.body("call.started", NOW, {"call_id": whose.id, "name": "Zoë"}).encode()
    headers = rules.headers("call.started", "evt", body, SECRET, NOW)
    async with receiver.up() as url, httpx.AsyncClient() as client:
        assert (await client.post(url, content=body, headers=headers)).status_code == 200
        receiver.answers = Answers(status=302, location="http://127.0.0.1/")
        moved = await client.post(url, content=body + b" ", headers=headers)
        assert (moved.status_code, moved.headers["Location"]) == (302, "http://127.0.0.1/")
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.post(url, content=body, headers=headers)
    good, bad = receiver.got
    assert (good.body, good.message["timestamp"], good.id) == (body, as_iso(NOW), "evt")
    assert (good.is_taken, bad.is_taken) == (True, False)
    assert json.loads(good.body) == good.message
    assert await verified([good, bad], SECRET) == 1
