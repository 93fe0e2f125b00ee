from actors.call_session.playout import LEAD_S, MARK_GRACE_S, Playout
from actors.call_session.protocol import ClearPlayback, SendAudio, SendMark
from actors.call_session.speech import Speech

CHUNK = 3200
CHUNK_S = 0.2
LOUD = (8000).to_bytes(2, "little")
QUIET = (2009).to_bytes(2, "little")
"""12 dB below LOUD."""


def playing(*clauses: tuple[str, int], is_complete: bool = True) -> tuple[Playout, Speech]:
    """Clauses with so many samples of audio each."""
    playout, speech = Playout(rate_hz=8000, chunk_bytes=CHUNK), Speech(is_complete=is_complete)
    for text, samples in clauses:
        speech.add(text, pcm=LOUD * samples)
    playout.play(speech)
    return playout, speech


def playout_with(*words: str, is_complete: bool = True) -> Playout:
    """One clause; every word one chunk of audio."""
    return playing((" ".join(words), CHUNK // 2 * len(words)), is_complete=is_complete)[0]


def marks(commands: list[SendAudio | SendMark]) -> list[str]:
    return [command.name for command in commands if isinstance(command, SendMark)]


def test_audio_is_sent_no_further_ahead_than_the_lead() -> None:
    playout = playout_with(*"a b c d e f g h".split())
    first = playout.due(0.0)
    assert len(marks(first)) == round(LEAD_S / CHUNK_S)
    assert playout.due(0.1) == []
    deadline = playout.deadline(0.1)
    assert deadline is not None
    assert len(marks(playout.due(deadline))) == 1


def test_chunks_sound_one_after_the_other() -> None:
    starts = [c.at for c in playout_with("a", "b", "c").due(5.0) if isinstance(c, SendAudio)]
    assert [round(start, 3) for start in starts] == [5.0, 5.2, 5.4]


def test_the_tail_is_padded_to_a_legal_chunk_and_clauses_join_without_a_gap() -> None:
    playout, _ = playing(("one", 1000), ("two", 1000))
    audio = [c.pcm for c in playout.due(0.0) if isinstance(c, SendAudio)]
    assert audio == [LOUD * 1600, LOUD * 400 + b"\0\0" * 1200]


def test_a_clause_that_is_ready_early_waits_for_the_one_before() -> None:
    playout, speech = playing(is_complete=False)
    first, second = speech.add("one"), speech.add("two")
    second.pcm += b"\2\0" * 1600
    second.is_done = True
    assert playout.due(0.0) == []
    first.pcm += b"\1\0" * 1600
    first.is_done = True
    assert [c.pcm[:1] for c in playout.due(0.1) if isinstance(c, SendAudio)] == [b"\1", b"\2"]


def test_what_was_heard_is_what_the_carrier_confirmed() -> None:
    playout = playout_with(*"a b c d e f".split())
    names = marks(playout.due(0.0))
    playout.mark_played(names[0], 0.25)
    playout.mark_played(names[1], 0.45)
    assert playout.text_heard(0.5) == "a b"


def test_before_any_mark_the_clock_says_what_was_heard() -> None:
    playout = playout_with(*"a b c d e f".split())
    playout.due(0.0)
    assert playout.text_heard(0.41) == "a b"


def test_hold_clears_and_restore_goes_on_where_the_caller_stopped_hearing() -> None:
    playout = playout_with(*"a b c d".split())
    names = marks(playout.due(0.0))
    playout.mark_played(names[0], 0.2)
    assert playout.hold(0.25) == [ClearPlayback()]
    assert playout.due(0.3) == []
    playout.mark_played(names[1], 0.3)
    assert playout.text_heard(0.3) == "a"
    assert playout.restore(1.0) == []
    sent = [c.pcm for c in playout.due(1.0) if isinstance(c, SendAudio)]
    assert sent == [LOUD * 1600, LOUD * 1600, LOUD * 1200 + b"\0\0" * 400]
    playout.due(3.0)
    assert playout.text_heard(9.0) == "a"  # marks tell here, and none has come since


def test_a_duck_sends_what_was_not_heard_again_and_quieter_until_it_is_restored() -> None:
    playout = playout_with(*"a b c d".split())
    playout.due(0.0)
    assert playout.duck(0.1) == [ClearPlayback()]
    assert playout.duck(0.15) == []
    ducked = [c for c in playout.due(0.1) if isinstance(c, SendAudio)]
    assert (ducked[0].at, ducked[0].pcm) == (0.1, QUIET * 1600)
    assert playout.restore(0.3) == [ClearPlayback()]
    assert [c.pcm for c in playout.due(0.3) if isinstance(c, SendAudio)] == [LOUD * 1600] * 2 + [
        LOUD * 800 + b"\0\0" * 800
    ] + [LOUD * 1600] * 0


def test_a_carrier_that_plays_late_hears_nothing_skipped_when_audio_is_taken_back() -> None:
    playout = playout_with(*"a b c d".split())
    names = marks(playout.due(0.0))
    playout.mark_played(names[0], CHUNK_S + 0.05)
    playout.duck(0.35)
    sent = b"".join(c.pcm for c in playout.due(0.35) if isinstance(c, SendAudio)).rstrip(b"\0")
    assert len(sent) == 4 * CHUNK - round(0.3 * 16_000)


def test_a_hold_after_a_duck_is_silent_and_comes_back_at_full_level() -> None:
    playout = playout_with(*"a b c d".split())
    playout.due(0.0)
    playout.duck(0.1)
    playout.due(0.1)
    assert playout.hold(0.2) == [ClearPlayback()]
    assert playout.due(0.4) == []
    assert not playout.is_audible(0.25)
    assert playout.restore(0.5) == []
    assert next(c.pcm for c in playout.due(0.5) if isinstance(c, SendAudio)) == LOUD * 1600


def test_what_is_left_to_hear_is_known_once_everything_is_there() -> None:
    playout, speech = playing(("a b", 3200), is_complete=False)
    playout.due(0.0)
    assert playout.left_s(0.1) == float("inf")
    speech.is_complete = True
    assert round(playout.left_s(0.1), 2) == 0.3


def test_a_reply_is_finished_when_its_last_mark_came_or_never_will() -> None:
    playout = playout_with("a")
    name = marks(playout.due(0.0))[0]
    assert not playout.is_finished(0.5)
    assert playout.is_finished(CHUNK_S + MARK_GRACE_S)
    playout.mark_played(name, 0.2)
    assert playout.is_finished(0.2)


def test_a_reply_that_may_still_grow_is_not_finished() -> None:
    playout = playout_with("a", is_complete=False)
    playout.mark_played(marks(playout.due(0.0))[0], 0.2)
    assert not playout.is_finished(9.0)


def test_marks_of_a_dropped_turn_mean_nothing_to_the_next() -> None:
    playout = playout_with("a", "b")
    old = marks(playout.due(0.0))
    playout.drop(0.1)
    speech = Speech(is_complete=True)
    speech.add("c", pcm=LOUD * 1600)
    playout.play(speech)
    playout.due(0.2)
    playout.mark_played(old[0], 0.3)
    assert playout.text_heard(0.21) == ""


def test_a_filler_goes_before_what_has_not_been_sent_and_after_what_has() -> None:
    playout, speech = playing(("one", 1600), is_complete=False)
    playout.due(0.0)
    speech.add("two")
    filler = speech.add_filler("wait", after_bytes=playout.sent_bytes)
    assert [clause.text for clause in speech.clauses] == ["one", "wait", "two"]
    filler.pcm += LOUD * 1600
    filler.is_done = True
    assert [c.pcm for c in playout.due(0.2) if isinstance(c, SendAudio)] == [LOUD * 1600]
    speech.drop_idle_fillers()
    assert [clause.text for clause in speech.clauses] == ["one", "wait", "two"]


def test_a_filler_that_has_not_begun_to_sound_makes_way_for_the_answer() -> None:
    _, speech = playing(is_complete=False)
    speech.add("answer")
    speech.add_filler("wait", after_bytes=0)
    assert speech.text == "wait answer"
    speech.drop_idle_fillers()
    assert speech.text == "answer"
