"""An answer that is late is announced, and then it comes: no dead air, no word too many."""

from typing import Any

import pytest

from actors.call_session import protocol as p
from models.conversation import TurnTaking
from tests.call_session.conversation import LEVEL, Conversation

FIRST, SECOND, THIRD = TurnTaking().acknowledgements


def asked(**more: Any) -> tuple[Conversation, float]:
    """A turn that ended, its words known, its answer not begun; and when the caller fell silent."""
    call = Conversation(has_voice=True, **more)
    call.answer()
    call.speak(0.992)
    fell_silent = call.now
    call.be_quiet(0.12)
    call.recognise("book a visit")
    return call, fell_silent


def begins(call: Conversation) -> list[float]:
    """When each sentence begins to sound."""
    starts = [sound.start for sound in call.sounds]
    return [at for at in starts if not any(abs(sound.end - at) < 1e-6 for sound in call.sounds)]


def test_an_answer_a_second_and_a_half_late_is_announced() -> None:
    call, fell_silent = asked()
    call.be_quiet(2.0)
    assert call.orders() == [FIRST]
    assert begins(call) == pytest.approx([fell_silent + 1.5], abs=0.04)


def test_the_answer_follows_the_announcement() -> None:
    call, _ = asked()
    call.be_quiet(2.0)
    call.reply("Very well.")
    call.be_quiet(2.0)
    assert call.orders() == [FIRST, "Very well."]
    assert call.saved() == [("user", "book a visit"), ("assistant", f"{FIRST} Very well.")]


def test_a_wait_that_goes_on_is_bridged_again_with_other_words() -> None:
    call, fell_silent = asked()
    call.be_quiet(9.0)
    assert call.orders()[:3] == [FIRST, SECOND, THIRD]
    times = begins(call)
    assert times[0] == pytest.approx(fell_silent + 1.5, abs=0.04)
    ends = [sound.end for sound in call.sounds]
    for at in times[1:]:
        assert at - max(end for end in ends if end <= at) < 3.0
        assert at - max(end for end in ends if end <= at) > 1.0


def test_an_agent_may_wait_in_silence() -> None:
    call, _ = asked(turn_taking=TurnTaking(acknowledge_after_ms=0))
    call.be_quiet(20.0)
    assert call.orders() == []


def test_an_agent_may_have_its_own_patience_and_words() -> None:
    call, fell_silent = asked(turn_taking=TurnTaking(acknowledge_after_ms=800, acknowledgements=("Bear with me.",)))
    call.be_quiet(1.2)
    assert call.orders() == ["Bear with me."]
    assert begins(call) == pytest.approx([fell_silent + 0.8], abs=0.04)


def test_an_answer_in_time_is_not_announced() -> None:
    call, _ = asked()
    call.be_quiet(0.8)
    call.reply("Very well.")
    call.be_quiet(4.0)
    assert call.orders() == ["Very well."]


def test_every_turn_has_its_own_patience() -> None:
    call, _ = asked()
    call.be_quiet(2.0)
    call.reply("Very well.")
    call.be_quiet(3.0)
    call.commands.clear()
    call.speak(0.992)
    fell_silent = call.now
    call.be_quiet(0.12)
    call.recognise("for two people please.")
    call.be_quiet(2.0)
    assert call.orders() == [FIRST]
    assert begins(call)[-1] == pytest.approx(fell_silent + 1.5, abs=0.04)


# --- a late recogniser --------------------------------------------------------------------------------
def unrecognised(call: Conversation) -> float:
    """A turn that ended, its words not known; when the caller fell silent."""
    call.speak(0.992)
    fell_silent = call.now
    call.be_quiet(0.7)
    return fell_silent


def test_a_late_recogniser_is_announced_and_its_answer_follows() -> None:
    call = Conversation(has_voice=True)
    call.answer()
    fell_silent = unrecognised(call)
    call.be_quiet(1.4)
    assert call.orders() == [FIRST]
    assert begins(call) == pytest.approx([fell_silent + 1.5], abs=0.04)
    call.recognise("book a visit")
    call.reply("Very well.")
    call.be_quiet(3.0)
    assert call.heard_s() == pytest.approx(5 * 0.2)
    assert call.saved() == [("user", "book a visit"), ("assistant", f"{FIRST} Very well.")]


def test_a_late_recogniser_is_announced_as_soon_after_an_earlier_announcement() -> None:
    call, _ = asked()
    call.be_quiet(2.0)
    call.reply("Very well.")
    call.be_quiet(3.0)
    call.commands.clear()
    fell_silent = unrecognised(call)
    call.be_quiet(2.0)
    assert len(call.orders()) == 1
    assert begins(call)[-1] == pytest.approx(fell_silent + 1.5, abs=0.04)


def test_a_wait_for_recogniser_and_model_is_bridged_with_other_words_each_time() -> None:
    call = Conversation(has_voice=True)
    call.answer()
    unrecognised(call)
    call.be_quiet(1.4)
    call.recognise("book a visit")
    call.be_quiet(3.5)
    assert call.orders()[:2] == [FIRST, SECOND]


