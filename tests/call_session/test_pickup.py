"""Who picked up an outbound call, and what the agent does about it: event by event."""

from typing import Any

import pytest

from actors.call_session import protocol as p
from actors.call_session.machine import DRAINING_S
from models.call import CallStatus
from models.conversation import TurnTaking, Voicemail
from tests.call_session.conversation import LEVEL, Conversation

GREETING, MESSAGE = "Hello, this is the office.", "Please call us back."
MACHINE = "please leave a message after the tone"


def picked_up(action: str, *, first_message: str = GREETING, message: str = "", **more: Any) -> Conversation:
    voicemail = Voicemail.model_validate({"action": action, "message": message})
    call = Conversation(first_message=first_message, has_voice=True, is_outbound=True, voicemail=voicemail, **more)
    call.answer()
    return call


def verdicts(call: Conversation) -> list[str]:
    return [saved.answered_by for saved in call.all(p.SaveAnsweredBy)]


def greets_after(call: Conversation, limit_s: float = 5.0) -> float:
    """Seconds of silence until the greeting begins."""
    return call.quiet_until(p.SendAudio, limit_s)


# --- a person -----------------------------------------------------------------------------------------
def test_who_ignores_machines_greets_at_once_and_writes_later_who_it_was() -> None:
    call = picked_up("ignore")
    assert call.orders() == [GREETING]
    assert verdicts(call) == []
    call.be_quiet(2.0)
    call.speak(0.5)
    call.be_quiet(0.7)
    assert verdicts(call) == ["human"]
    assert call.orders() == [GREETING]


def test_an_inbound_call_is_greeted_at_once_and_nobody_asks_who_it_is() -> None:
    call = Conversation(first_message=GREETING, has_voice=True, voicemail=Voicemail(action="hangup"))
    call.answer()
    assert call.level() == LEVEL
    call.say(MACHINE)
    call.be_quiet(2.0)
    assert verdicts(call) == []
    assert not call.all(p.Finish)


@pytest.mark.parametrize("action", ["hangup", "leave-message"])
def test_a_person_who_says_hello_is_greeted_half_a_second_later(action: str) -> None:
    call = picked_up(action)
    call.be_quiet(0.8)
    call.speak(0.5)
    assert call.sounds == []
    assert greets_after(call) == pytest.approx(0.5, abs=0.15)
    assert verdicts(call) == ["human"]


def test_what_the_person_said_is_kept_and_does_not_stop_the_greeting() -> None:
    call = picked_up("hangup")
    call.be_quiet(0.5)
    call.hear_caller("hello", 0.5)
    call.be_quiet(3.0)
    assert call.saved() == [("user", "hello"), ("assistant", GREETING)]
    assert not call.all(p.StartReply)


def test_a_hello_that_is_recognised_after_the_greeting_began_does_not_stop_it() -> None:
    call = picked_up("hangup")
    call.be_quiet(0.5)
    call.speak(0.5)
    call.be_quiet(0.75)
    assert call.level() == LEVEL
    call.recognise("hello")
    call.be_quiet(3.0)
    assert sorted(call.saved()) == [("assistant", GREETING), ("user", "hello")]
    assert not any(turn.interrupted for turn in call.all(p.SaveTurn))


def test_a_person_who_goes_on_as_the_greeting_is_due_is_not_talked_over() -> None:
    call = picked_up("hangup", first_message="one two three four five six seven eight nine ten.")
    call.be_quiet(0.5)
    call.hear_caller("hello", 0.5)
    call.be_quiet(0.28)
    call.speak(1.2)
    assert call.level() < LEVEL


def test_somebody_who_says_nothing_is_greeted_after_two_and_a_half_seconds() -> None:
    call = picked_up("hangup")
    assert greets_after(call) == pytest.approx(2.5, abs=0.05)


def test_a_click_of_the_line_does_not_keep_somebody_waiting() -> None:
    call = picked_up("hangup")
    call.be_quiet(0.5)
    call.speak(0.1)
    assert greets_after(call, 12.0) < 3.0


def test_without_a_greeting_the_person_s_words_are_answered() -> None:
    call = picked_up("hangup", first_message="")
    call.be_quiet(0.5)
    call.hear_caller("hello", 0.5)
    call.be_quiet(2.0)
    assert call.last(p.StartReply).messages[-1].content == "hello"
    assert call.saved() == [("user", "hello")]


def test_without_a_greeting_all_of_the_person_s_words_are_kept() -> None:
    call = picked_up("hangup", first_message="", turn_taking=TurnTaking(end_complete_ms=200))
    call.be_quiet(0.5)
    call.hear_caller("hello", 0.5)
    call.be_quiet(0.13)
    call.hear_caller("who is this", 0.5)
    call.be_quiet(3.0)
    assert " ".join(text for role, text in call.saved() if role == "user") == "hello who is this"


