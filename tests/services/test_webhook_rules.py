"""What a call owes to webhooks, what is sent, and when again."""

import hashlib
import hmac
import json
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from models.call import Call, CallStatus, CampaignCall, Disposition, Recording
from models.document import Id, new_id
from models.webhook import EVENT_TYPES, Attempt, Event, WebhookEndpoint
from services import webhook_rules as rules
from services.webhook_events import owed_deliveries
from services.webhook_rules import Again, Dead, Taken, verdict
from tests.documents import NOW, a_call, a_turn

LATER, LAST = NOW + timedelta(seconds=8), NOW + timedelta(seconds=98)
ANSWERED: dict[str, Any] = {
    "status": CallStatus.IN_PROGRESS,
    "rang_at": NOW + timedelta(seconds=2),
    "started_at": LATER,
}
OVER: dict[str, Any] = {
    **ANSWERED,
    "status": CallStatus.COMPLETED,
    "ended_at": LAST,
    "end_reason": "caller",
    "duration_sec": 90,
}


def names(call: Call) -> list[str]:
    """Types in order, states with their state."""
    return [f"{event.type} {event.data.get('state', '')}".strip() for event in rules.owed_events(call)]


def endpoint(**fields: Any) -> WebhookEndpoint:
    """One that is told of everything since the beginning."""
    own: dict[str, Any] = {
        "created_at": NOW,
        "updated_at": NOW,
        "organization_id": new_id(),
        "user_id": new_id(),
        "name": "CRM",
        "url": "https://example.com/hook",
        "events": EVENT_TYPES,
        "encrypted_secret": "x",
        "since": NOW - timedelta(days=1),
    }
    return WebhookEndpoint(**(own | fields))


BEGINNING = ["call.initiated", "call.state_changed ringing", "call.state_changed in-progress"]
ANSWER = ["call.answered", "call.started"]


@pytest.mark.parametrize(
    ("fields", "owed"),
    [
        ({}, BEGINNING[:1]),
        ({"status": CallStatus.RINGING, "rang_at": LATER}, BEGINNING[:2]),
        (ANSWERED, BEGINNING + ANSWER),
        (OVER, [*BEGINNING, *ANSWER, "call.state_changed completed", "call.completed", "call.ended"]),
        (
            {**OVER, "status": CallStatus.FAILED},
            [*BEGINNING, *ANSWER, "call.state_changed failed", "call.failed", "call.ended"],
        ),
        (
            {"status": CallStatus.NO_ANSWER, "ended_at": LAST},
            ["call.initiated", "call.state_changed no-answer", "call.failed", "call.ended"],
        ),
        (
            {"status": CallStatus.BUSY, "ended_at": LAST, "recording": Recording()},
            ["call.initiated", "call.state_changed busy", "call.failed", "call.ended"],
        ),
    ],
)
def test_what_a_call_owes_is_read_off_the_call(fields: dict[str, Any], owed: list[str]) -> None:
    assert names(a_call(new_id(), **fields)) == owed


def test_transcript_and_recording_are_told_when_the_call_is_over() -> None:
    kept = {"turns": [a_turn(0)], "recording": Recording(path="recordings/x.wav")}
    assert names(a_call(new_id(), **ANSWERED, **kept)) == BEGINNING + ANSWER
    assert names(a_call(new_id(), **OVER, **kept))[-2:] == ["transcription.complete", "recording.ready"]


def test_a_later_look_finds_the_same_events_and_more_in_one_order() -> None:
    begun = a_call(new_id())
    looks = [begun.model_copy(update=fields) for fields in ({}, ANSWERED, OVER, {**OVER, "turns": [a_turn(0)]})]
    owed = [rules.owed_events(call) for call in looks]
    for fewer, more in pairwise(owed):
        assert more[: len(fewer)] == fewer
    assert len({event.id for event in owed[-1]}) == len(owed[-1])
    assert [event.sequence for event in owed[-1]] == sorted({event.sequence for event in owed[-1]})


