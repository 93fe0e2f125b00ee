"""An actor dies at the beginning of a call, at its end, over a function, or twice: what the caller hears, and what the
log of the whole call holds.
"""

import pytest

from actors.call_session import prompt, protocol as p
from actors.call_session.events import LogStuck
from actors.call_session.machine import EDGE_LOST
from models.call import CallStatus
from models.conversation import Voicemail
from providers.roles import Message, ToolCall
from tests.call_session.conversation import assert_valid_chat
from tests.call_session.crashing import ANSWER, GREETING, LOOK_UP, SOON_S, FragileCall, asked, begun, user_turns


# --- functions ----------------------------------------------------------------------------------------
def test_a_function_that_ran_is_not_run_again_and_the_model_is_told() -> None:
    call = asked()
    call.ask_for(LOOK_UP)
    call.be_quiet(0.2)
    call.crash()
    asking = call.last(p.StartReply).messages
    assert_valid_chat(asking)
    assert Message("tool", prompt.LOST, tool_call_id="c1") in asking
    assert len(call.all(p.RunTool)) == 1
    call.reply("Let me see again.")
    call.be_quiet(5.0)
    assert user_turns(call) == ["book a visit"]
    (function,) = [function for turn in call.turns for function in turn.functions]
    assert (function.name, function.result) == ("look_up", None)


def test_what_a_function_gave_is_known_after_the_crash() -> None:
    call = asked()
    call.ask_for(LOOK_UP)
    call.send(p.ToolAnswered(call.last(p.RunTool).turn, "c1", "Nine is free."))
    call.crash()
    assert Message("tool", "Nine is free.", tool_call_id="c1") in call.last(p.StartReply).messages


def test_functions_of_earlier_turns_are_remembered() -> None:
    call = asked()
    call.ask_for(LOOK_UP)
    call.send(p.ToolAnswered(call.last(p.RunTool).turn, "c1", "Nine is free."))
    call.reply("Nine is free.")
    call.be_quiet(4.0)
    call.crash()
    call.be_quiet(3.0)
    call.say("yes please.")
    asking = call.last(p.StartReply).messages
    assert_valid_chat(asking)
    assert Message("tool", "Nine is free.", tool_call_id="c1") in asking


# --- beginnings ---------------------------------------------------------------------------------------
def test_a_greeting_that_was_cut_is_finished() -> None:
    call = FragileCall(first_message=GREETING)
    call.answer()
    call.be_quiet(0.7)
    again = call.crash()
    assert call.orders_since(again) == f"{prompt.RESUMED} How can I help you on this fine day?"
    assert not call.all(p.StartReply)
    call.be_quiet(6.0)
    assert call.turns[0].interrupted
    assert GREETING.startswith(call.turns[0].content)


def test_a_call_in_which_nothing_was_said_begins_anew() -> None:
    call = FragileCall(first_message=GREETING)
    call.answer()
    call.progress = None
    again = call.crash()
    assert isinstance(again[0], p.ClearPlayback)
    assert call.orders_since(again) == GREETING
    assert call.waited_s() <= SOON_S
    call.be_quiet(5.0)
    assert call.log() == [("assistant", GREETING)]


def test_an_actor_that_dies_before_it_wrote_anything_is_replaced_at_the_beginning() -> None:
    call = FragileCall(first_message=GREETING)
    call.answer()
    call.started_at = call.progress = None
    again = call.crash()
    assert [type(c) for c in again][:2] == [p.ClearPlayback, p.Connect]
    assert call.orders_since(again) == GREETING


def test_keys_that_were_being_pressed_are_waited_for() -> None:
    call = begun()
    call.send(p.KeyPressed("1"))
    call.die()
    call.answer()
    call.send(p.KeyPressed("1"))
    call.be_quiet(1.0)
    call.send(p.KeyPressed("2"))
    call.be_quiet(2.5)
    assert prompt.RESUMED not in call.orders()
    assert call.last(p.StartReply).messages[-1].content == "[keypad: 1 2]"


def test_a_caller_who_speaks_first_is_not_greeted_over() -> None:
    call = FragileCall()
    call.answer()
    call.speak(1.0)
    call.crash(meanwhile=0.9)
    call.be_quiet(0.2)
    call.recognise("book a visit")
    call.be_quiet(1.0)
    call.reply("Which day?")
    call.be_quiet(3.0)
    assert call.log() == [("user", "book a visit"), ("assistant", "Which day?")]


def test_who_picked_up_is_not_found_out_again() -> None:
    call = FragileCall(first_message="Hello.", is_outbound=True, voicemail=Voicemail(action="hangup"))
    call.answer()
    call.speak(0.6)
    call.be_quiet(4.0)
    assert call.answered_by == "human"
    call.crash()
    call.be_quiet(1.0)
    call.speak(6.0)
    call.be_quiet(3.0)
    assert len(call.all(p.SaveAnsweredBy)) == 1
    assert not call.all(p.Finish)


def test_a_voicemail_gets_its_message_all_the_same() -> None:
    voicemail = Voicemail(action="leave-message", message="Please call us back.")
    call = FragileCall(first_message="Hello.", is_outbound=True, voicemail=voicemail)
    call.answer()
    call.speak(1.0)
    call.be_quiet(0.2)
    call.recognise("please leave a message")
    assert call.answered_by == "machine-voicemail"
    call.crash()
    call.be_quiet(8.0)
    assert "Hello." not in call.orders()
    assert call.log()[-1] == ("assistant", "Please call us back.")
    assert call.last(p.Finish) == p.Finish(CallStatus.COMPLETED, "voicemail_left")


