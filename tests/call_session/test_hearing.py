"""When the caller's turn is over, and what is asked of recogniser, model and voice before that: event by event."""

from itertools import pairwise

import pytest

from actors.call_session import protocol as p
from actors.call_session.turn import WINDOW_S
from models.conversation import TurnTaking
from providers.roles import SttKind
from tests.call_session.conversation import Conversation

COMPLETE, UNSURE, INCOMPLETE = "Book a visit for Tuesday, please.", "a table", "my name is"
NO_LEARNING = TurnTaking(learns_pauses=False)


def listening(**rules: object) -> Conversation:
    call = Conversation(turn_taking=TurnTaking.model_validate({"learns_pauses": False, **rules}))
    call.answer()
    return call


def kinds(call: Conversation) -> list[SttKind]:
    return [asked.kind for asked in call.all(p.Transcribe)]


def silence_to_end(call: Conversation, text: str) -> float:
    """Seconds of silence from the end of speech to the end of the turn."""
    call.hear_caller(text, pause_s=3 * WINDOW_S)
    return 3 * WINDOW_S + call.quiet_until(p.CloseUtterance)


@pytest.mark.parametrize(("text", "seconds"), [(COMPLETE, 0.35), (UNSURE, 0.55), (INCOMPLETE, 0.9)])
def test_the_silence_that_ends_a_turn_depends_on_its_words(text: str, seconds: float) -> None:
    assert silence_to_end(listening(), text) == pytest.approx(seconds, abs=WINDOW_S / 2)


@pytest.mark.parametrize(("text", "seconds"), [(COMPLETE, 0.2), (UNSURE, 0.8), (INCOMPLETE, 1.6)])
def test_an_agent_may_have_its_own_silences(text: str, seconds: float) -> None:
    call = listening(end_ms=800, end_complete_ms=200, end_incomplete_ms=1600)
    assert silence_to_end(call, text) == pytest.approx(seconds, abs=WINDOW_S / 2)


def test_a_turn_whose_words_are_not_known_ends_after_the_middle_silence() -> None:
    call = listening()
    call.speak()
    assert call.quiet_until(p.CloseUtterance) == pytest.approx(0.55, abs=WINDOW_S / 2)


def test_words_that_read_complete_end_a_turn_that_has_been_quiet_for_long_enough() -> None:
    call = listening()
    call.speak()
    call.be_quiet(0.45)
    assert p.CloseUtterance(1) in call.recognise(COMPLETE)


def test_words_that_go_on_for_sure_stretch_a_wait_that_has_begun() -> None:
    call = listening()
    call.speak()
    call.be_quiet(0.5)
    call.recognise(INCOMPLETE)
    assert 16 * WINDOW_S + call.quiet_until(p.CloseUtterance) == pytest.approx(0.9, abs=WINDOW_S / 2)


def a_turn_with_a_pause(call: Conversation, pause_s: float) -> None:
    call.speak()
    call.be_quiet(pause_s)
    call.say(UNSURE)
    call.voice(call.reply("Fine."))
    call.wait(2.0)


def test_a_caller_who_pauses_within_sentences_is_waited_for_longer() -> None:
    call = Conversation()
    call.answer()
    for _ in range(4):
        a_turn_with_a_pause(call, 0.5)
    assert silence_to_end(call, UNSURE) > 0.58


def test_a_caller_without_pauses_is_answered_sooner() -> None:
    call = Conversation()
    call.answer()
    for _ in range(6):
        call.say(UNSURE)
        call.voice(call.reply("Fine."))
        call.wait(2.0)
    assert silence_to_end(call, UNSURE) < 0.53


def test_an_agent_that_does_not_learn_waits_the_same_for_everybody() -> None:
    call = listening()
    for _ in range(4):
        a_turn_with_a_pause(call, 0.5)
    assert silence_to_end(call, UNSURE) == pytest.approx(0.55, abs=WINDOW_S / 2)


