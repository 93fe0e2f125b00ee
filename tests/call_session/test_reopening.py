"""The caller goes on before the answer to what they said is heard."""

from itertools import pairwise
from typing import Any

import pytest

from actors.call_session import protocol as p
from models.conversation import TurnTaking
from providers.roles import Message, SttKind
from tests.call_session.conversation import LEVEL, Conversation

FIRST, REST = "book a visit", "for two people please."
ANSWER = "one two three four five six seven eight nine ten."


def over(**more: Any) -> Conversation:
    """A turn has just ended and is being answered; nothing of the answer has sounded."""
    call = Conversation(**more)
    call.answer()
    call.hear_caller(FIRST)
    assert any(isinstance(c, p.CloseUtterance) for c in call.be_quiet(0.3))
    return call


def test_both_parts_are_one_turn_with_one_answer() -> None:
    call = over()
    early = call.reply("For how many people?")
    call.speak(0.5)
    call.voice(early)
    call.hear_caller(REST, 0.5)
    call.be_quiet(0.6)
    call.voice(call.reply("A visit for two."))
    call.be_quiet(3.0)
    assert call.saved() == [("user", f"{FIRST} {REST}"), ("assistant", "A visit for two.")]
    assert call.last(p.StartReply).messages[-1].content == f"{FIRST} {REST}"
    assert sum(message.role == "user" for message in call.last(p.StartReply).messages) == 1
    assert call.heard_s() == pytest.approx(4 * 0.2)


def test_the_answer_to_the_first_part_is_cancelled() -> None:
    call = over()
    first = call.last(p.StartReply).turn
    call.speak(0.5)
    call.hear_caller(REST, 0.5)
    assert p.CancelTurn(first) in call.commands


def test_the_turn_begins_where_its_first_part_began_and_ends_where_its_last_ended() -> None:
    call = over()
    call.speak(0.5)
    call.hear_caller(REST, 0.5)
    call.be_quiet(2.0)
    (turn,) = call.all(p.SaveTurn)
    assert turn.timings.speech_start_ms is not None
    assert turn.timings.speech_end_ms is not None
    assert turn.timings.speech_start_ms < 50
    assert turn.timings.speech_end_ms > 2000


def test_revisions_go_on_growing() -> None:
    call = over()
    call.speak(1.0)
    call.recognise("for two")
    call.hear_caller(REST, 0.5)
    call.be_quiet(2.0)
    partials = call.all(p.TellPartial)
    assert len(partials) >= 3
    assert all(one.revision < two.revision for one, two in pairwise(partials))
    assert call.last(p.SaveTurn).revision > partials[-1].revision


def test_partial_texts_tell_the_whole_turn() -> None:
    call = over()
    call.speak(1.0)
    call.recognise("for two")
    assert call.last(p.TellPartial).text == f"{FIRST} for two"


def test_a_cough_keeps_the_answer() -> None:
    call = over()
    call.reply("For how many people?")
    call.speak(0.3)
    call.be_quiet(0.12)
    call.recognise("")
    call.be_quiet(0.8)
    call.voice()
    assert call.level() == LEVEL
    call.be_quiet(3.0)
    assert len(call.all(p.StartReply)) == 1
    assert call.saved() == [("user", FIRST), ("assistant", "For how many people?")]


def test_after_a_cough_the_turn_ended_where_its_words_did() -> None:
    call = over()
    call.speak(0.3)
    call.be_quiet(0.12)
    call.recognise("")
    call.be_quiet(2.0)
    (turn,) = call.all(p.SaveTurn)
    assert turn.timings.speech_end_ms is not None
    assert turn.timings.speech_end_ms < 1100


def test_a_cough_in_two_parts_keeps_the_answer() -> None:
    call = over()
    for _ in range(2):
        call.speak(0.3)
        call.be_quiet(0.12)
        call.recognise("")
    call.be_quiet(2.0)
    assert len(call.all(p.StartReply)) == 1


