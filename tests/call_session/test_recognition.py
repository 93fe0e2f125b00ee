"""How often the recogniser is asked, by how busy it said it is."""

from itertools import pairwise

import pytest

from actors.call_session import protocol as p
from actors.call_session.recognition import LEVELS, Effort
from actors.call_session.turn import WINDOW_S
from providers.roles import Message, SttKind
from tests.call_session.conversation import Conversation

INFINITE = float("inf")


def at(backlog_ms: float) -> Conversation:
    """A live call whose recogniser has just told its backlog, with nothing said so far."""
    call = Conversation()
    call.answer()
    call.speak(0.2)
    call.be_quiet(0.7)
    call.recognise("", backlog_ms=backlog_ms)
    call.commands.clear()
    return call


def asked(call: Conversation, kind: SttKind) -> list[p.Transcribe]:
    return [order for order in call.all(p.Transcribe) if order.kind is kind]


@pytest.mark.parametrize(("backlog_ms", "every_s"), [(0, 0.5), (60, 0.5), (100, 1.0), (300, 2.0)])
def test_words_so_far_are_asked_for_in_a_cadence(backlog_ms: float, every_s: float) -> None:
    call = at(backlog_ms)
    times = []
    for _ in range(250):
        times += [call.now for c in call.speak(WINDOW_S) if isinstance(c, p.Transcribe)]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert gaps
    assert gaps == pytest.approx([every_s] * len(gaps), abs=WINDOW_S)
    assert set(order.kind for order in call.all(p.Transcribe)) == {SttKind.PARTIAL}


@pytest.mark.parametrize("backlog_ms", [500, 900])
def test_a_busy_recogniser_is_not_asked_for_words_so_far(backlog_ms: float) -> None:
    call = at(backlog_ms)
    call.speak(8.0)
    assert call.all(p.Transcribe) == []


def test_the_first_words_are_not_asked_for_before_0_7_seconds() -> None:
    call = at(0)
    call.speak(0.66)
    assert not asked(call, SttKind.PARTIAL)
    call.speak(0.1)
    assert len(asked(call, SttKind.PARTIAL)) == 1


@pytest.mark.parametrize(("backlog_ms", "windows"), [(0, 3), (60, 3), (100, 4), (300, 5), (500, 5)])
def test_a_pause_is_longer_when_the_recogniser_is_busy(backlog_ms: float, windows: int) -> None:
    call = at(backlog_ms)
    call.speak(0.5)
    assert call.quiet_until(p.Transcribe) == pytest.approx(windows * WINDOW_S)
    assert call.last(p.Transcribe).kind is SttKind.SPEC


def test_an_overloaded_recogniser_is_asked_at_the_end_alone() -> None:
    call = at(900)
    call.speak(0.5)
    assert call.quiet_until(p.Transcribe) == pytest.approx(17 * WINDOW_S)
    assert call.last(p.Transcribe).kind is SttKind.FINAL


@pytest.mark.parametrize(("backlog_ms", "is_asked"), [(0, True), (60, False), (100, False)])
def test_the_first_quiet_is_worth_a_recognition_while_there_is_time(backlog_ms: float, is_asked: bool) -> None:
    call = at(backlog_ms)
    call.speak(0.5)
    call.hear(0.01, WINDOW_S, hush_s=0.05)
    assert bool(asked(call, SttKind.SPEC)) is is_asked


def test_a_recogniser_that_has_caught_up_is_asked_as_before() -> None:
    call = at(900)
    call.speak(0.5)
    call.be_quiet(0.7)
    call.recognise("", backlog_ms=0)
    call.commands.clear()
    call.speak(1.0)
    assert len(asked(call, SttKind.PARTIAL)) == 1


def test_while_the_agent_is_interrupted_words_are_asked_for_with_almost_every_packet() -> None:
    effort = Effort()
    assert not effort.asks_for_words(0.19, INFINITE, is_contested=True)
    assert effort.asks_for_words(0.2, 0.13, is_contested=True)
    assert not effort.asks_for_words(0.4, 0.12, is_contested=True)
    assert not Effort(backlog_ms=500).asks_for_words(9.0, INFINITE, is_contested=True)


def test_a_level_begins_where_the_one_before_ends() -> None:
    assert [level.backlog_ms for level in LEVELS] == sorted(level.backlog_ms for level in LEVELS)
    for level, following in pairwise(LEVELS):
        assert Effort(level.backlog_ms).pause_windows == following.pause_windows
    assert LEVELS[-1].backlog_ms == INFINITE


def test_an_older_recognition_that_comes_after_a_newer_one_does_not_take_words_back() -> None:
    call = at(0)
    call.speak(1.0)
    older = call.last(p.Transcribe)
    call.speak(0.6)
    call.recognise("book a visit for tuesday")
    call.send(p.Transcribed(older.utterance, older.revision, "book"))
    assert call.last(p.TellPartial).text == "book a visit for tuesday"


def test_the_words_so_far_are_kept_when_the_last_recognition_never_comes() -> None:
    call = at(0)
    call.speak(1.0)
    call.recognise("thank you goodbye")
    call.send(p.HungUp("callended"))
    call.wait(5.0)
    assert call.all(p.Finish)
    assert call.saved() == [("user", "thank you goodbye")]


def test_guesses_that_failed_before_the_end_do_not_use_up_the_attempts_after_it() -> None:
    call = Conversation()
    call.answer()
    for _ in range(2):
        call.speak(0.5)
        call.be_quiet(0.2)
        asked = call.last(p.Transcribe)
        call.send(p.TranscribeFailed(asked.utterance, asked.revision))
    call.be_quiet(0.5)
    assert call.last(p.Transcribe).kind is SttKind.FINAL
    assert not call.all(p.ReportError)
    call.recognise("book a visit")
    assert call.last(p.StartReply).messages[-1] == Message("user", "book a visit")
