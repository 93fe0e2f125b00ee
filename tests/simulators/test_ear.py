"""The playout clock: what is heard when, marks, clears, gaps. The clock is an argument."""

import numpy as np
import pytest

from simulators.ear import Ear
from simulators.sound import Floats

RATE_HZ = 8_000
START = 1_000.0


def tone(seconds: float) -> Floats:
    """Sound far above the loudness threshold."""
    return np.full(round(seconds * RATE_HZ), 0.25, dtype=np.float32)


def quiet(seconds: float) -> Floats:
    """Silence."""
    return np.zeros(round(seconds * RATE_HZ), dtype=np.float32)


@pytest.fixture
def ear() -> Ear:
    return Ear(RATE_HZ, origin=START)


def test_audio_that_comes_early_plays_without_a_seam(ear: Ear) -> None:
    ear.hear(tone(0.2), START + 1.0)
    ear.hear(tone(0.2), START + 1.1)
    assert ear.speech() == [pytest.approx((START + 1.0, START + 1.4))]
    assert ear.gaps == []
    assert [arrival.starts_anew for arrival in ear.arrivals] == [True, False]


def test_a_mark_is_played_when_everything_before_it_was(ear: Ear) -> None:
    ear.hear(tone(0.5), START)
    ear.mark("end", START + 0.01)
    assert ear.deadline() == pytest.approx(START + 0.5)
    assert ear.due(START + 0.499) == []
    assert ear.due(START + 0.5) == ["end"]
    assert ear.due(START + 0.6) == []
    assert ear.deadline() is None


def test_a_mark_behind_nothing_is_due_at_once(ear: Ear) -> None:
    ear.mark("start", START + 3)
    assert ear.due(START + 3) == ["start"]


def test_audio_after_a_mark_does_not_delay_it(ear: Ear) -> None:
    ear.hear(tone(0.2), START)
    ear.mark("first", START)
    ear.hear(tone(0.2), START)
    ear.mark("second", START)
    assert ear.due(START + 0.25) == ["first"]
    assert ear.due(START + 0.4) == ["second"]


def test_clear_drops_what_was_not_played_and_its_marks(ear: Ear) -> None:
    ear.hear(tone(1.0), START)
    ear.hear(tone(1.0), START)
    ear.mark("end", START)
    ear.clear(START + 0.3)
    assert ear.deadline() is None
    assert ear.speech() == [pytest.approx((START, START + 0.3))]
    assert np.count_nonzero(ear.heard(START + 2)) == round(0.3 * RATE_HZ)
    assert ear.marks[0].cleared_at == START + 0.3
    assert not ear.is_playing(START + 0.3)


def test_audio_after_a_clear_plays_at_once(ear: Ear) -> None:
    ear.hear(tone(5.0), START)
    ear.clear(START + 0.3)
    ear.hear(tone(0.2), START + 0.5)
    assert ear.arrivals[-1].plays_at == pytest.approx(START + 0.5)
    assert ear.arrivals[-1].starts_anew
    assert ear.gaps == []


def test_audio_that_comes_late_within_a_turn_is_a_gap(ear: Ear) -> None:
    ear.hear(tone(0.2), START)
    ear.hear(tone(0.2), START + 0.25)
    assert [(gap.at, gap.seconds) for gap in ear.gaps] == [pytest.approx((START + 0.2, 0.05))]


def test_silence_while_the_caller_speaks_is_no_gap(ear: Ear) -> None:
    ear.hear(tone(0.2), START)
    ear.turn_over()
    ear.hear(tone(0.2), START + 1.5)
    assert ear.gaps == []


def test_a_long_silence_is_a_new_turn(ear: Ear) -> None:
    ear.hear(tone(0.2), START)
    ear.hear(tone(0.2), START + 5)
    assert ear.gaps == []


def test_loudness_tells_speech_from_padding(ear: Ear) -> None:
    ear.hear(np.concatenate([quiet(0.1), tone(0.2), quiet(0.3)]), START)
    assert ear.first_loud(START) == pytest.approx(START + 0.1)
    assert ear.last_loud(START + 0.05) is None
    assert ear.last_loud(START + 0.2) == pytest.approx(START + 0.2)
    assert ear.last_loud(START + 9) == pytest.approx(START + 0.29)
    assert ear.first_loud(START + 0.31) is None


def test_what_is_heard_ends_with_the_call(ear: Ear) -> None:
    ear.hear(tone(1.0), START + 0.5)
    heard = ear.heard(START + 1.0)
    assert len(heard) == RATE_HZ
    assert np.count_nonzero(heard) == RATE_HZ // 2


def test_a_moment_made_from_a_position_stays_on_it() -> None:
    ear = Ear(24_000, origin=123_456.789)
    for _ in range(50):
        ear.hear(np.ones(2_400, dtype=np.float32), ear.arrivals[-1].plays_at + 0.1 if ear.arrivals else ear.origin)
    assert ear.gaps == []


def test_a_span_holds_what_was_heard_in_it_and_its_level(ear: Ear) -> None:
    ear.hear(tone(1.0), START + 1.0)
    ear.clear(START + 1.5)
    ear.hear(tone(0.5) * np.float32(0.25), START + 1.5)
    assert len(ear.span(START + 0.9, START + 1.1)) == round(0.2 * RATE_HZ)
    assert np.count_nonzero(ear.span(START + 0.9, START + 1.1)) == round(0.1 * RATE_HZ)
    assert ear.level(START + 1.2, START + 1.4) == pytest.approx(-12.04, abs=0.01)
    assert ear.level(START + 1.6, START + 1.8) == pytest.approx(-24.08, abs=0.01)
    assert ear.level(START + 2.5, START + 3.0) == -120
    assert len(ear.span(START + 2.0, START + 1.0)) == 0
