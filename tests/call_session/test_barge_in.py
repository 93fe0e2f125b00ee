"""The caller speaks into the agent's voice: quieter, silent, or on from where it was. Event by event."""

from typing import Any

import pytest

from actors.call_session import protocol as p
from actors.call_session.turn import WINDOW_S
from models.conversation import Interruption, TurnTaking
from providers.roles import Message, SttKind, ToolCall
from tests.call_session.conversation import DUCKED_LEVEL, LEVEL, Conversation

ANSWER = "one two three four five six seven eight nine ten."
"""Two seconds of it."""
UNHURRIED = TurnTaking(acknowledge_after_ms=0)
SAVED_S = 1.7
"""After this long a turn that nothing is answered to is in the log."""


def talking(answer: str = ANSWER, *, after_s: float = 0.3, **more: Any) -> Conversation:
    """The agent has been saying `answer` for so long."""
    call = Conversation(has_voice=True, turn_taking=UNHURRIED, **more)
    call.answer()
    call.say("tell me everything")
    call.reply(answer)
    call.be_quiet(after_s)
    assert call.level() == LEVEL
    call.commands.clear()
    return call


def decisions(call: Conversation) -> list[tuple[str, str]]:
    """Of the agent's last turn."""
    turn = [turn for turn in call.all(p.SaveTurn) if turn.role == "assistant"][-1]
    return [(each.decision, each.reason) for each in turn.timings.barge_ins]


def test_a_tenth_of_a_second_of_speech_makes_the_agent_quieter_at_once() -> None:
    call = talking()
    call.speak(WINDOW_S)
    assert call.level() == LEVEL
    kinds = [type(command) for command in call.speak(WINDOW_S)]
    assert p.SendAudio in kinds[kinds.index(p.ClearPlayback) :]
    assert call.level() == pytest.approx(DUCKED_LEVEL, abs=2)


def test_a_click_changes_nothing() -> None:
    call = talking()
    call.speak(WINDOW_S)
    call.be_quiet(3.0)
    assert not call.all(p.ClearPlayback)
    assert call.saved() == [("assistant", ANSWER)]
    assert decisions(call) == []


def test_words_cut_the_agent_and_are_answered() -> None:
    call = talking()
    call.speak(0.3)
    assert call.last(p.Transcribe).kind is SttKind.PARTIAL
    assert any(isinstance(c, p.ClearPlayback) for c in call.recognise("what about"))
    assert call.level() == 0
    call.hear_caller("what about monday", 0.5)
    call.be_quiet(0.6)
    call.reply("Monday is fine.")
    call.be_quiet(2.0)
    agent, caller, _ = call.saved()
    assert agent[0] == "assistant"
    assert ANSWER.startswith(agent[1])
    assert agent[1]
    assert caller == ("user", "what about monday")
    assert call.all(p.SaveTurn)[0].interrupted
    assert Message("assistant", agent[1]) in call.last(p.StartReply).messages


def test_what_was_heard_of_a_cut_reply_is_what_was_played() -> None:
    call = talking()
    call.speak(0.3)
    call.recognise("wait")
    heard_words = round(call.heard_s() / 0.2)
    call.hear_caller("wait a moment", 0.3)
    call.be_quiet(SAVED_S)
    assert abs(len(call.saved()[0][1].split()) - heard_words) <= 1


def test_decisions_are_recorded_with_their_reasons_and_times() -> None:
    call = talking()
    call.speak(0.3)
    call.recognise("what about")
    call.hear_caller("what about monday", 0.3)
    call.be_quiet(SAVED_S)
    assert decisions(call) == [("duck", "speech"), ("cut", "words")]
    timings = call.all(p.SaveTurn)[0].timings
    first, second = (each.at_ms for each in timings.barge_ins)
    assert timings.playback_start_ms is not None
    assert timings.playback_start_ms < first < second


@pytest.mark.parametrize("words", ["mhm", "okay", "Uh-huh.", "yes right"])
def test_a_listener_s_noise_is_kept_and_the_reply_is_heard_to_its_end(words: str) -> None:
    call = talking()
    call.hear_caller(words, 0.3)
    assert call.level() == LEVEL
    call.be_quiet(0.6)
    assert call.saved() == [("user", words)]
    call.be_quiet(3.0)
    assert call.saved() == [("user", words), ("assistant", ANSWER)]
    assert not call.all(p.SaveTurn)[-1].interrupted
    assert not call.all(p.StartReply)
    assert decisions(call) == [("duck", "speech"), ("restore", "backchannel")]


def test_an_agent_s_own_backchannels_replace_the_usual_ones() -> None:
    call = talking(interruption=Interruption(backchannels=("go ahead",)))
    call.hear_caller("go ahead", 0.3)
    assert call.level() == LEVEL
    call.be_quiet(0.6)
    call.hear_caller("yes", 0.3)
    assert call.level() == 0


@pytest.mark.parametrize("words", ["stop", "no", "wait", "okay wait"])
def test_a_stop_word_is_no_listener_s_noise(words: str) -> None:
    call = talking()
    call.hear_caller(words, 0.3)
    assert call.level() == 0
    call.be_quiet(SAVED_S)
    assert ("user", words) in call.saved()
    assert call.last(p.StartReply).messages[-1].content == words


def test_a_cough_is_over_when_it_is_quiet_again() -> None:
    call = talking()
    call.hear_caller("", 0.3)
    assert call.level() == LEVEL
    call.be_quiet(3.0)
    assert call.saved() == [("assistant", ANSWER)]
    assert decisions(call) == [("duck", "speech"), ("restore", "noise")]