def test_the_states_follow_each_other() -> None:
    changes = [event.data for event in rules.owed_events(a_call(new_id(), **OVER)) if "state" in event.data]
    assert [(each["previous_state"], each["state"]) for each in changes] == [
        ("initiated", "ringing"),
        ("ringing", "in-progress"),
        ("in-progress", "completed"),
    ]


def events_of(call: Call) -> dict[str, Event]:
    """The last event of each type."""
    return {event.type: event for event in rules.owed_events(call)}


def test_what_was_said_of_a_call_by_its_end_is_told_with_the_end() -> None:
    call = a_call(new_id(), **OVER, disposition=Disposition(name="interested", notes="private", at=LAST))
    told = events_of(call)
    assert [told[name].data["disposition"] for name in ("call.completed", "call.ended")] == ["interested"] * 2
    assert "disposition" not in told["call.state_changed"].data
    assert all("private" not in rules.body(each.type, each.at, each.data) for each in told.values())
    assert "disposition" not in events_of(a_call(new_id(), **OVER))["call.ended"].data


def test_what_is_said_after_the_end_is_an_event_of_its_own_each_time() -> None:
    call = a_call(new_id(), **OVER, turns=[a_turn(0)], recording=Recording(path="x.wav"))
    before, ids = rules.owed_events(call), set()
    for hours in (1, 2):
        at = LAST + timedelta(hours=hours)
        *others, said = rules.owed_events(call.model_copy(update={"disposition": Disposition(name="sold", at=at)}))
        assert others == before
        assert (said.type, said.at, said.sequence > before[-1].sequence) == ("call.state_changed", at, True)
        expected = {"state": "completed", "previous_state": "completed", "disposition": "sold"}
        assert said.data.items() >= expected.items()
        ids.add(said.id)
    assert len(ids) == 2


def test_while_a_call_goes_on_nobody_is_told_what_it_comes_to() -> None:
    call = a_call(new_id(), **ANSWERED)
    word = Disposition(name="interested", at=LATER)
    assert rules.owed_events(call.model_copy(update={"disposition": word})) == rules.owed_events(call)


def test_the_events_of_a_campaigns_call_name_it() -> None:
    attempt = CampaignCall(campaign_id=new_id(), contact_id=new_id(), attempt=1)
    owed = rules.owed_events(a_call(new_id(), **OVER, campaign=attempt))
    assert {event.data["campaign_id"] for event in owed} == {attempt.campaign_id}
    assert all("campaign_id" not in event.data for event in rules.owed_events(a_call(new_id(), **OVER)))


def test_the_body_is_the_documented_one() -> None:
    call = a_call(new_id(), **ANSWERED)
    event = next(event for event in rules.owed_events(call) if event.type == "call.started")
    content = json.loads(rules.body(event.type, event.at, event.data))
    assert content.keys() == {"event", "timestamp", "data"}
    assert (content["event"], content["timestamp"]) == ("call.started", "2026-01-15T10:30:08.000Z")
    documented = {"call_id": call.id, "called_number": call.to_phone, "start_time": "2026-01-15T10:30:08.000Z"}
    assert content["data"].items() >= documented.items()


def test_what_was_said_is_never_in_a_body() -> None:
    call = a_call(new_id(), **OVER, turns=[a_turn(0, "my secret")])
    assert all("my secret" not in rules.body(e.type, e.at, e.data) for e in rules.owed_events(call))


def verify_signature(payload: bytes, signature: str, secret: str) -> bool:
    """The receiver's few lines, as in the public document."""
    expected = hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"sha256={expected}", signature)