def test_a_turn_taken_for_over_too_early_teaches_a_longer_wait() -> None:
    call = Conversation()
    call.answer()
    for _ in range(5):
        call.hear_caller(COMPLETE)
        call.be_quiet(0.45)
        call.say(COMPLETE)
        call.voice(call.reply("Fine."))
        call.wait(2.0)
    assert silence_to_end(call, COMPLETE) > 0.38


def test_speech_after_a_pause_goes_on_with_the_same_utterance() -> None:
    call = listening()
    call.hear_caller("book a")
    call.speak()
    call.say(COMPLETE)
    call.wait(1.0)
    assert call.all(p.OpenUtterance) == [p.OpenUtterance(1)]
    assert call.saved() == [("user", COMPLETE)]


# --- what is prepared before the end ------------------------------------------------------------------
def test_without_speculation_the_text_is_asked_for_at_the_end_alone() -> None:
    call = listening(speculation=False)
    call.speak(0.6)
    call.hear(0.01, 0.1, hush_s=0.1)
    assert kinds(call) == []
    call.quiet_until(p.CloseUtterance)
    assert kinds(call) == [SttKind.FINAL]
    assert not call.all(p.StartReply)
    call.recognise(COMPLETE)
    assert len(call.all(p.StartReply)) == 1


def test_without_preemption_the_model_is_asked_at_the_end_alone() -> None:
    call = listening(preemption=False)
    call.hear_caller(COMPLETE)
    assert not call.all(p.StartReply)
    call.quiet_until(p.StartReply)
    assert call.commands.index(call.last(p.CloseUtterance)) < call.commands.index(call.last(p.StartReply))


def test_the_first_quiet_is_recognised_and_the_pause_confirms_it() -> None:
    call = listening()
    call.speak(0.6)
    (hush,) = [c for c in call.hear(0.01, WINDOW_S, hush_s=0.05) if isinstance(c, p.Transcribe)]
    assert hush.kind is SttKind.SPEC
    assert any(isinstance(c, p.StartReply) for c in call.recognise("book a table"))
    (pause,) = [c for c in call.hear(0.01, 0.1, hush_s=0.1) if isinstance(c, p.Transcribe)]
    assert (pause.kind, pause.revision) == (SttKind.SPEC, hush.revision + 1)
    call.recognise("Book a table.")
    call.be_quiet(0.5)
    assert len(call.all(p.StartReply)) == 1
    assert not call.all(p.CancelTurn)
    call.wait(1.0)
    assert call.saved() == [("user", "Book a table.")]


def test_a_draft_for_other_words_is_dropped() -> None:
    call = listening()
    call.speak(0.6)
    call.hear(0.01, WINDOW_S, hush_s=0.05)
    call.recognise("book a table")
    draft = call.last(p.StartReply).turn
    call.hear(0.01, 0.1, hush_s=0.1)
    commands = call.recognise("cook a table")
    assert p.CancelTurn(draft) in commands
    assert call.last(p.StartReply).messages[-1].content == "cook a table"


def test_words_that_must_go_on_are_not_answered_at_the_first_quiet() -> None:
    call = listening()
    call.speak(0.6)
    call.hear(0.01, WINDOW_S, hush_s=0.05)
    call.recognise(INCOMPLETE)
    assert not call.all(p.StartReply)


def test_a_draft_of_the_first_quiet_is_not_voiced_before_the_pause() -> None:
    call = listening()
    call.speak(0.6)
    call.hear(0.01, WINDOW_S, hush_s=0.05)
    call.recognise("book a table")
    call.reply("Very well. For whom?")
    assert call.orders() == []
    call.hear(0.01, 0.1, hush_s=0.1)
    call.recognise("book a table")
    assert call.orders() == ["Very well."]


