"""Functions within a conversation: when they run, what is said meanwhile, what the model is told. Event by event."""

from typing import Any

from actors.call_session import prompt, protocol as p
from actors.call_session.calling import MAX_ROUNDS, PENDING
from models.call import CallStatus
from models.conversation import TurnTaking
from models.tool import HttpTool, Tools
from providers.roles import Message, ToolCall
from tests.call_session.conversation import Conversation, assert_valid_chat

LOOK_UP, OTHER = ToolCall("c1", "look_up", '{"day": "monday"}'), ToolCall("c2", "other", "{}")


def tool(name: str, filler: str = "") -> HttpTool:
    return HttpTool(name=name, description="Does it.", url="https://example.com/do", filler=filler)


TOOLS = Tools(
    functions=(tool("look_up", "Let me look."), tool("other")),
)
UNHURRIED = TurnTaking(acknowledge_after_ms=0)


def asked(text: str = "book a visit", **more: Any) -> Conversation:
    """The caller's turn is over; the model has not written anything."""
    call = Conversation(has_voice=True, tools=TOOLS, turn_taking=UNHURRIED, **more)
    call.answer()
    call.say(text)
    return call


def answer(call: Conversation, tool_call: ToolCall, content: str) -> list[p.Command]:
    asked_by = next(run.turn for run in reversed(call.all(p.RunTool)) if run.call == tool_call)
    return call.send(p.ToolAnswered(asked_by, tool_call.id, content))


# --- a round ------------------------------------------------------------------------------------------
def test_a_draft_runs_nothing() -> None:
    call = Conversation(tools=TOOLS)
    call.answer()
    call.hear_caller("book a visit")
    call.ask_for(LOOK_UP)
    assert not call.all(p.RunTool)
    call.quiet_until(p.RunTool)
    order = [type(command) for command in call.commands]
    assert order.index(p.SaveTurn) < order.index(p.RunTool)
    assert call.saved() == [("user", "book a visit")]


def test_a_draft_that_is_dropped_never_runs_its_functions() -> None:
    call = Conversation(tools=TOOLS)
    call.answer()
    call.hear_caller("book a visit")
    call.ask_for(LOOK_UP)
    call.speak(0.5)
    call.hear_caller("book a visit for two", 0.5)
    call.be_quiet(2.0)
    assert not call.all(p.RunTool)


def test_nothing_runs_before_the_model_has_finished() -> None:
    call = asked()
    turn = call.last(p.StartReply).turn
    call.send(p.ToolsAsked(turn, (LOOK_UP,)))
    assert not call.all(p.RunTool)
    call.send(p.ReplyDone(turn))
    assert call.all(p.RunTool) == [p.RunTool(turn, LOOK_UP)]


def test_a_filler_is_said_when_the_model_wrote_nothing() -> None:
    call = asked()
    call.ask_for(LOOK_UP)
    assert call.orders() == ["Let me look."]


def test_no_filler_is_said_when_the_model_wrote_something() -> None:
    call = asked()
    call.ask_for(LOOK_UP, text="I will see what is free.")
    assert call.orders() == ["I will see what is free."]


def test_the_model_goes_on_with_what_the_function_gave() -> None:
    call = asked()
    call.ask_for(LOOK_UP)
    again = [c for c in answer(call, LOOK_UP, "Nine is free.") if isinstance(c, p.StartReply)]
    assert len(again) == 1
    assert again[0].messages[-3:] == (
        Message("user", "book a visit"),
        Message("assistant", "", tool_calls=(LOOK_UP,)),
        Message("tool", "Nine is free.", tool_call_id="c1"),
    )
    call.reply("Nine is free on Monday.")
    call.be_quiet(4.0)
    assert call.saved() == [("user", "book a visit"), ("assistant", "Let me look. Nine is free on Monday.")]


def test_functions_run_side_by_side_and_the_model_waits_for_all() -> None:
    call = asked()
    call.ask_for(LOOK_UP, OTHER)
    assert [run.call for run in call.all(p.RunTool)] == [LOOK_UP, OTHER]
    assert not any(isinstance(c, p.StartReply) for c in answer(call, OTHER, "two"))
    (again,) = [c for c in answer(call, LOOK_UP, "one") if isinstance(c, p.StartReply)]
    assert [(m.tool_call_id, m.content) for m in again.messages[-2:]] == [("c1", "one"), ("c2", "two")]
    assert_valid_chat(again.messages)


def test_a_filler_that_has_not_begun_makes_way_for_the_answer() -> None:
    call = Conversation(tools=TOOLS, turn_taking=UNHURRIED)
    call.answer()
    call.say("book a visit")
    call.ask_for(LOOK_UP)
    answer(call, LOOK_UP, "one")
    call.voice(call.reply("Nine is free."))
    call.be_quiet(2.0)
    assert call.saved()[-1] == ("assistant", "Nine is free.")


