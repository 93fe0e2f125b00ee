"""An actor dies while the caller speaks, while the agent thinks or while it speaks: what the caller hears, and what the
log of the whole call holds.
"""

from actors.call_session import prompt, protocol as p
from providers.roles import Message
from tests.call_session.crashing import ANSWER, SOON_S, asked, begun, user_turns


# --- the caller ---------------------------------------------------------------------------------------
def test_a_caller_who_speaks_notices_nothing() -> None:
    call = begun()
    call.speak(1.0)
    call.crash(meanwhile=0.9)
    call.speak(0.5)
    call.be_quiet(0.2)
    call.recognise("book a visit")
    call.be_quiet(0.8)
    call.reply("Which day?")
    call.be_quiet(3.0)
    assert call.log() == [("assistant", "Hello."), ("user", "book a visit"), ("assistant", "Which day?")]


def test_a_caller_who_spoke_on_needs_no_bridge_while_their_words_are_recognised() -> None:
    call = begun()
    call.speak(1.0)
    call.crash(meanwhile=0.9)
    call.be_quiet(1.0)
    assert prompt.RESUMED not in call.orders()
    call.recognise("book a visit")
    call.be_quiet(0.3)
    call.reply("Which day?")
    call.be_quiet(4.0)
    assert call.log()[1:] == [("user", "book a visit"), ("assistant", "Which day?")]


def test_what_was_said_before_the_crash_is_listened_to_again() -> None:
    call = begun()
    call.speak(2.0)
    again = call.crash(meanwhile=0.9)
    assert any(isinstance(c, p.OpenUtterance) for c in again)
    call.be_quiet(0.2)
    assert call.last(p.Transcribe).speech_s > 2.0


def test_a_caller_who_pauses_is_answered_as_soon_as_their_words_are_known() -> None:
    call = begun()
    call.speak(1.0)
    call.be_quiet(0.2)
    call.crash()
    call.be_quiet(0.3)
    call.recognise("book a visit")
    call.be_quiet(0.4)
    call.reply("Which day?")
    call.be_quiet(3.0)
    assert call.waited_s() <= SOON_S
    assert user_turns(call) == ["book a visit"]
    assert call.log()[-1][1].endswith("Which day?")


def test_a_caller_who_waits_for_their_words_to_be_recognised_hears_of_the_dropped_line() -> None:
    call = begun()
    call.speak(1.0)
    call.be_quiet(1.0)
    again = call.crash(gap_s=1.5)
    assert call.orders_since(again) == prompt.RESUMED
    assert call.waited_s() <= SOON_S
    call.recognise("book a visit")
    call.be_quiet(0.3)
    call.reply("Which day?")
    call.be_quiet(4.0)
    assert call.log()[1:] == [("user", "book a visit"), ("assistant", f"{prompt.RESUMED} Which day?")]


def test_noise_in_the_gap_does_not_swallow_what_is_owed() -> None:
    call = asked()
    call.crash(meanwhile=0.9)
    call.be_quiet(0.2)
    call.recognise("")
    call.be_quiet(1.0)
    assert call.last(p.StartReply).messages[-1] == Message("user", "book a visit")
    call.reply("Which day?")
    call.be_quiet(4.0)
    assert user_turns(call) == ["book a visit"]
    assert call.log()[-1][1].endswith("Which day?")


def test_a_caller_who_asks_for_something_else_in_the_gap_is_answered_that() -> None:
    call = asked()
    call.crash(meanwhile=0.9)
    call.speak(0.5)
    call.be_quiet(0.2)
    call.recognise("on tuesday please")
    call.be_quiet(1.0)
    call.reply("Tuesday it is.")
    call.be_quiet(4.0)
    assert call.last(p.StartReply).messages[-1].content == "book a visit on tuesday please"
    assert call.log()[1:] == [
        ("user", "book a visit"),
        ("user", "on tuesday please"),
        ("assistant", "Tuesday it is."),
    ]


# --- the agent thinks ---------------------------------------------------------------------------------
def test_a_question_that_was_not_answered_is_answered_after_the_bridge() -> None:
    call = asked()
    again = call.crash()
    assert [type(c) for c in again][:2] == [p.ClearPlayback, p.StartReply]
    assert call.last(p.StartReply).messages[-1] == Message("user", "book a visit")
    assert call.orders_since(again) == prompt.RESUMED
    assert call.waited_s() <= SOON_S
    call.reply("Which day?")
    call.be_quiet(4.0)
    assert call.log()[1:] == [("user", "book a visit"), ("assistant", f"{prompt.RESUMED} Which day?")]


