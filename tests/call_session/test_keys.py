"""The caller presses keys: one turn of the conversation, and a way to stop the agent."""

from typing import Any

import pytest

from actors.call_session import protocol as p
from actors.call_session.turn import WINDOW_S
from models.conversation import Interruption, Silence
from tests.call_session.conversation import LEVEL, Conversation

LONG = "one two three four five six seven eight nine ten."


def pressed(call: Conversation, keys: str, gap_s: float = 0.3) -> None:
    for key in keys:
        call.be_quiet(gap_s)
        call.send(p.KeyPressed(key))


def live(**more: Any) -> Conversation:
    call = Conversation(has_voice=True, **more)
    call.answer()
    return call


def test_keys_are_one_turn_two_seconds_after_the_last() -> None:
    call = live()
    pressed(call, "1234")
    assert call.quiet_until(p.StartReply) == pytest.approx(2.0, abs=WINDOW_S)
    assert call.last(p.StartReply).messages[-1].content == "[keypad: 1 2 3 4]"
    call.reply("Thank you.")
    call.be_quiet(1.0)
    assert call.saved() == [("user", "[keypad: 1 2 3 4]"), ("assistant", "Thank you.")]


def test_a_hash_ends_the_number_at_once() -> None:
    call = live()
    pressed(call, "12#")
    assert call.last(p.StartReply).messages[-1].content == "[keypad: 1 2]"


def test_a_lone_hash_is_the_answer() -> None:
    call = live()
    pressed(call, "#")
    assert call.last(p.StartReply).messages[-1].content == "[keypad: #]"


def test_two_numbers_are_two_turns() -> None:
    call = live()
    pressed(call, "12#")
    call.reply("And the other?")
    call.be_quiet(2.0)
    pressed(call, "34#")
    call.be_quiet(2.0)
    assert [text for role, text in call.saved() if role == "user"] == ["[keypad: 1 2]", "[keypad: 3 4]"]


def test_the_first_key_cuts_the_agent() -> None:
    call = live(first_message=LONG)
    call.be_quiet(0.7)
    assert call.level() == LEVEL
    commands = call.send(p.KeyPressed("1"))
    assert any(isinstance(c, p.ClearPlayback) for c in commands)
    assert call.level() == 0
    (turn,) = call.all(p.SaveTurn)
    assert turn.interrupted
    assert LONG.startswith(turn.text)
    assert [(each.decision, each.reason) for each in turn.timings.barge_ins] == [("cut", "keys")]
    call.be_quiet(3.0)
    assert call.saved()[-1] == ("user", "[keypad: 1]") or call.last(p.StartReply).messages[-1].content == "[keypad: 1]"
    assert call.level() == 0


def test_an_agent_that_is_not_interrupted_answers_keys_when_it_has_finished() -> None:
    call = live(first_message=LONG, interruption=Interruption(enabled=False))
    call.be_quiet(0.3)
    call.send(p.KeyPressed("7"))
    call.send(p.KeyPressed("#"))
    assert not call.all(p.ClearPlayback)
    call.be_quiet(4.0)
    assert call.saved()[0] == ("assistant", LONG)
    assert call.last(p.StartReply).messages[-1].content == "[keypad: 7]"


def test_what_is_no_key_changes_nothing() -> None:
    call = live()
    call.send(p.KeyPressed("x"))
    call.be_quiet(3.0)
    assert not call.all(p.StartReply)


def test_keys_pressed_before_a_hang_up_are_kept() -> None:
    call = live()
    pressed(call, "1234")
    call.send(p.HungUp("callended"))
    assert call.saved() == [("user", "[keypad: 1 2 3 4]")]


def test_the_agent_does_not_answer_keys_over_a_caller_who_speaks() -> None:
    call = live()
    pressed(call, "12")
    call.be_quiet(1.0)
    call.speak(1.5)
    if call.all(p.StartReply):
        call.reply("Thank you.")
    call.speak(0.5)
    assert call.sounds == []


def test_keys_start_the_wait_for_silence_anew() -> None:
    call = live(silence=Silence(reprompt_after_s=5, reprompts=1, reprompt="Hello?", goodbye="Goodbye."))
    call.be_quiet(6.0)
    pressed(call, "1#")
    call.reply("Thank you.")
    call.commands.clear()
    call.be_quiet(6.0)
    assert call.orders() == ["Hello?"]
