from actors.call_session.playout import LEAD_S, MARK_GRACE_S, Playout
from actors.call_session.protocol import ClearPlayback, SendAudio, SendMark

CHUNK = 3200
CHUNK_S = 0.2


def playout_with(*words: str, is_complete: bool = True) -> Playout:
    """One clause; every word one chunk of audio."""
    playout = Playout(rate_hz=8000, chunk_bytes=CHUNK)
    clause = playout.add_clause(" ".join(words))
    playout.add_audio(clause, b"\1\0" * (CHUNK // 2 * len(words)))
    playout.finish_clause(clause)
    if is_complete:
        playout.complete()
    return playout


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
    playout = Playout(rate_hz=8000, chunk_bytes=CHUNK)
    for text in ("one", "two"):
        clause = playout.add_clause(text)
        playout.add_audio(clause, b"\1\0" * 1000)
        playout.finish_clause(clause)
    playout.complete()
    audio = [c.pcm for c in playout.due(0.0) if isinstance(c, SendAudio)]
    assert [len(pcm) for pcm in audio] == [CHUNK, CHUNK]
    assert audio[0] == b"\1\0" * 1600
    assert audio[1] == b"\1\0" * 400 + b"\0\0" * 1200


def test_a_clause_that_is_ready_early_waits_for_the_one_before() -> None:
    playout = Playout(rate_hz=8000, chunk_bytes=CHUNK)
    first, second = playout.add_clause("one"), playout.add_clause("two")
    playout.add_audio(second, b"\2\0" * 1600)
    playout.finish_clause(second)
    assert playout.due(0.0) == []
    playout.add_audio(first, b"\1\0" * 1600)
    playout.finish_clause(first)
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


def test_hold_clears_and_resume_goes_on_after_what_was_heard() -> None:
    playout = playout_with(*"a b c d".split())
    names = marks(playout.due(0.0))
    playout.mark_played(names[0], 0.21)
    assert playout.hold(0.25) == [ClearPlayback()]
    assert playout.due(0.3) == []
    playout.mark_played(names[1], 0.3)
    assert playout.text_heard(0.3) == "a"
    playout.resume()
    assert len(marks(playout.due(1.0))) == 3


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
    clause = playout.add_clause("c")
    playout.add_audio(clause, b"\1\0" * 1600)
    playout.finish_clause(clause)
    playout.due(0.2)
    playout.mark_played(old[0], 0.3)
    assert playout.text_heard(0.21) == ""