def test_a_quiet_that_was_a_stop_consonant_is_asked_about_again_when_it_is_a_pause() -> None:
    call = listening()
    call.speak(0.6)
    call.hear(0.01, WINDOW_S, hush_s=0.05)
    call.recognise("book a table")
    call.speak(0.3)
    call.hear_caller("book a table for two", 0.2)
    call.be_quiet(0.6)
    call.wait(1.0)
    assert call.saved() == [("user", "book a table for two")]


# --- the recogniser's answers -------------------------------------------------------------------------
def test_a_speculative_recognition_under_way_at_the_end_becomes_the_final_one() -> None:
    call = listening()
    call.speak(0.6)
    call.be_quiet(0.12)
    spec = call.last(p.Transcribe)
    call.be_quiet(0.6)
    final = call.last(p.Transcribe)
    assert (spec.kind, final.kind) == (SttKind.SPEC, SttKind.FINAL)
    assert (final.utterance, final.revision, final.speech_s) == (spec.utterance, spec.revision, spec.speech_s)
    call.recognise(COMPLETE)
    call.wait(1.0)
    assert call.saved() == [("user", COMPLETE)]


def test_a_speculative_recognition_that_was_shed_is_made_up_for_at_the_end() -> None:
    call = listening()
    call.speak(0.6)
    call.be_quiet(0.12)
    call.recognise("", rejected="shed")
    assert kinds(call) == [SttKind.SPEC]
    call.be_quiet(0.6)
    assert kinds(call) == [SttKind.SPEC, SttKind.FINAL]
    assert call.last(p.Transcribe).revision == 2


def test_a_speculative_recognition_shed_after_the_end_is_asked_for_again() -> None:
    call = listening()
    call.speak(0.6)
    call.be_quiet(0.7)
    call.recognise("", rejected="shed")
    assert call.last(p.Transcribe).kind is SttKind.FINAL
    call.recognise(COMPLETE)
    call.wait(1.0)
    assert call.saved() == [("user", COMPLETE)]


def test_a_final_that_fails_is_asked_for_once_more() -> None:
    call = listening(speculation=False)
    call.speak(0.6)
    call.be_quiet(0.7)
    asked = call.last(p.Transcribe)
    call.send(p.TranscribeFailed(asked.utterance, asked.revision))
    assert kinds(call) == [SttKind.FINAL, SttKind.FINAL]
    call.recognise(COMPLETE)
    call.wait(1.0)
    assert call.saved() == [("user", COMPLETE)]
    assert not call.all(p.ReportError)


def test_a_speculative_recognition_that_fails_costs_nothing() -> None:
    call = listening()
    call.speak(0.6)
    call.be_quiet(0.12)
    asked = call.last(p.Transcribe)
    assert call.send(p.TranscribeFailed(asked.utterance, asked.revision)) == []
    call.be_quiet(0.6)
    call.recognise(COMPLETE)
    call.wait(1.0)
    assert call.saved() == [("user", COMPLETE)]


def test_a_failure_of_something_older_is_nobodys() -> None:
    call = listening()
    call.speak(0.6)
    call.be_quiet(0.12)
    old = call.last(p.Transcribe)
    call.speak(0.3)
    call.be_quiet(0.7)
    for _ in range(3):
        assert call.send(p.TranscribeFailed(old.utterance, old.revision)) == []
    call.recognise(COMPLETE)
    call.wait(1.0)
    assert call.saved() == [("user", COMPLETE)]


def test_partial_texts_are_told_with_growing_revisions_and_the_final_one_is_higher() -> None:
    call = listening()
    call.speak(1.0)
    call.recognise("book")
    call.speak(0.6)
    call.recognise("book a visit")
    call.speak(0.6)
    call.hear_caller("book a visit for tuesday please.", 0.2)
    call.be_quiet(0.6)
    call.wait(1.0)
    partials = call.all(p.TellPartial)
    assert partials[0].text == "book"
    assert [one.revision < two.revision for one, two in pairwise(partials)] == [True] * (len(partials) - 1)
    assert call.last(p.SaveTurn).revision > partials[-1].revision
