"""The call as its caller and its log see it, event by event, on a virtual clock."""

from actors.call_session import prompt, protocol as p
from actors.call_session.machine import CLOSING_S, DRAINING_S, MEDIA_WAIT_S
from models.call import CallStatus
from providers.roles import Message, SttKind
from tests.call_session.conversation import Conversation


def test_the_greeting_is_voiced_played_and_saved_when_heard() -> None:
    call = Conversation(first_message="Hello there. How can I help?")
    orders = [c.text for c in call.answer() if isinstance(c, p.Synthesize)]
    assert orders == ["Hello there.", "How can I help?"]
    call.voice()
    assert call.saved() == []
    call.wait(2.0)
    assert call.saved() == [("assistant", "Hello there. How can I help?")]


def test_a_caller_turn_is_saved_and_answered() -> None:
    call = Conversation()
    call.answer()
    call.say("book a visit")
    call.wait(0.8)
    assert call.saved() == [("user", "book a visit")]
    assert call.last(p.StartReply).messages[-1] == Message("user", "book a visit")
    call.voice(call.reply("Which day would you like?"))
    call.wait(3.0)
    assert call.saved()[-1] == ("assistant", "Which day would you like?")


def test_the_model_and_the_first_clause_start_at_the_pause_and_the_sound_at_the_end_of_the_turn() -> None:
    call = Conversation()
    call.answer()
    call.speak()
    call.be_quiet(0.2)
    assert [type(c) for c in call.recognise("yes please")] == [p.TellPartial, p.StartReply]
    assert [c.text for c in call.reply("Good. Done.") if isinstance(c, p.Synthesize)] == ["Good."]
    call.voice()
    assert not call.all(p.SendAudio)
    ended = call.be_quiet(0.5)
    assert [c.text for c in ended if isinstance(c, p.Synthesize)] == ["Done."]
    assert any(isinstance(c, p.SendAudio) for c in ended)
    assert len(call.all(p.StartReply)) == 1


def test_speech_after_a_pause_discards_the_draft() -> None:
    call = Conversation()
    call.answer()
    call.speak()
    call.be_quiet(0.2)
    call.recognise("book")
    draft = call.last(p.StartReply).turn
    assert p.CancelTurn(draft) in call.speak(0.5)
    call.reply("Too early.")
    call.be_quiet(0.2)
    call.recognise("book a table")
    call.be_quiet(0.5)
    assert not call.all(p.Synthesize)
    call.wait(0.8)
    assert call.saved() == [("user", "book a table")]


def test_a_late_answer_of_the_recogniser_for_an_older_revision_is_nobodys() -> None:
    call = Conversation()
    call.answer()
    call.speak()
    call.be_quiet(0.2)
    old = call.last(p.Transcribe)
    call.speak(0.5)
    call.be_quiet(0.6)
    late = call.send(p.Transcribed(old.utterance, old.revision, "half"))
    assert [type(c) for c in late] == [p.TellPartial]
    call.recognise("half and whole")
    call.wait(1.0)
    assert call.saved() == [("user", "half and whole")]


def test_an_interruption_clears_playback_and_keeps_only_what_was_heard() -> None:
    call = Conversation()
    call.answer()
    call.say("tell me everything")
    call.voice(call.reply("one two three four five six seven eight nine ten."))
    call.wait(0.85)
    cleared = call.speak(0.4)
    assert any(isinstance(c, p.ClearPlayback) for c in cleared)
    call.be_quiet(0.2)
    call.recognise("stop")
    call.be_quiet(0.5)
    call.wait(1.1)
    user, assistant, interruption = call.saved()
    assert user == ("user", "tell me everything")
    assert interruption == ("user", "stop")
    heard = assistant[1].split()
    assert assistant[0] == "assistant"
    assert "one two three four five six seven eight nine ten.".split()[: len(heard)] == heard
    assert 3 <= len(heard) <= 7
    assert call.all(p.SaveTurn)[1].interrupted
    assert Message("assistant", assistant[1]) in call.last(p.StartReply).messages


def test_a_cough_silences_the_agent_and_it_goes_on_from_where_it_was() -> None:
    call = Conversation()
    call.answer()
    call.say("tell me everything")
    call.voice(call.reply("one two three four five six seven eight nine ten."))
    call.wait(0.85)
    call.speak(0.4)
    call.be_quiet(0.2)
    call.recognise("")
    call.be_quiet(0.5)
    call.wait(5.0)
    assert call.saved()[-1] == ("assistant", "one two three four five six seven eight nine ten.")
    played = sum(len(c.pcm) for c in call.all(p.SendAudio))
    assert played >= 10 * 3200


def test_audio_of_a_turn_that_was_cut_is_never_played() -> None:
    call = Conversation()
    call.answer()
    call.say("first")
    orders = call.reply("A long answer to the first question.")
    call.say("second")
    played = len(call.all(p.SendAudio))
    call.voice(orders)
    assert len(call.all(p.SendAudio)) == played


def test_a_carrier_without_marks_ends_a_reply_by_the_playout_clock() -> None:
    call = Conversation(first_message="Hello there.", echo_marks=False)
    call.answer()
    call.voice()
    call.wait(3.0)
    assert call.saved() == [("assistant", "Hello there.")]


def test_a_long_utterance_is_recognised_in_pieces_and_answered_once() -> None:
    call = Conversation()
    call.answer()
    call.speak(13.0)
    first = next(c for c in call.all(p.Transcribe) if c.kind is SttKind.FINAL)
    assert first.speech_s > 11
    call.send(p.Transcribed(first.utterance, first.revision, "the first part"))
    call.be_quiet(0.2)
    call.recognise("and the rest")
    call.be_quiet(0.5)
    call.wait(1.0)
    assert call.saved() == [("user", "the first part and the rest")]