def test_headers_carry_the_documented_signature_and_one_against_replay() -> None:
    content = '{"event":"call.ended","é":1}'.encode()
    sent = rules.headers("call.ended", "evt", content, "my-secret-key", NOW)
    assert verify_signature(content, sent["X-Webhook-Signature"], "my-secret-key")
    assert not verify_signature(content + b" ", sent["X-Webhook-Signature"], "my-secret-key")
    assert sent["X-Webhook-Timestamp"] == str(int(NOW.timestamp()))
    stamped = sent["X-Webhook-Timestamp"].encode() + b"." + content
    assert verify_signature(stamped, sent["X-Webhook-Signature-Timestamped"], "my-secret-key")
    assert (sent["X-Webhook-Event"], sent["Content-Type"]) == ("call.ended", "application/json")
    later = rules.headers("call.ended", "evt", content, "my-secret-key", LATER)
    assert later["X-Webhook-Id"] == sent["X-Webhook-Id"]
    assert later["X-Webhook-Signature-Timestamped"] != sent["X-Webhook-Signature-Timestamped"]


def an_attempt(status: int | None) -> Attempt:
    return Attempt(at=NOW, elapsed_ms=1, status_code=status, error=None if status else "The receiver cannot be reached")


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_takes_it(status: int) -> None:
    assert verdict(an_attempt(status), 1) == Taken()


@pytest.mark.parametrize("status", [None, 500, 502, 503, 599, 408, 425, 429])
def test_failures_come_again_after_1_5_and_15_seconds_and_then_more_rarely_for_a_day(status: int | None) -> None:
    delays: list[int] = []
    while isinstance(after := verdict(an_attempt(status), len(delays) + 1), Again):
        delays.append(after.delay_s)
    assert delays[:3] == [1, 5, 15]
    assert delays == sorted(delays)
    assert timedelta(hours=24) <= timedelta(seconds=sum(delays)) <= timedelta(hours=25)
    assert isinstance(after, Dead)


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 410, 422])
def test_refusals_and_redirects_are_final(status: int) -> None:
    assert verdict(an_attempt(status), 1) == Dead(f"The receiver answered with HTTP status {status}")


@pytest.mark.parametrize(("hours", "given_up"), [(None, False), (0, False), (23.9, False), (24, True), (100, True)])
def test_an_endpoint_is_given_up_after_a_day_without_a_success(hours: float | None, given_up: bool) -> None:
    since = None if hours is None else NOW - timedelta(hours=hours)
    assert rules.is_given_up(since, NOW) is given_up


def test_every_event_has_a_description() -> None:
    assert set(rules.DESCRIPTIONS) == set(EVENT_TYPES)


class TestWhoIsTold:
    """Of each event those who subscribe to it, and did so when it happened."""

    def owed(self, *endpoints: WebhookEndpoint, **fields: Any) -> list[tuple[Id, str]]:
        events: list[Event] = rules.owed_events(a_call(new_id(), **fields))
        return [(each.endpoint_id, each.event) for each in owed_deliveries(events, endpoints, LAST)]

    def test_those_who_subscribe(self) -> None:
        one, two = endpoint(events=("call.ended",)), endpoint(events=("call.started", "call.ended"))
        assert self.owed(one, two, **OVER) == [
            (two.id, "call.started"),
            (one.id, "call.ended"),
            (two.id, "call.ended"),
        ]

    def test_not_of_what_happened_before_they_did(self) -> None:
        late = endpoint(since=LATER)
        assert [event for _, event in self.owed(late, **ANSWERED)] == [
            "call.state_changed",
            "call.answered",
            "call.started",
        ]

    def test_not_of_what_happened_long_ago(self) -> None:
        events = rules.owed_events(a_call(new_id()))
        always = endpoint(since=NOW - timedelta(days=30))
        assert owed_deliveries(events, [always], NOW + rules.TOO_OLD) == []

    def test_the_same_event_and_endpoint_make_the_same_delivery(self) -> None:
        events, two = rules.owed_events(a_call(new_id())), [endpoint(), endpoint()]
        once, again = (owed_deliveries(events, two, at) for at in (NOW, LAST))
        assert [each.id for each in once] == [each.id for each in again]
        assert len({each.id for each in once}) == 2
