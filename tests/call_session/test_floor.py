"""The floor by itself: what no scenario of a whole call reaches."""

from actors.call_session.floor import BOUNDARY_S, HOLD_S, NOISE_HOLD_S, Floor, Voice


def contested(*, left_s: float = 9.0, is_enabled: bool = True, is_heard: bool = True) -> Floor:
    floor = Floor(is_enabled=is_enabled, phrases=(), language="en")
    floor.begin(left_s, is_heard=is_heard)
    return floor


def test_nothing_moves_while_nobody_contests() -> None:
    floor = Floor(is_enabled=True, phrases=(), language="en")
    assert [floor.speech(9.0), floor.words("stop"), floor.pause(""), floor.give_back("noise")] == [[], [], [], []]
    assert floor.voice is Voice.OPEN


def test_nothing_moves_when_interruptions_are_off() -> None:
    floor = contested(is_enabled=False, is_heard=False)
    assert floor.is_contested
    assert [floor.speech(9.0), floor.words("stop"), floor.pause("stop")] == [[], [], []]
    assert floor.voice is Voice.OPEN


def test_each_step_is_told_once() -> None:
    floor = Floor(is_enabled=True, phrases=(), language="en")
    assert [move.decision for move in floor.begin(9.0, is_heard=True)] == ["duck"]
    assert floor.speech(HOLD_S - 0.01) == []
    assert [(move.decision, move.reason) for move in floor.speech(HOLD_S)] == [("hold", "late")]
    assert floor.speech(9.0) == []
    assert floor.words("stop") == []


def test_words_that_were_heard_as_noise_give_it_more_time() -> None:
    floor = contested()
    assert floor.words("") == []
    assert floor.speech(NOISE_HOLD_S - 0.01) == []
    assert [(move.decision, move.reason) for move in floor.speech(NOISE_HOLD_S)] == [("hold", "speech")]


def test_a_long_mhm_gives_way_in_the_end() -> None:
    floor = contested()
    assert floor.words("mhm") == []
    assert [move.decision for move in floor.speech(NOISE_HOLD_S)] == ["hold"]
    assert [move.reason for move in floor.pause("mhm")] == ["backchannel"]


def test_a_scrap_of_a_word_is_no_verdict_before_the_pause() -> None:
    floor = contested()
    assert [floor.words("a"), floor.speech(HOLD_S)] == [[], []]
    assert [move.reason for move in floor.words("no")] == ["words"]
    assert [move.reason for move in contested().words("I")] == ["words"]
    assert [move.reason for move in contested().pause("a")] == ["words"]


def test_an_agent_that_has_not_begun_is_silent_at_once() -> None:
    assert contested(is_heard=False).voice is Voice.SILENT


def test_speech_after_a_mhm_is_ducked_again_at_once() -> None:
    floor = contested()
    floor.pause("mhm")
    assert floor.voice is Voice.OPEN
    assert [(move.decision, move.reason) for move in floor.speech(0.3)] == [("duck", "speech")]


def test_the_last_second_makes_answers_of_listener_s_noise() -> None:
    assert contested(left_s=BOUNDARY_S + 0.01).is_only_listening("yes")
    assert not contested(left_s=BOUNDARY_S).is_only_listening("yes")


def test_the_next_contest_starts_anew() -> None:
    floor = contested()
    floor.words("")
    floor.end()
    assert (floor.voice, floor.is_contested) == (Voice.OPEN, False)
    floor.begin(9.0, is_heard=True)
    assert [move.reason for move in floor.speech(HOLD_S)] == ["late"]
