"""Nobody speaks: the agent asks, asks again, and says goodbye."""

from typing import Any

import pytest

from actors.call_session import protocol as p
from actors.call_session.patience import AGAIN_S, Patience
from models.call import CallStatus
from models.conversation import Silence, TurnTaking
from models.tool import HttpTool, Tools
from providers.roles import ToolCall
from tests.call_session.conversation import Conversation

SILENCE = Silence(reprompt_after_s=5, reprompts=2, reprompt="Hello?", goodbye="Goodbye then.")
LOOK_UP = HttpTool(name="look_up", description="Looks up.", url="https://example.com", filler="")


def alone(**more: Any) -> Conversation:
    more.setdefault("silence", SILENCE)
    call = Conversation(has_voice=True, **more)
    call.answer()
    return call


def test_the_agent_asks_twice_and_hangs_up_in_words() -> None:
    call = alone()
    times = []
    for _ in range(700):
        times += [call.now - 100 for c in call.be_quiet(0.032) if isinstance(c, p.Synthesize)]
        if call.all(p.Finish):
            break
    assert call.orders() == ["Hello?", "Hello?", "Goodbye then."]
    assert times == pytest.approx([5.0, 10.2, 15.4], abs=0.07)
    assert call.last(p.Finish) == p.Finish(CallStatus.COMPLETED, "silence")
    assert call.saved() == [("assistant", "Hello?"), ("assistant", "Hello?"), ("assistant", "Goodbye then.")]


def test_a_carrier_that_sends_no_audio_of_silence_is_asked_all_the_same() -> None:
    call = alone()
    call.wait(30.0)
    assert call.last(p.Finish).reason == "silence"


def test_without_reprompts_the_agent_says_goodbye_at_once() -> None:
    call = alone(silence=SILENCE.model_copy(update={"reprompts": 0}))
    call.be_quiet(8.0)
    assert call.orders() == ["Goodbye then."]
    assert call.last(p.Finish).reason == "silence"


def test_the_wait_begins_when_the_agent_has_finished() -> None:
    call = alone(first_message="one two three four five six seven eight nine ten.")
    call.be_quiet(6.5)
    assert "Hello?" not in call.orders()
    call.be_quiet(0.8)
    assert call.orders()[-1] == "Hello?"


def test_a_caller_who_speaks_is_asked_as_often_again() -> None:
    call = alone()
    call.be_quiet(11.0)
    assert call.orders() == ["Hello?", "Hello?"]
    call.hear_caller("yes here i am.", 0.5)
    call.be_quiet(0.5)
    call.reply("Good.")
    call.commands.clear()
    call.be_quiet(11.0)
    assert call.orders() == ["Hello?", "Hello?"]
    assert not call.all(p.Finish)


def test_noise_is_an_answer_to_nothing() -> None:
    call = alone()
    call.be_quiet(11.0)
    call.hear_caller("", 0.3)
    call.be_quiet(8.0)
    assert call.orders()[-1] == "Goodbye then."


def test_a_caller_who_speaks_on_is_not_asked() -> None:
    call = alone()
    call.speak(11.0)
    assert call.orders() == []


def test_the_goodbye_may_be_interrupted() -> None:
    call = alone(silence=SILENCE.model_copy(update={"goodbye": "one two three four five six seven eight nine ten."}))
    call.be_quiet(15.8)
    assert len(call.orders()) == 3
    call.hear_caller("wait i am here", 0.5)
    call.be_quiet(1.0)
    assert not call.all(p.Finish)
    assert call.last(p.StartReply).messages[-1].content == "wait i am here"


def test_an_answer_that_is_long_in_coming_is_no_silence_of_the_caller() -> None:
    call = alone(turn_taking=TurnTaking(acknowledge_after_ms=0))
    call.say("book a visit")
    call.be_quiet(12.0)
    assert call.orders() == []


def test_a_function_that_is_long_in_running_is_no_silence_of_the_caller() -> None:
    call = alone(turn_taking=TurnTaking(acknowledge_after_ms=0), tools=Tools(functions=(LOOK_UP,)))
    call.say("book a visit")
    call.ask_for(ToolCall("1", "look_up", "{}"))
    call.be_quiet(12.0)
    assert call.orders() == []


def test_keys_that_are_being_pressed_are_no_silence() -> None:
    call = alone()
    call.be_quiet(4.0)
    call.send(p.KeyPressed("1"))
    call.be_quiet(1.5)
    assert call.orders() == []


# --- the counts by themselves -------------------------------------------------------------------------
def test_nobody_waits_for_what_is_not_owed() -> None:
    patience = Patience(SILENCE, TurnTaking())
    assert (patience.late_at(None), patience.lonely_at(None)) == (None, None)
    assert (patience.late_at(10.0), patience.lonely_at(10.0)) == (11.5, 15.0)
    assert Patience(SILENCE, TurnTaking(acknowledge_after_ms=0)).late_at(10.0) is None


def test_the_next_announcement_waits_for_the_last_one_and_for_its_sound() -> None:
    patience = Patience(SILENCE, TurnTaking(acknowledgements=("a", "b")))
    assert patience.acknowledgement(11.5) == "a"
    assert patience.late_at(10.0) == 11.5 + AGAIN_S
    assert patience.late_at(12.0) == 12.0 + AGAIN_S
    assert [patience.acknowledgement(at) for at in (14.0, 16.0)] == ["b", "a"]


def test_the_goodbye_is_the_last_thing_said() -> None:
    patience = Patience(SILENCE, TurnTaking())
    assert [patience.reprompt() for _ in range(3)] == [("Hello?", False), ("Hello?", False), ("Goodbye then.", True)]
    patience.caller_spoke()
    assert patience.reprompt() == ("Hello?", False)