def test_a_question_that_was_not_in_the_log_is_recognised_again_and_answered_once() -> None:
    call = begun()
    call.say("book a visit")
    assert user_turns(call) == []
    call.crash()
    call.recognise("book a visit")
    call.be_quiet(0.5)
    call.reply("Which day?")
    call.be_quiet(4.0)
    assert user_turns(call) == ["book a visit"]


def test_a_question_that_had_just_reached_the_log_is_not_recognised_again() -> None:
    call = begun()
    call.say("book a visit")
    call.reply("Which day?")
    assert user_turns(call) == ["book a visit"]
    heard = len(call.all(p.OpenUtterance))
    call.crash()
    call.be_quiet(2.0)
    assert len(call.all(p.OpenUtterance)) == heard


def test_a_model_that_fails_after_the_crash_is_apologised_for() -> None:
    call = asked()
    call.crash()
    call.send(p.ReplyFailed(call.last(p.StartReply).turn))
    call.be_quiet(8.0)
    assert call.log()[-1][1].endswith(prompt.REPLY_FAILED)


# --- the agent speaks ---------------------------------------------------------------------------------
def test_a_turn_that_was_cut_is_in_the_log_as_far_as_it_was_heard_and_gone_on_with() -> None:
    call = asked()
    call.reply(ANSWER)
    call.be_quiet(2.0)
    again = call.crash()
    first, cut = again[:2]
    assert isinstance(first, p.ClearPlayback)
    assert isinstance(cut, p.SaveTurn)
    assert cut.interrupted
    assert ANSWER.startswith(cut.text)
    assert 9 <= len(cut.text.split()) <= 14
    assert [m.content for m in call.last(p.StartReply).messages[-2:]] == [cut.text, prompt.GO_ON]
    assert call.waited_s() <= SOON_S
    call.reply("And bring your papers.")
    call.be_quiet(5.0)
    assert [text for _, text in call.log()[2:]] == [cut.text, f"{prompt.RESUMED} And bring your papers."]


def test_a_turn_that_was_heard_to_its_end_is_not_gone_on_with() -> None:
    call = asked()
    call.reply("Which day?")
    call.wait(0.35)
    again = call.crash()
    call.be_quiet(4.0)
    assert len(call.all(p.StartReply)) == 1
    assert call.orders_since(again) == prompt.RESUMED
    assert call.log()[2:] == [("assistant", "Which day?"), ("assistant", prompt.RESUMED)]
    assert not call.turns[2].interrupted


def test_an_answer_that_may_have_been_whole_is_gone_on_with() -> None:
    call = asked()
    call.reply("Your visit is on Tuesday.")
    call.be_quiet(0.8)
    call.crash()
    assert call.log()[2:] == [("assistant", "Your visit is on Tuesday.")]
    assert call.last(p.StartReply).messages[-1].content == prompt.GO_ON


def test_where_nobody_waits_for_anything_only_the_bridge_is_said() -> None:
    call = asked()
    call.reply("Which day?")
    call.be_quiet(4.0)
    again = call.crash()
    call.be_quiet(4.0)
    assert call.orders_since(again) == prompt.RESUMED
    assert call.log()[2:] == [("assistant", "Which day?"), ("assistant", prompt.RESUMED)]


def test_a_turn_the_caller_had_silenced_is_not_taken_for_heard() -> None:
    call = asked()
    call.reply(ANSWER)
    call.be_quiet(0.4)
    call.speak(2.0)
    call.crash(meanwhile=0.9)
    cut = call.turns[2]
    assert len(cut.content.split()) <= 6
    call.be_quiet(0.2)
    call.recognise("no wait")
    call.be_quiet(0.7)
    call.reply("Yes?")
    call.be_quiet(3.0)
    assert [text for _, text in call.log()[3:]] == ["no wait", "Yes?"]


def test_the_marks_of_the_dead_actor_confirm_nothing() -> None:
    call = asked()
    call.reply(ANSWER)
    marks = [command.name for command in call.all(p.SendMark)]
    call.crash()
    before = len(call.turns)
    for mark in marks:
        call.send(p.PlaybackMark(mark))
    assert len(call.turns) == before
    assert not set(marks) & {command.name for command in call.all(p.SendMark)[len(marks) :]}
