"""Reply latencies are found in what the ear received."""

from collections.abc import Sequence

import numpy as np
import pytest

from simulators.ear import Ear
from simulators.report import CallReport, Reply, Utterance, dead_air, replies_to
from simulators.sound import Floats

RATE_HZ = 8_000


def tone(seconds: float) -> Floats:
    """Sound above the loudness threshold."""
    return np.full(round(seconds * RATE_HZ), 0.25, dtype=np.float32)


def latencies(utterances: Sequence[Utterance], ear: Ear) -> list[tuple[float | None, float | None]]:
    """Seconds to arrival and to sound of each reply, to the tenth of a millisecond."""
    return [
        (reply.arrived_s and round(reply.arrived_s, 4), reply.audible_s and round(reply.audible_s, 4))
        for reply in replies_to(utterances, ear)
    ]


def said(start: float, end: float) -> Utterance:
    """An utterance of the caller."""
    return Utterance("say", "words", start, end, end + 0.05)


@pytest.fixture
def ear() -> Ear:
    return Ear(RATE_HZ, origin=0.0)


def test_a_reply_is_timed_on_arrival_and_when_heard(ear: Ear) -> None:
    ear.hear(np.concatenate([np.zeros(800, dtype=np.float32), tone(0.3)]), 3.0)
    assert latencies([said(1.0, 2.0)], ear) == [(1.0, 1.1)]


def test_audio_before_the_next_utterance_answers_only_this_one(ear: Ear) -> None:
    ear.hear(tone(0.5), 2.5)
    assert latencies([said(1.0, 2.0), said(4.0, 5.0)], ear) == [(0.5, 0.5), (None, None)]


def test_audio_that_runs_on_after_an_interruption_is_no_reply(ear: Ear) -> None:
    for at in np.arange(1.0, 4.0, 0.2):
        ear.hear(tone(0.2), float(at) if at == 1.0 else float(at) - 0.1)
    assert latencies([said(2.0, 3.0)], ear) == [(None, None)]


def test_after_a_clear_the_next_audio_is_the_reply(ear: Ear) -> None:
    ear.hear(tone(9.0), 1.0)
    ear.clear(2.4)
    ear.hear(tone(0.5), 3.6)
    assert latencies([said(2.0, 3.0)], ear) == [(0.6, 0.6)]


def test_a_silent_caller_has_no_replies(ear: Ear) -> None:
    ear.hear(tone(0.5), 1.0)
    assert replies_to([], ear) == ()


def test_a_report_prints_moments_since_its_beginning() -> None:
    report = CallReport(
        "sid", "+1", "+2", RATE_HZ, 100.0, 105.5, "caller", utterances=(said(101.0, 102.0),), replies=(Reply(0.5, 0.6),)
    )
    body = report.as_json()
    assert body["durationS"] == 5.5
    reply = {"replyArrivedS": 0.5, "replyAudibleS": 0.6, "replyEarlyS": None}
    assert body["utterances"] == [{"kind": "say", "text": "words", "startS": 1.0, "endS": 2.0, **reply}]


def test_an_answer_into_a_pause_of_the_callers_is_early(ear: Ear) -> None:
    ear.hear(tone(0.2), 1.8)
    ear.clear(1.9)
    ear.hear(tone(0.3), 3.0)
    (reply,) = replies_to([said(1.0, 2.5)], ear)
    assert reply.early_s == pytest.approx(0.7)
    assert reply.arrived_s == pytest.approx(0.5)


def test_what_the_agent_goes_on_saying_is_not_early(ear: Ear) -> None:
    ear.hear(tone(5.0), 0.5)
    assert replies_to([said(1.0, 2.5)], ear)[0].early_s is None


@pytest.mark.parametrize(
    ("speech", "first_s", "longest_s"),
    [
        pytest.param([(5.5, 7.0)], 0.5, 0.5, id="one answer"),
        pytest.param([(5.5, 6.0), (8.0, 9.0)], 0.5, 2.0, id="it falls silent in between"),
        pytest.param([(1.0, 2.0), (4.0, 6.0), (6.5, 7.0)], 0.0, 0.5, id="it speaks already"),
        pytest.param([(1.0, 2.0), (16.0, 17.0)], None, 10.0, id="nothing in time"),
    ],
)
def test_dead_air_ends_where_the_callers_turn_begins(
    speech: list[tuple[float, float]], first_s: float | None, longest_s: float
) -> None:
    assert dead_air(speech, 5.0, 15.0) == (first_s, longest_s)
