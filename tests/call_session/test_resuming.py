"""What a call starts again with, from what the store has of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from actors.call_session import prompt
from actors.call_session.resuming import Ending, Owed, Resumption, What, resumption
from models.call import CallStatus, FunctionCall, Lease, Progress, Turn, TurnTimings
from models.conversation import Voicemail
from models.document import new_id
from providers.roles import Message
from tests.call_session.conversation import agent_config, assert_valid_chat
from tests.documents import a_call

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
GREETING = "Hello there. How can I help?"


def turn(role: str, content: str, **more: Any) -> Turn:
    return Turn.model_validate({"index": 0, "role": role, "content": content, "timestamp": NOW, **more})


def progress(text: str, clause: str, *, ago_s: float = 0.5, clause_s: float = 2.0, **more: Any) -> Progress:
    clause_at = NOW - timedelta(seconds=ago_s)
    return Progress(text=text, clause=clause, clause_at=clause_at, clause_ms=round(clause_s * 1000), **more)


def resumed(*turns: Turn, now: datetime = NOW, **more: Any) -> Resumption:
    fields = {
        "agent_config": agent_config(first_message=GREETING),
        "started_at": NOW - timedelta(seconds=30),
        "lease": Lease(actor="next", leased_at=NOW),
    }
    call = a_call(new_id(), turns=list(turns), **(fields | more))
    found = resumption(call, now, was_carried=True)
    assert found is not None
    return found


def test_a_call_nobody_carried_is_a_new_one_whatever_the_carrier_says() -> None:
    call = a_call(new_id(), started_at=NOW)
    assert resumption(call, NOW, was_carried=False) is None


def test_what_was_heard_counts_until_the_call_was_taken_over_not_until_it_is_read() -> None:
    found = resumed(progress=progress("", "one two three four"), now=NOW + timedelta(seconds=5))
    assert [save.text for save in found.saves] == ["one"]
    assert found.saves[0].timings.playback_end_ms == 30_000
    assert found.answered_ago_s == 35


def test_the_callers_sound_is_settled_up_to_their_last_turn_in_the_log() -> None:
    said = turn("user", "hello", timings=TurnTimings(speech_end_ms=20_000))
    assert resumed(said).settled_ago_s == 10
    assert resumed().settled_ago_s == float("inf")


def test_what_was_announced_and_had_not_begun_to_sound_was_not_heard() -> None:
    found = resumed(turn("user", "hello"), progress=progress("", "one two three", ago_s=-0.2))
    assert found.saves == ()
    assert found.owed == Owed(What.ANSWER)


@pytest.mark.parametrize(
    ("turns", "owed"),
    [
        ([], What.BEGIN),
        ([turn("user", "hello")], What.ANSWER),
        ([turn("user", "hello"), turn("assistant", "Hi.")], What.NOTHING),
        ([turn("user", "hello"), turn("assistant", "Your visit is", interrupted=True)], What.ANSWER),
        ([turn("user", "hello"), turn("assistant", "Sorry, the line", interrupted=True)], What.ANSWER),
        ([turn("user", "hello"), turn("assistant", f"{prompt.RESUMED} Hi.")], What.NOTHING),
    ],
)
def test_what_the_caller_is_owed(turns: list[Turn], owed: What) -> None:
    assert resumed(*turns).owed == Owed(owed)


def test_the_bridge_of_an_earlier_crash_is_not_told_to_the_model() -> None:
    found = resumed(
        turn("user", "hello"), turn("assistant", f"{prompt.RESUMED} Hi."), turn("assistant", prompt.RESUMED)
    )
    assert found.history == (Message("user", "hello"), Message("assistant", "Hi."))


def test_the_rest_of_a_fixed_sentence_begins_with_the_clause_that_was_cut() -> None:
    assert resumed(progress=progress("Hello there.", "How can I help?")).owed.sentence == "How can I help?"
    assert resumed(progress=progress("Hello there.", "How can I help?", ago_s=3)).owed == Owed(What.NOTHING)


def test_words_that_only_begin_like_a_closing_sentence_end_nothing() -> None:
    found = resumed(turn("user", "hello"), progress=progress("", "I am sorry, that day is full."))
    assert found.owed == Owed(What.ANSWER)


def test_words_that_begin_like_the_greeting_are_not_taken_for_it_later() -> None:
    found = resumed(turn("assistant", GREETING), turn("user", "hello?"), progress=progress("", "Hello there."))
    assert found.owed == Owed(What.ANSWER)


def test_a_closing_sentence_ends_the_call_with_its_own_reason() -> None:
    found = resumed(progress=progress("", "I am sorry, our time is up."))
    assert found.owed == Owed(What.SENTENCE, prompt.TIME_IS_UP, Ending(CallStatus.COMPLETED, "session_timeout"))


def ended(**more: Any) -> FunctionCall:
    return FunctionCall(id="c1", name="end_call", arguments="{}", result="The call ends now.", **more)


def test_a_goodbye_that_the_caller_cut_off_ended_nothing() -> None:
    cut = turn("assistant", "Thank you", interrupted=True, functions=(ended(),))
    assert resumed(turn("user", "bye"), cut).owed == Owed(What.ANSWER)
    whole = turn("assistant", "Thank you. Goodbye.", functions=(ended(),))
    assert resumed(turn("user", "bye"), whole).owed.ending == Ending(CallStatus.COMPLETED, "agent_ended")


def test_functions_of_a_turn_without_a_word_are_the_next_turns_and_known_to_the_model() -> None:
    pending = FunctionCall(id="c1", name="look_up", arguments="{}")
    found = resumed(turn("user", "hello"), progress=progress("", "", functions=(pending,)))
    assert found.saves == ()
    assert found.functions == (pending,)
    assert found.history[-1] == Message("tool", prompt.LOST, tool_call_id="c1")


def test_functions_that_share_an_id_make_a_valid_chat() -> None:
    once = FunctionCall(id="c1", name="look_up", arguments="{}", result="one")
    both = (once, once.model_copy(update={"result": "two"}))
    history = prompt.history_of([turn("user", "hello"), turn("assistant", "Hi.", functions=both)])
    assert [m.content for m in history if m.role == "tool"] == ["one", "two"]
    assert_valid_chat(prompt.messages_for("", history, "and?"))
    assert_valid_chat(prompt.messages_to_go_on("", history))


@pytest.mark.parametrize(("interrupted", "what"), [(False, What.SENTENCE), (True, What.BEGIN)])
def test_a_message_left_to_a_machine_is_left_once(interrupted: bool, what: What) -> None:
    voicemail = Voicemail(action="leave-message", message="Please call us back.")
    config = agent_config(first_message=GREETING, voicemail=voicemail)
    left = turn("assistant", "Please call us back.", interrupted=interrupted)
    found = resumed(left, agent_config=config, answered_by="machine-voicemail")
    assert found.owed.what is what
    assert (found.owed.ending is None) == interrupted
