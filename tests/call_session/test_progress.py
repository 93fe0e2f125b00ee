"""Notes of how far the agent's turn has come, and what they say was heard when an actor dies over it."""

from datetime import UTC, datetime, timedelta

import pytest

from actors.call_session import protocol as p
from actors.call_session.calling import calls_of
from actors.call_session.commands import SaveProgress
from actors.call_session.progress import WORD_S
from models.call import FunctionCall, Progress
from models.tool import HttpTool, Tools
from providers.roles import Message, ToolCall
from tests.call_session.conversation import Conversation

LOOK_UP = ToolCall("c1", "look_up", "{}")
TOOLS = Tools(functions=(HttpTool(name="look_up", description="Does it.", url="https://example.com", filler=""),))
ANSWER = "Your visit is on Tuesday at nine. It takes an hour and a half."


def asked(**more: object) -> Conversation:
    call = Conversation(has_voice=True, tools=TOOLS, **more)  # type: ignore[arg-type]
    call.answer()
    call.say("book a visit")
    return call


def notes(call: Conversation) -> list[SaveProgress]:
    return call.all(SaveProgress)


def heard(note: SaveProgress, after_s: float) -> str:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    progress = Progress(
        text=note.text,
        clause=note.clause,
        clause_at=at + timedelta(seconds=note.starts_in_s),
        clause_ms=round(note.clause_s * 1000),
    )
    return progress.heard(at + timedelta(seconds=after_s))


def test_each_clause_of_an_answer_is_noted_when_it_begins() -> None:
    call = asked()
    call.reply(ANSWER)
    call.be_quiet(5.0)
    known = {note.clause: note for note in notes(call)}
    first, second = known.values()
    assert (first.text, first.clause) == ("", "Your visit is on Tuesday at nine.")
    assert (second.text, second.clause) == ("Your visit is on Tuesday at nine.", "It takes an hour and a half.")
    assert notes(call)[0].starts_in_s == 0
    assert 0.3 < second.starts_in_s < 0.7
    assert len(notes(call)) <= 4


def test_the_length_of_a_clause_is_put_right_when_all_its_sound_is_there() -> None:
    call = asked()
    call.reply(ANSWER)
    call.be_quiet(1.0)
    estimate, known = (note for note in notes(call) if note.clause.startswith("Your visit"))
    assert estimate.clause_s == pytest.approx(7 * WORD_S)
    assert known.clause_s == pytest.approx(7 * 0.2)
    assert known.starts_in_s <= 0


def test_the_greeting_is_noted_as_well() -> None:
    call = Conversation(first_message="Hello there.", has_voice=True)
    call.answer()
    assert [note.clause for note in notes(call)] == ["Hello there."]


def test_words_that_only_bridge_a_wait_are_not() -> None:
    call = asked()
    call.be_quiet(2.0)
    assert "One moment, please." in call.orders()
    assert notes(call) == []


def test_a_clause_without_all_its_sound_is_taken_to_last_as_long_as_its_words() -> None:
    call = Conversation()
    call.answer()
    call.say("book a visit")
    order = next(c for c in call.reply("Your visit is on Tuesday.") if isinstance(c, p.Synthesize))
    call.send(p.SpeechPiece(order.turn, order.clause, b"\1\0" * 1600))
    assert notes(call)[-1].clause_s == 5 * WORD_S


def test_a_voice_that_falls_silent_has_not_said_the_rest_of_its_clause() -> None:
    call = asked()
    call.reply(ANSWER)
    call.be_quiet(0.4)
    call.speak(1.0)
    silent = notes(call)[-1]
    assert silent.clause == ""
    assert 1 <= len(silent.text.split()) <= 6
    assert heard(silent, 10.0) == silent.text


def test_after_a_cough_the_rest_of_the_clause_is_noted() -> None:
    call = asked()
    call.reply(f"Well {ANSWER.replace('.', ' or so')} as far as anybody knows today.")
    call.be_quiet(0.4)
    call.speak(0.6)
    call.be_quiet(0.2)
    call.recognise("")
    call.be_quiet(0.5)
    silent = next(index for index, note in enumerate(notes(call)) if not note.clause)
    rest = notes(call)[silent + 1]
    assert rest.text
    assert f"{rest.text} {rest.clause}" == call.orders()[0]


def test_an_answer_of_which_nothing_was_heard_leaves_nothing_behind() -> None:
    call = asked()
    call.reply(ANSWER)
    call.send(p.KeyPressed("1"))
    assert call.saved() == [("user", "book a visit")]
    assert notes(call)[-1] == SaveProgress("", "", 0.0, 0.0)


def test_functions_are_noted_when_they_begin_and_when_they_answer() -> None:
    call = asked()
    call.ask_for(LOOK_UP)
    begun = FunctionCall(id="c1", name="look_up", arguments="{}")
    assert notes(call)[-1] == SaveProgress("", "", 0.0, 0.0, (begun,))
    order = [type(command) for command in call.commands]
    assert order.index(SaveProgress) < order.index(p.RunTool)
    call.send(p.ToolAnswered(call.last(p.RunTool).turn, "c1", "Nine is free."))
    assert notes(call)[-1].functions == (begun.model_copy(update={"result": "Nine is free."}),)


def test_a_function_that_begins_does_not_hide_what_is_being_said() -> None:
    call = asked()
    call.ask_for(LOOK_UP, text="I will see what is free.")
    said, begun = notes(call)[-2:]
    assert (begun.clause, begun.clause_s) == (said.clause, said.clause_s)
    assert begun.functions


def test_the_log_has_the_functions_of_a_turn_with_what_they_gave() -> None:
    call = asked()
    call.ask_for(LOOK_UP)
    call.send(p.ToolAnswered(call.last(p.RunTool).turn, "c1", "Nine is free."))
    call.reply("Nine is free.")
    call.be_quiet(3.0)
    saved = call.all(p.SaveTurn)[-1]
    assert saved.functions == (FunctionCall(id="c1", name="look_up", arguments="{}", result="Nine is free."),)
    assert call.all(p.SaveTurn)[0].functions == ()


def test_functions_of_a_turn_that_was_cut_before_a_word_are_the_next_turns() -> None:
    call = asked()
    call.ask_for(LOOK_UP)
    call.hear_caller("what about tuesday", 0.6)
    call.be_quiet(1.7)
    call.reply("Tuesday is full.")
    call.be_quiet(3.0)
    (function,) = call.all(p.SaveTurn)[-1].functions
    assert (function.name, function.result) == ("look_up", None)


def test_a_model_may_use_an_id_again() -> None:
    once = [Message("assistant", "", tool_calls=(LOOK_UP,)), Message("tool", "one", tool_call_id="c1")]
    again = [Message("assistant", "", tool_calls=(LOOK_UP,)), Message("tool", "two", tool_call_id="c1")]
    assert [call.result for call in calls_of([*once, *again])] == ["one", "two"]