def test_a_failed_recogniser_is_asked_again_and_then_the_caller_is() -> None:
    call = Conversation()
    call.answer()
    call.speak()
    call.be_quiet(0.7)
    for _ in range(2):
        asked = call.last(p.Transcribe)
        call.send(p.TranscribeFailed(asked.utterance, asked.revision))
    assert [c.code for c in call.all(p.ReportError)] == ["STT_ERROR"]
    assert call.last(p.Synthesize).text == "Could you say it again?"


def test_long_speech_without_words_is_asked_about_once() -> None:
    call = Conversation()
    call.answer()
    call.say("")
    assert call.last(p.Synthesize).text == "Could you say it again?"
    orders = len(call.all(p.Synthesize))
    call.voice()
    call.wait(5.0)
    call.say("")
    assert len(call.all(p.Synthesize)) == orders


def test_a_failing_model_is_apologised_for_and_gives_up_in_words_after_three_times() -> None:
    call = Conversation()
    call.answer()
    said = []
    for _ in range(3):
        commands = call.say("hello")
        commands += call.send(p.ReplyFailed(call.last(p.StartReply).turn))
        said.append(" ".join(c.text for c in commands if isinstance(c, p.Synthesize)))
        call.voice(commands)
        call.wait(10.0)
    assert said == [prompt.REPLY_FAILED, prompt.REPLY_FAILED, prompt.GIVING_UP]
    assert call.last(p.Finish) == p.Finish(CallStatus.FAILED, "vendor_failure")


def test_a_model_stream_that_breaks_keeps_what_it_said_and_apologises() -> None:
    call = Conversation()
    call.answer()
    call.say("hello")
    turn = call.last(p.StartReply).turn
    call.send(p.ReplyPiece(turn, "Your visit is on Tuesday. And "))
    commands = call.send(p.ReplyFailed(turn))
    assert prompt.REPLY_FAILED in [c.text for c in commands if isinstance(c, p.Synthesize)]
    assert [c.code for c in call.all(p.ReportError)] == ["LLM_ERROR"]


def test_hang_up_keeps_what_was_heard_and_finishes() -> None:
    call = Conversation(first_message="Hello there. How can I help you today?")
    call.answer()
    call.voice()
    call.wait(0.5)
    call.send(p.HungUp("callended"))
    assert call.saved() == [("assistant", "Hello there.")]
    assert call.last(p.Finish) == p.Finish(CallStatus.COMPLETED, "callended")
    assert call.send(p.Tick()) == []


def test_the_last_words_before_a_hang_up_are_not_lost() -> None:
    call = Conversation()
    call.answer()
    call.speak()
    call.send(p.HungUp("callended"))
    assert not call.all(p.Finish)
    call.recognise("thank you goodbye")
    assert call.saved() == [("user", "thank you goodbye")]
    assert call.last(p.Finish).status is CallStatus.COMPLETED


def test_a_recogniser_that_never_answers_does_not_hold_up_the_end() -> None:
    call = Conversation()
    call.answer()
    call.speak()
    call.send(p.HungUp("callended"))
    call.wait(DRAINING_S + 0.1)
    assert call.last(p.Finish).status is CallStatus.COMPLETED


def test_while_the_last_words_are_awaited_nothing_else_is_due() -> None:
    call = Conversation()
    call.answer()
    call.wait(8.0)
    call.speak(1.0)
    call.send(p.HungUp("callended"))
    assert call.machine.deadline(call.now) == call.now + DRAINING_S


def test_the_session_timeout_ends_in_words() -> None:
    call = Conversation(session_timeout=10)
    call.answer()
    commands = call.wait(10.1)
    assert commands
    assert "".join(c.text for c in call.all(p.Synthesize)).startswith("I am sorry, our time is up.")
    call.voice()
    call.wait(10.0)
    assert call.last(p.Finish) == p.Finish(CallStatus.COMPLETED, "session_timeout")


def test_a_last_sentence_that_never_gets_a_voice_does_not_keep_the_line_open() -> None:
    call = Conversation(session_timeout=10)
    call.answer()
    call.wait(10 + CLOSING_S + 1)
    assert call.last(p.Finish).reason == "session_timeout"


def test_an_empty_account_ends_in_words() -> None:
    call = Conversation()
    call.answer()
    call.send(p.CreditsExhausted())
    call.voice()
    call.wait(10.0)
    assert call.last(p.Finish) == p.Finish(CallStatus.COMPLETED, "credits_exhausted")


def test_a_socket_without_a_start_is_no_call() -> None:
    call = Conversation()
    call.wait(MEDIA_WAIT_S + 0.1)
    assert call.last(p.Finish) == p.Finish(CallStatus.FAILED, "no_media")


def test_a_call_ended_before_its_media_is_canceled() -> None:
    call = Conversation()
    call.send(p.EndRequested("user_requested"))
    assert call.last(p.Finish) == p.Finish(CallStatus.CANCELED, "user_requested")


def test_timings_of_an_answer_are_in_order() -> None:
    call = Conversation()
    call.answer()
    call.say("book a visit")
    orders = call.reply("Which day would you like?")
    call.wait(0.15)
    call.voice(orders)
    call.wait(3.0)
    timings = call.all(p.SaveTurn)[-1].timings
    moments = [timings.speech_end_ms, timings.final_text_ms, timings.first_token_ms, timings.first_audio_ms]
    assert [m for m in moments if m is not None] == sorted(m for m in moments if m is not None)
    assert None not in moments
    assert timings.playback_start_ms == timings.first_audio_ms


def test_usage_is_saved_every_ten_seconds() -> None:
    call = Conversation()
    call.answer()
    call.wait(35.0)
    assert len(call.all(p.SaveUsage)) == 3