def test_without_words_in_time_the_agent_falls_silent_and_goes_on_after_noise() -> None:
    call = talking()
    call.speak(0.6)
    assert call.level() == 0
    call.be_quiet(0.12)
    call.recognise("")
    assert call.level() == LEVEL
    call.be_quiet(4.0)
    assert call.saved() == [("assistant", ANSWER)]
    assert call.heard_s() == pytest.approx(len(ANSWER.split()) * 0.2, abs=0.25)
    assert decisions(call) == [("duck", "speech"), ("hold", "late"), ("restore", "noise")]


def test_long_noise_that_is_known_to_hold_no_words_is_given_more_time() -> None:
    call = talking("one two three four five six seven eight nine ten eleven twelve thirteen fourteen.")
    call.speak(0.3)
    call.recognise("")
    call.speak(0.4)
    assert call.level() == pytest.approx(DUCKED_LEVEL, abs=2)
    call.speak(0.6)
    assert call.level() == 0


def test_nothing_of_a_silenced_reply_sounds_while_the_caller_goes_on() -> None:
    call = talking()
    call.speak(0.6)
    held_at = call.now
    call.speak(3.0)
    assert all(sound.start < held_at for sound in call.sounds)


@pytest.mark.parametrize("words", ["yes", "okay"])
def test_in_the_last_second_of_a_reply_yes_is_an_answer(words: str) -> None:
    call = talking("Shall I book Tuesday at three?", after_s=0.5)
    call.hear_caller(words, 0.2)
    call.be_quiet(SAVED_S)
    assert ("user", words) in call.saved()
    assert call.last(p.StartReply).messages[-1].content == words


def test_an_answer_as_the_reply_ends_is_answered() -> None:
    call = talking("Shall I book Tuesday at three?", after_s=1.0)
    call.speak(0.5)
    call.hear_caller("yes please", 0.3)
    call.be_quiet(SAVED_S)
    assert call.saved()[-1] == ("user", "yes please")
    assert call.last(p.StartReply).messages[-1].content == "yes please"


def test_without_interruption_the_agent_finishes_and_then_answers_what_was_said() -> None:
    call = talking(interruption=Interruption(enabled=False))
    call.hear_caller("what about monday", 0.5)
    call.be_quiet(0.6)
    assert not call.all(p.ClearPlayback)
    assert {sound.level for sound in call.sounds} == {LEVEL}
    call.be_quiet(3.0)
    assert call.saved() == [("assistant", ANSWER), ("user", "what about monday")]
    assert not call.all(p.SaveTurn)[0].interrupted
    call.reply("Monday is fine.")
    call.be_quiet(2.0)
    assert call.saved()[-1] == ("assistant", "Monday is fine.")


def test_without_interruption_the_model_is_told_all_of_the_reply_that_was_heard() -> None:
    call = talking(interruption=Interruption(enabled=False))
    call.hear_caller("what about monday", 0.5)
    call.be_quiet(4.0)
    assert [m.content for m in call.last(p.StartReply).messages[-2:]] == [ANSWER, "what about monday"]


def test_without_interruption_everything_said_meanwhile_is_one_turn() -> None:
    call = talking(interruption=Interruption(enabled=False))
    call.hear_caller("what about monday", 0.3)
    call.be_quiet(0.5)
    call.hear_caller("or tuesday please.", 0.3)
    call.be_quiet(4.0)
    assert call.saved() == [("assistant", ANSWER), ("user", "what about monday or tuesday please.")]


def test_without_interruption_words_said_before_a_hang_up_are_kept() -> None:
    call = talking(interruption=Interruption(enabled=False))
    call.hear_caller("what about monday", 0.3)
    call.be_quiet(0.6)
    call.send(p.HungUp("callended"))
    assert ("user", "what about monday") in call.saved()


def test_words_over_the_last_sentence_of_an_agent_that_is_not_interrupted_are_kept() -> None:
    call = Conversation(has_voice=True, turn_taking=UNHURRIED, interruption=Interruption(enabled=False))
    call.answer()
    call.say("goodbye")
    call.ask_for(ToolCall("c1", "end_call", "{}"), text=ANSWER)
    call.be_quiet(0.3)
    call.hear_caller("thank you", 0.3)
    call.be_quiet(4.0)
    assert call.all(p.Finish)
    assert ("user", "thank you") in call.saved()


def test_words_over_a_last_sentence_are_kept_when_the_caller_hangs_up() -> None:
    call = Conversation(has_voice=True)
    call.answer()
    call.send(p.CreditsExhausted())
    call.be_quiet(1.0)
    call.speak(0.5)
    call.send(p.HungUp("callended"))
    assert call.all(p.Transcribe)
    call.recognise("thank you")
    assert ("user", "thank you") in call.saved()
    assert call.last(p.Finish).reason == "credits_exhausted"


def test_words_over_the_greeting_are_kept_and_answered() -> None:
    greeting = "Hello there, this is the office, how may I help you?"
    call = Conversation(first_message=greeting, has_voice=True, turn_taking=UNHURRIED)
    call.answer()
    call.be_quiet(0.4)
    call.hear_caller("i need a table", 0.5)
    call.be_quiet(SAVED_S)
    agent, caller = call.saved()
    assert agent[0] == "assistant"
    assert greeting.startswith(agent[1])
    assert caller == ("user", "i need a table")


def test_words_before_the_greeting_has_a_voice_are_kept_and_answered() -> None:
    call = Conversation(first_message="Hello there.", turn_taking=UNHURRIED)
    call.answer()
    call.hear_caller("i need a table", 0.5)
    call.be_quiet(SAVED_S)
    assert call.saved() == [("user", "i need a table")]
    call.voice()
    assert call.sounds == []
    assert call.last(p.StartReply).messages[-1].content == "i need a table"
