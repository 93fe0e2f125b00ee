"""The functions a call carries out itself: ending, transferring, pressing keys. Event by event."""

from typing import Any

import pytest

from actors.call_session import prompt, protocol as p
from actors.call_session.tones import dtmf
from models.call import CallStatus
from models.conversation import TurnTaking
from models.tool import HttpTool, Tools
from providers.roles import Message, ToolCall
from tests.call_session.conversation import CHUNK_BYTES, RATE_HZ, Conversation, assert_valid_chat

LOOK_UP = ToolCall("c1", "look_up", "{}")
END, TRANSFER = ToolCall("c3", "end_call", "{}"), ToolCall("c4", "transfer_call", "{}")
NUMBER = "+15550001111"
TOOLS = Tools(
    functions=(HttpTool(name="look_up", description="Looks up.", url="https://example.com/do"),),
    built_in=("end_call", "transfer_call", "send_dtmf"),
    transfer_to=NUMBER,
)


def asked(text: str) -> Conversation:
    """The caller's turn is over; the model has not written anything."""
    call = Conversation(has_voice=True, tools=TOOLS, turn_taking=TurnTaking(acknowledge_after_ms=0))
    call.answer()
    call.say(text)
    return call


def press(digits: str, call_id: str = "c5") -> ToolCall:
    return ToolCall(call_id, "send_dtmf", f'{{"digits": "{digits}"}}')


def test_end_call_says_the_reply_to_its_end_first() -> None:
    call = asked("goodbye")
    call.ask_for(END, text="See you on Monday.")
    assert call.orders() == ["See you on Monday."]
    assert not call.all(p.Finish)
    call.be_quiet(2.0)
    assert call.saved()[-1] == ("assistant", "See you on Monday.")
    assert call.last(p.Finish) == p.Finish(CallStatus.COMPLETED, "agent_ended")
    assert not call.all(p.RunTool)
    assert len(call.all(p.StartReply)) == 1


def test_end_call_without_a_word_says_goodbye() -> None:
    call = asked("goodbye")
    call.ask_for(END)
    call.be_quiet(4.0)
    assert call.saved()[-1] == ("assistant", prompt.GOODBYE)
    assert call.last(p.Finish).reason == "agent_ended"


def test_a_caller_who_goes_on_keeps_the_call() -> None:
    call = asked("goodbye")
    call.ask_for(END, text="one two three four five six seven eight nine ten.")
    call.be_quiet(0.3)
    call.hear_caller("wait one more question", 0.5)
    call.be_quiet(3.0)
    assert not call.all(p.Finish)
    assert_valid_chat(call.last(p.StartReply).messages)


def test_end_call_beside_another_function_waits_for_it() -> None:
    call = asked("goodbye")
    call.ask_for(LOOK_UP, END, text="I will note that. Goodbye.")
    call.be_quiet(4.0)
    assert not call.all(p.Finish)
    call.send(p.ToolAnswered(call.last(p.RunTool).turn, "c1", "noted"))
    call.be_quiet(1.0)
    assert call.last(p.Finish).reason == "agent_ended"
    assert len(call.all(p.StartReply)) == 1


def test_transfer_call_is_written_once_the_words_are_said() -> None:
    call = asked("a person please.")
    call.ask_for(TRANSFER)
    assert not call.all(p.SaveTransfer)
    call.be_quiet(4.0)
    assert call.saved()[-1] == ("assistant", prompt.TRANSFERRING)
    assert call.all(p.SaveTransfer) == [p.SaveTransfer(NUMBER)]
    assert call.last(p.Finish) == p.Finish(CallStatus.COMPLETED, "transferred")
    order = [type(command) for command in call.commands]
    assert order.index(p.SaveTransfer) < order.index(p.Finish)


def test_a_transfer_that_is_interrupted_is_none() -> None:
    call = asked("a person please.")
    call.ask_for(TRANSFER, text="one two three four five six seven eight nine ten.")
    call.be_quiet(0.3)
    call.hear_caller("no wait", 0.5)
    call.be_quiet(4.0)
    assert not call.all(p.SaveTransfer)
    assert not call.all(p.Finish)