def test_after_an_announcement_for_what_was_only_noise_the_agent_is_free_again() -> None:
    call = Conversation(has_voice=True)
    call.answer()
    call.speak(0.5)
    call.be_quiet(2.0)
    assert call.orders() == [FIRST]
    call.recognise("")
    call.be_quiet(20.0)
    assert call.orders() == [FIRST]


def test_an_announcement_that_never_sounded_is_no_part_of_the_answer() -> None:
    call = Conversation()
    call.answer()
    unrecognised(call)
    call.be_quiet(1.0)
    call.voice()
    call.be_quiet(3.2)
    assert call.orders() == [FIRST, SECOND]
    call.recognise("book a visit")
    call.voice(call.reply("Very well."))
    call.be_quiet(3.0)
    assert call.saved() == [("user", "book a visit"), ("assistant", f"{FIRST} Very well.")]


def test_an_announcement_is_heard_once_even_if_the_caller_coughs_after_it() -> None:
    call = Conversation(has_voice=True)
    call.answer()
    unrecognised(call)
    call.be_quiet(1.4)
    call.recognise("book a visit")
    call.speak(0.2)
    call.be_quiet(0.12)
    call.recognise("")
    call.be_quiet(0.6)
    call.reply("Very well.")
    call.be_quiet(4.0)
    assert call.orders() == [FIRST, "Very well."]
    assert call.heard_s() == pytest.approx(5 * 0.2)


def test_an_announcement_stops_when_the_caller_goes_on() -> None:
    call = Conversation(has_voice=True)
    call.answer()
    unrecognised(call)
    call.be_quiet(0.9)
    assert call.level() == LEVEL
    call.recognise("book a visit")
    call.speak(0.6)
    assert call.level() == 0


# --- not too many -------------------------------------------------------------------------------------
def test_an_announcement_that_has_not_begun_makes_way_for_the_answer() -> None:
    call = Conversation()
    call.answer()
    call.say("book a visit")
    call.be_quiet(1.0)
    assert call.orders() == [FIRST]
    call.voice(call.reply("Very well."))
    call.be_quiet(2.0)
    assert call.saved() == [("user", "book a visit"), ("assistant", "Very well.")]
    assert call.heard_s() == pytest.approx(2 * 0.2)


def test_an_announcement_inside_an_answer_makes_way_for_the_rest_of_it() -> None:
    call = Conversation()
    call.answer()
    call.say("book a visit")
    turn = call.last(p.StartReply).turn
    call.voice(call.send(p.ReplyPiece(turn, "Let me see. ")))
    call.be_quiet(3.0)
    assert call.orders() == ["Let me see.", FIRST]
    call.voice([c for c in call.send(p.ReplyPiece(turn, "Tuesday is free. ")) if isinstance(c, p.Synthesize)])
    call.send(p.ReplyDone(turn))
    call.be_quiet(3.0)
    assert call.saved()[-1] == ("assistant", "Let me see. Tuesday is free.")


def test_a_stalled_answer_is_bridged_in_its_middle() -> None:
    call = Conversation(has_voice=True)
    call.answer()
    call.say("book a visit")
    turn = call.last(p.StartReply).turn
    call.send(p.ReplyPiece(turn, "Let me see. "))
    ended = call.sounds[-1].end
    call.be_quiet(3.0)
    assert call.orders() == ["Let me see.", FIRST]
    assert begins(call)[-1] == pytest.approx(ended + 1.5, abs=0.04)


def test_nothing_is_announced_while_the_caller_speaks() -> None:
    call, _ = asked()
    call.be_quiet(1.2)
    call.speak(6.0)
    assert call.orders() == []


def test_nothing_is_announced_to_a_caller_who_speaks_before_their_words_are_known() -> None:
    call = Conversation(has_voice=True)
    call.answer()
    unrecognised(call)
    call.speak(6.0)
    assert call.orders() == []


def test_nothing_is_announced_while_an_answer_sounds() -> None:
    call, _ = asked()
    call.be_quiet(0.5)
    turn = call.last(p.StartReply).turn
    call.send(p.ReplyPiece(turn, "one two three four five six seven eight nine ten eleven twelve. "))
    call.be_quiet(2.4)
    assert FIRST not in call.orders()


def test_an_interrupted_agent_does_not_keep_silent_while_the_recogniser_is_late() -> None:
    call = Conversation(first_message="one two three four five six seven eight nine ten.", has_voice=True)
    call.answer()
    call.be_quiet(0.5)
    call.speak(0.7)
    fell_silent = call.now
    assert call.level() == 0
    call.be_quiet(4.0)
    assert any(fell_silent < sound.start < fell_silent + 3.0 for sound in call.sounds)


def test_a_yes_that_was_recognised_late_is_answered_even_if_the_caller_coughs_into_the_announcement() -> None:
    call = Conversation(has_voice=True, turn_taking=TurnTaking(acknowledgements=("one two three four five six.",)))
    call.answer()
    unrecognised(call)
    yes = call.last(p.Transcribe)
    call.be_quiet(1.2)
    assert call.level() == LEVEL
    call.speak(0.3)
    call.be_quiet(0.12)
    call.recognise("")
    call.send(p.Transcribed(yes.utterance, yes.revision, "yes"))
    call.be_quiet(2.0)
    assert call.last(p.StartReply).messages[-1].content == "yes"