# --- ends ---------------------------------------------------------------------------------------------
def test_the_time_a_call_may_take_counts_from_when_it_was_first_answered() -> None:
    call = begun(session_timeout=30)
    call.be_quiet(20.0)
    call.crash()
    call.be_quiet(6.0)
    assert prompt.TIME_IS_UP not in " ".join(call.orders())
    call.be_quiet(2.0)
    assert prompt.TIME_IS_UP in " ".join(call.orders())


def test_moments_count_from_when_the_call_was_first_answered() -> None:
    call = begun()
    call.be_quiet(10.0)
    call.crash()
    call.be_quiet(4.0)
    call.say("book a visit")
    call.be_quiet(1.0)
    started = call.all(p.SaveTurn)[-1].timings.speech_start_ms
    assert started is not None
    assert started > 16_000


def test_a_closing_sentence_is_finished_and_the_call_ends() -> None:
    call = begun(session_timeout=10)
    call.be_quiet(9.5)
    assert " ".join(call.orders()).endswith(prompt.TIME_IS_UP)
    again = call.crash()
    rest = call.orders_since(again)
    assert prompt.TIME_IS_UP.endswith(rest)
    assert prompt.RESUMED not in call.orders()
    call.be_quiet(6.0)
    assert call.last(p.Finish) == p.Finish(CallStatus.COMPLETED, "session_timeout")


def test_a_call_whose_last_sentence_was_heard_ends_at_once() -> None:
    call = begun()
    call.send(p.CreditsExhausted())
    while call.turns[-1].content != prompt.NO_CREDITS:
        call.machine.handle(p.Tick(), call.now)
        call.be_quiet(0.1)
    call.machine.phase = call.machine.phase.LIVE  # it died before it wrote the end
    again = call.crash()
    assert p.Finish(CallStatus.COMPLETED, "credits_exhausted") in again
    assert call.orders_since(again) == ""


@pytest.mark.parametrize(
    ("function", "reason", "number"),
    [("end_call", "agent_ended", None), ("transfer_call", "transferred", "+15550001111")],
)
def test_an_agent_that_was_leaving_leaves(function: str, reason: str, number: str | None) -> None:
    call = asked()
    call.ask_for(ToolCall("c1", function, "{}"))
    call.be_quiet(0.3)
    again = call.crash()
    call.be_quiet(6.0)
    assert not [c for c in again if isinstance(c, p.StartReply)]
    assert call.last(p.Finish) == p.Finish(CallStatus.COMPLETED, reason)
    assert [c.number for c in call.all(p.SaveTransfer)[:1]] == ([number] if number else [])


def test_a_caller_who_hangs_up_in_the_gap_has_what_was_heard_in_the_log() -> None:
    call = asked()
    call.reply(ANSWER)
    call.be_quiet(1.0)
    call.die()
    call.send(p.HungUp("media_closed"))
    assert call.turns[-1].interrupted
    assert ANSWER.startswith(call.turns[-1].content)
    assert call.last(p.Finish) == p.Finish(CallStatus.COMPLETED, "media_closed")


def test_an_edge_that_dies_fails_the_call() -> None:
    call = asked()
    call.send(p.HungUp(EDGE_LOST))
    call.be_quiet(5.0)
    assert call.last(p.Finish) == p.Finish(CallStatus.FAILED, EDGE_LOST)


def test_a_log_that_cannot_be_written_ends_the_call_in_words() -> None:
    call = asked()
    call.send(LogStuck())
    call.be_quiet(8.0)
    assert " ".join(call.orders()).endswith(prompt.LOG_STUCK)
    assert call.last(p.Finish) == p.Finish(CallStatus.FAILED, "log_unavailable")


# --- again and again ----------------------------------------------------------------------------------
def test_a_second_crash_in_the_bridge_loses_and_doubles_nothing() -> None:
    call = asked()
    call.crash()
    call.be_quiet(0.3)
    call.crash()
    assert call.waited_s() <= SOON_S
    assert call.last(p.StartReply).messages[-1] == Message("user", "book a visit")
    call.reply("Which day?")
    call.be_quiet(4.0)
    assert user_turns(call) == ["book a visit"]
    assert [text for _, text in call.log()].count(f"{prompt.RESUMED} Which day?") == 1


def test_a_second_crash_in_what_is_gone_on_with_keeps_both_parts() -> None:
    call = asked()
    call.reply(ANSWER)
    call.be_quiet(2.0)
    call.crash()
    call.reply("Bring all of your papers with you and be there ten minutes early.")
    call.be_quiet(3.0)
    call.crash()
    first, second = [text for _, text in call.log()[2:]]
    assert ANSWER.startswith(first)
    assert second.startswith(f"{prompt.RESUMED} Bring all")
    asking = call.last(p.StartReply).messages
    assert_valid_chat(asking)
    assert asking[-2].content == f"{first} {second.removeprefix(prompt.RESUMED).strip()}"


def test_an_actor_that_dies_before_it_has_done_anything_changes_nothing() -> None:
    call = asked()
    call.reply(ANSWER)
    call.be_quiet(1.0)
    call.die()
    call.die()
    call.come_back()
    assert [role for role, _ in call.log()] == ["assistant", "user", "assistant"]