def test_a_person_who_hangs_up_before_the_verdict_is_in_the_log() -> None:
    call = picked_up("hangup", first_message="")
    call.be_quiet(0.5)
    call.hear_caller("hello", 0.5)
    call.be_quiet(0.28)
    call.send(p.HungUp("callended"))
    call.wait(5.0)
    assert call.saved() == [("user", "hello")]


def test_nobody_is_asked_whether_they_are_there_before_the_verdict() -> None:
    call = picked_up("leave-message")
    call.speak(15.0)
    assert call.sounds == []


# --- a machine ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        (MACHINE, "machine-voicemail"),
        ("for sales press one", "machine-ivr"),
        ("the mailbox is full and cannot accept any messages", "unavailable"),
    ],
)
def test_a_machine_is_hung_up_on_without_a_word(words: str, verdict: str) -> None:
    call = picked_up("hangup")
    call.speak(3.0)
    call.recognise(words)
    call.be_quiet(2.0)
    assert verdicts(call) == [verdict]
    assert call.orders() == []
    call.wait(DRAINING_S)
    assert call.last(p.Finish) == p.Finish(CallStatus.COMPLETED, "answered_by_machine")


def test_what_the_machine_said_is_in_the_log() -> None:
    call = picked_up("hangup")
    call.speak(3.0)
    call.recognise(MACHINE)
    call.be_quiet(6.0)
    assert call.saved() == [("user", MACHINE)]


def test_a_message_is_left_after_the_beep() -> None:
    call = picked_up("leave-message", message=MESSAGE)
    call.speak(3.0)
    call.recognise(MACHINE)
    assert verdicts(call) == ["machine-voicemail"]
    call.be_quiet(0.2)
    call.recognise(MACHINE)
    call.be_quiet(0.8)
    assert call.orders() == []
    call.send(p.ToneHeard())
    assert call.orders() == [MESSAGE]
    call.be_quiet(3.0)
    assert call.saved() == [("user", MACHINE), ("assistant", MESSAGE)]
    assert call.last(p.Finish) == p.Finish(CallStatus.COMPLETED, "voicemail_left")


def test_a_message_is_left_when_no_beep_comes() -> None:
    call = picked_up("leave-message", message=MESSAGE)
    call.speak(3.0)
    call.recognise(MACHINE)
    assert call.quiet_until(p.Synthesize) == pytest.approx(2.5, abs=0.15)


def test_without_a_message_the_greeting_is_left() -> None:
    call = picked_up("leave-message")
    call.speak(3.0)
    call.recognise(MACHINE)
    call.send(p.ToneHeard())
    assert call.orders() == [GREETING]


@pytest.mark.parametrize("first_message", [GREETING, ""])
def test_the_machine_s_words_are_kept_when_a_message_is_left(first_message: str) -> None:
    call = picked_up("leave-message", first_message=first_message, message=MESSAGE)
    call.hear_caller(MACHINE, 3.0)
    call.be_quiet(1.0)
    call.send(p.ToneHeard())
    call.be_quiet(3.0)
    assert call.saved() == [("user", MACHINE), ("assistant", MESSAGE)]


def test_a_machine_s_goodbye_does_not_stop_the_message() -> None:
    call = picked_up("leave-message", message="one two three four five six seven eight nine ten.")
    call.speak(3.0)
    call.recognise(MACHINE)
    call.send(p.ToneHeard())
    call.be_quiet(0.5)
    call.hear_caller("you have reached the limit", 0.5)
    call.be_quiet(3.0)
    assert call.saved()[-1][0] == "assistant"
    assert not call.all(p.SaveTurn)[-1].interrupted
    assert call.last(p.Finish).reason == "voicemail_left"


def test_a_menu_is_talked_to_by_an_agent_that_leaves_messages() -> None:
    call = picked_up("leave-message", message=MESSAGE)
    call.speak(3.0)
    call.recognise("for sales press one")
    assert call.orders() == []
    call.be_quiet(0.3)
    assert call.orders() == [GREETING]


def test_a_number_that_cannot_be_reached_is_no_voicemail() -> None:
    call = picked_up("leave-message", message=MESSAGE)
    call.hear_caller("the number you have dialed is not in service", 3.0)
    call.be_quiet(2.5)
    assert verdicts(call) == ["unavailable"]
    assert call.orders() == []
    assert call.last(p.Finish).reason == "answered_by_machine"


def test_a_long_greeting_without_words_is_talked_to() -> None:
    call = picked_up("hangup")
    call.speak(4.0)
    assert greets_after(call) == pytest.approx(1.5, abs=0.15)
    assert verdicts(call) == ["uncertain"]