def test_later_turns_remember_the_function_and_what_was_said() -> None:
    call = asked()
    call.ask_for(LOOK_UP, text="I will see.")
    answer(call, LOOK_UP, "Nine is free.")
    call.reply("Nine is free.")
    call.be_quiet(4.0)
    call.say("yes please.")
    messages = call.last(p.StartReply).messages
    assert_valid_chat(messages)
    assert [message.role for message in messages] == ["system", "user", "assistant", "tool", "assistant", "user"]
    assert messages[4].content == "I will see. Nine is free."


def test_a_model_that_only_asks_is_given_five_rounds_and_then_an_apology() -> None:
    call = asked()
    for count in range(MAX_ROUNDS + 1):
        again = ToolCall(f"r{count}", "other", "{}")
        call.ask_for(again)
        if count < MAX_ROUNDS:
            answer(call, again, "more")
    call.be_quiet(4.0)
    assert len(call.all(p.RunTool)) == MAX_ROUNDS
    assert " ".join(call.orders()) == prompt.REPLY_FAILED


def test_a_stream_that_breaks_runs_nothing() -> None:
    call = asked()
    turn = call.last(p.StartReply).turn
    call.send(p.ReplyPiece(turn, "I will see. "))
    call.send(p.ToolsAsked(turn, (LOOK_UP,)))
    call.send(p.ReplyFailed(turn))
    call.be_quiet(4.0)
    assert prompt.REPLY_FAILED in call.orders()
    assert not call.all(p.RunTool)


def test_the_model_may_have_nothing_to_add_to_what_it_said() -> None:
    call = asked()
    call.ask_for(LOOK_UP, text="I have booked it.")
    answer(call, LOOK_UP, "done")
    call.reply("")
    call.be_quiet(4.0)
    assert call.saved()[-1] == ("assistant", "I have booked it.")
    assert not call.all(p.ReportError)


def test_ids_that_a_model_uses_again_in_the_next_round_are_told_apart() -> None:
    call = asked()
    call.ask_for(LOOK_UP)
    answer(call, LOOK_UP, "first")
    call.ask_for(LOOK_UP)
    (again,) = [c for c in answer(call, LOOK_UP, "second") if isinstance(c, p.StartReply)]
    assert [m.content for m in again.messages if m.role == "tool"] == ["first", "second"]


# --- interrupted --------------------------------------------------------------------------------------
def interrupted() -> Conversation:
    """The caller spoke while a function ran; their words are being answered."""
    call = asked()
    call.ask_for(LOOK_UP)
    call.be_quiet(1.0)
    call.hear_caller("what about tuesday", 0.6)
    call.be_quiet(1.7)
    return call


def test_the_next_turn_knows_of_the_function_that_was_interrupted() -> None:
    call = interrupted()
    messages = call.last(p.StartReply).messages
    assert messages[-1].content == "what about tuesday"
    assert_valid_chat(messages)
    assert Message("tool", PENDING, tool_call_id="c1") in messages


def test_a_late_answer_of_a_function_is_told_with_the_turn_after() -> None:
    call = interrupted()
    assert answer(call, LOOK_UP, "Nine is free.") == []
    call.reply("Tuesday is full.")
    call.be_quiet(2.0)
    call.say("and then")
    messages = call.last(p.StartReply).messages
    assert Message("tool", "Nine is free.", tool_call_id="c1") in messages
    assert_valid_chat(messages)


def test_a_late_answer_is_not_taken_for_one_of_the_next_turn() -> None:
    call = interrupted()
    late = call.last(p.RunTool)
    call.ask_for(LOOK_UP)
    assert not any(isinstance(c, p.StartReply) for c in call.send(p.ToolAnswered(late.turn, "c1", "late")))
    (again,) = [c for c in answer(call, LOOK_UP, "fresh") if isinstance(c, p.StartReply)]
    assert again.messages[-1] == Message("tool", "fresh", tool_call_id="c1")


def test_noise_while_a_function_runs_changes_nothing() -> None:
    call = asked()
    call.ask_for(LOOK_UP)
    call.be_quiet(1.0)
    call.hear_caller("", 0.3)
    call.be_quiet(0.7)
    answer(call, LOOK_UP, "Nine is free.")
    call.reply("Nine is free.")
    call.be_quiet(3.0)
    assert call.saved()[-1] == ("assistant", "Let me look. Nine is free.")


def test_a_function_of_a_call_that_is_over_answers_nobody() -> None:
    call = asked()
    call.ask_for(LOOK_UP)
    call.send(p.HungUp("callended"))
    assert answer(call, LOOK_UP, "Nine is free.") == []
    assert call.last(p.Finish).status is CallStatus.COMPLETED
