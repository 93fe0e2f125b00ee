"""What an agent says in every call, as it is kept; and one turn's clauses as they are put together."""

from typing import Any

from actors.call_session import protocol as p
from actors.call_session.prompt import FIXED
from actors.call_session.sentences import fixed_clauses
from actors.call_session.speech import Speech
from models.conversation import Silence, TurnTaking, Voicemail
from models.tool import HttpTool, Tools
from providers.roles import ToolCall
from tests.call_session.conversation import Conversation, agent_config

LOOK_UP = HttpTool(name="look_up", description="Looks up.", url="https://example.com", filler="Let me look, please.")
FULL: dict[str, Any] = {
    "first_message": "Hello there, dear caller. How can I help?",
    "voicemail": Voicemail(message="Please call us back."),
    "silence": Silence(reprompt_after_s=5, reprompts=1, reprompt="Hello?", goodbye="Nobody there. Goodbye."),
    "turn_taking": TurnTaking(acknowledgements=("Bear with me, please.",)),
    "tools": Tools(functions=(LOOK_UP,)),
}


def test_every_fixed_sentence_is_there_as_it_is_voiced() -> None:
    clauses = fixed_clauses(agent_config(**FULL))
    assert {"Please call us back.", "Hello?", "Nobody there.", "Goodbye."} <= clauses
    assert {"Bear with me, please.", "Let me look, please.", "How can I help?"} <= clauses
    assert "" not in clauses


def test_an_agent_without_extras_has_the_fixed_ones() -> None:
    clauses = fixed_clauses(agent_config())
    assert all(any(clause in text for clause in clauses) for text in FIXED)


def test_what_a_call_says_by_itself_is_voiced_as_it_is_kept() -> None:
    clauses = fixed_clauses(agent_config(**FULL))
    call = Conversation(has_voice=True, **FULL)
    call.answer()
    call.be_quiet(2.0)
    call.say("book a visit")
    call.be_quiet(2.0)
    call.ask_for(ToolCall("1", "look_up", "{}"))
    call.be_quiet(1.0)
    call.send(p.ReplyFailed(call.last(p.StartReply).turn))
    call.be_quiet(30.0)
    assert {"Bear with me, please.", "Let me look, please.", "Hello?", "Goodbye."} <= set(call.orders())
    assert set(call.orders()) <= clauses


# --- one turn's clauses -------------------------------------------------------------------------------
def test_audio_runs_on_over_clauses_and_stops_at_one_that_is_not_done() -> None:
    speech = Speech()
    speech.add("one", pcm=b"aabb")
    speech.add("two", pcm=b"cc")
    speech.add("three").pcm += b"dd"
    speech.add("four", pcm=b"ee")
    assert speech.audio(2, 4) == b"bbcc"
    assert speech.audio(0, 99) == b"aabbccdd"
    assert speech.ready() == (8, False)


def test_the_share_of_a_clause_that_was_heard_is_the_share_of_its_words() -> None:
    speech = Speech()
    speech.add("one two", pcm=b"x" * 40)
    speech.add("three four five six", pcm=b"x" * 80)
    assert [speech.words_until(heard) for heard in (0, 20, 40, 60, 80, 999)] == [
        "",
        "one",
        "one two",
        "one two three",
        "one two three four",
        "one two three four five six",
    ]


def test_what_was_said_before_comes_first_and_is_not_asked_for_again() -> None:
    before, speech = Speech(), Speech()
    before.add_filler("one moment", after_bytes=0).pcm += b"xx"
    speech.add("answer")
    speech.put_first(before.clauses)
    assert speech.text == "one moment answer"
    assert [clause.is_ordered for clause in speech.clauses] == [True, False]
    found = speech.find(1)
    assert found is not None
    assert found.text == "answer"


def test_a_filler_is_no_answer_and_a_dropped_one_is_found_no_more() -> None:
    speech = Speech()
    filler = speech.add_filler("one moment", after_bytes=0)
    assert not speech.has_answer
    speech.drop_idle_fillers()
    assert speech.find(filler.id) is None
    assert speech.add("answer").id != filler.id
    assert speech.has_answer