def test_a_question_that_was_never_heard_does_not_make_an_answer_of_what_follows() -> None:
    call = Conversation(turn_taking=TurnTaking(learns_pauses=False))
    call.answer()
    call.hear_caller("a table")
    call.quiet_until(p.CloseUtterance)
    call.reply("What is your name?")
    call.hear_caller("maria", 0.5, pause_s=0.096)
    assert 0.096 + call.quiet_until(p.CloseUtterance) == pytest.approx(0.55, abs=0.016)


def test_once_the_answer_is_heard_it_is_an_interruption() -> None:
    call = over()
    call.voice(call.reply("For how many people would that be then?"))
    call.be_quiet(0.2)
    assert call.level() == LEVEL
    call.hear_caller(REST, 0.5)
    call.be_quiet(2.0)
    users = [text for role, text in call.saved() if role == "user"]
    assert users == [FIRST, REST]
    assert [turn.interrupted for turn in call.all(p.SaveTurn) if turn.role == "assistant"] == [True]


def test_a_turn_that_goes_on_may_end_with_the_call() -> None:
    call = over()
    call.speak(0.5)
    call.send(p.HungUp("callended"))
    assert call.last(p.Transcribe).kind is SttKind.FINAL
    call.recognise(REST)
    assert call.saved() == [("user", f"{FIRST} {REST}")]
    assert call.all(p.Finish)


def test_words_that_were_known_are_kept_when_the_rest_is_never_recognised() -> None:
    call = over()
    call.speak(0.5)
    call.send(p.HungUp("callended"))
    call.wait(5.0)
    assert call.all(p.Finish)
    assert call.saved() == [("user", FIRST)]


def test_without_preemption_a_turn_that_goes_on_is_one_as_well() -> None:
    call = over(turn_taking=TurnTaking(preemption=False))
    call.speak(0.5)
    call.hear_caller(REST, 0.5)
    call.be_quiet(2.0)
    assert call.saved() == [("user", f"{FIRST} {REST}")]


# --- the turn is in the log already, its answer is still thought of ------------------------------------
def thought_of() -> Conversation:
    """The caller's turn is over for longer than a second and the model has not written anything."""
    call = Conversation(has_voice=True, turn_taking=TurnTaking(acknowledge_after_ms=0))
    call.answer()
    call.say("tell me everything")
    call.be_quiet(0.8)
    assert call.saved() == [("user", "tell me everything")]
    call.commands.clear()
    return call


def test_an_answer_that_comes_while_the_caller_speaks_again_is_not_begun() -> None:
    call = thought_of()
    call.speak(0.3)
    call.send(p.ReplyPiece(1, ANSWER))
    call.send(p.ReplyDone(1))
    call.speak(0.5)
    assert call.sounds == []
    call.hear_caller("and now", 0.1)
    call.be_quiet(1.7)
    assert call.saved() == [("user", "and now")]
    assert call.last(p.StartReply).messages[-1] == Message("user", "tell me everything and now")


def test_a_cough_while_the_answer_is_thought_of_holds_it_up_at_most() -> None:
    call = thought_of()
    call.speak(0.3)
    call.send(p.ReplyPiece(1, ANSWER))
    call.send(p.ReplyDone(1))
    call.be_quiet(0.12)
    call.recognise("")
    assert call.level() == LEVEL
    call.be_quiet(3.5)
    assert call.saved() == [("assistant", ANSWER)]
    barge_ins = call.last(p.SaveTurn).timings.barge_ins
    assert [(each.decision, each.reason) for each in barge_ins] == [("hold", "speech"), ("restore", "noise")]


def test_an_apology_does_not_talk_over_the_caller() -> None:
    call = thought_of()
    call.speak(0.3)
    call.send(p.ReplyFailed(1))
    call.speak(0.5)
    assert call.sounds == []