def test_send_dtmf_presses_the_keys_in_the_line_s_sound() -> None:
    call = asked("press one two please.")
    call.ask_for(press("12"), text="Pressing.")
    call.be_quiet(1.0)
    played = b"".join(command.pcm for command in call.all(p.SendAudio))
    word = CHUNK_BYTES
    tones = dtmf("12", RATE_HZ)
    assert played[word : word + len(tones)] == tones
    assert call.last(p.StartReply).messages[-1] == Message("tool", "Pressed.", tool_call_id="c5")
    call.reply("Done.")
    call.be_quiet(1.0)
    assert call.saved()[-1] == ("assistant", "Pressing. Done.")


def test_keys_alone_are_no_words() -> None:
    call = asked("press one two please.")
    call.ask_for(press("1"), press("2", "c6"))
    call.reply("")
    call.be_quiet(3.0)
    assert [text for role, text in call.saved() if role == "assistant"] == []


@pytest.mark.parametrize(
    "arguments", ["{}", "not JSON", "[]", '{"digits": ""}', '{"digits": "1x"}', '{"digits": null}']
)
def test_keys_that_are_none_are_explained_to_the_model(arguments: str) -> None:
    call = asked("press one please.")
    call.ask_for(ToolCall("c5", "send_dtmf", arguments))
    assert call.sounds == []
    assert call.last(p.StartReply).messages[-1].content.startswith("Give `digits`")


WORDS = ("interested", "call back")


def disposing(text: str = "tell me more.", **options: Any) -> Conversation:
    """The same with an agent that has words for what its calls come to."""
    call = Conversation(
        has_voice=True, turn_taking=TurnTaking(acknowledge_after_ms=0), **{"dispositions": WORDS, **options}
    )
    call.answer()
    call.say(text)
    return call


def note(arguments: str) -> ToolCall:
    return ToolCall("c7", "set_disposition", arguments)


def test_set_disposition_is_noted_at_once_and_the_model_goes_on() -> None:
    call = disposing()
    call.ask_for(note('{"name": "call back", "notes": "On Monday"}'), text="I will.")
    assert call.all(p.SaveDisposition) == [p.SaveDisposition("call back", "On Monday")]
    assert not call.all(p.RunTool)
    assert call.last(p.StartReply).messages[-1] == Message("tool", "Noted.", tool_call_id="c7")


def test_set_disposition_beside_the_end_comes_before_it() -> None:
    call = disposing("goodbye")
    call.ask_for(note('{"name": "interested"}'), END)
    call.be_quiet(4.0)
    order = [type(command) for command in call.commands]
    assert order.index(p.SaveDisposition) < order.index(p.Finish)
    assert call.all(p.SaveDisposition) == [p.SaveDisposition("interested", "")]
    assert call.last(p.Finish).reason == "agent_ended"
    assert len(call.all(p.StartReply)) == 1


@pytest.mark.parametrize(
    "arguments",
    ["{}", "[" * 100_000, "[]", '{"name": "sold"}', '{"name": ["interested"]}', '{"name": "interested", "notes": 1}'],
    ids=range(6),
)
def test_another_word_is_explained_to_the_model(arguments: str) -> None:
    call = disposing()
    call.ask_for(note(arguments))
    assert not call.all(p.SaveDisposition)
    assert call.last(p.StartReply).messages[-1].content == "Give `name`: one of interested, call back."


def test_notes_are_cut_and_made_storable() -> None:
    call = disposing()
    call.ask_for(note('{"name": "interested", "notes": "\\ud83d' + "x" * 2_000 + '"}'))
    (noted,) = call.all(p.SaveDisposition)
    assert noted.notes == "?" + "x" * 999


@pytest.mark.parametrize(
    "options",
    [
        {"dispositions": ()},
        {
            "tools": Tools(
                functions=(HttpTool(name="set_disposition", description="Ours.", url="https://example.com/do"),)
            )
        },
    ],
    ids=["no words", "a function of its owner's"],
)
def test_without_words_or_by_its_owners_name_it_is_run_elsewhere(options: dict[str, Any]) -> None:
    call = disposing(**options)
    call.ask_for(note('{"name": "interested"}'))
    assert not call.all(p.SaveDisposition)
    assert call.last(p.RunTool).call.name == "set_disposition"
