"""The caller's line is continuous noise with speech exactly where it was put."""

import numpy as np
import pytest

from simulators.mouth import Line, Mouth
from simulators.sound import LINE_HZ, Floats, level_dbfs


@pytest.fixture
def speech() -> Floats:
    return np.sin(np.arange(LINE_HZ) * 2 * np.pi * 440 / LINE_HZ).astype(np.float32)


def test_between_utterances_the_line_is_quiet_but_never_dead() -> None:
    noise = Mouth(Line()).read(LINE_HZ)
    assert level_dbfs(noise) == pytest.approx(-65, abs=1.5)
    assert max(np.diff(np.flatnonzero(noise))) < 50


def test_an_utterance_is_spoken_where_it_was_put(speech: Floats) -> None:
    mouth = Mouth(Line())
    mouth.read(800)
    start, end = mouth.say(speech[:1000], 1_000)
    assert (start, end) == (1_000, 2_000)
    line = np.concatenate([mouth.read(800), mouth.read(800)])
    loud = np.flatnonzero(np.abs(line) > 0.05) + 800
    assert loud[0] == pytest.approx(1_000, abs=5)
    assert loud[-1] == pytest.approx(1_999, abs=5)


def test_what_comes_too_late_is_spoken_as_soon_as_possible(speech: Floats) -> None:
    mouth = Mouth(Line())
    mouth.read(800)
    assert mouth.say(speech[:100], 10) == (800, 900)


def test_speech_has_the_level_of_the_line(speech: Floats) -> None:
    mouth = Mouth(Line(speech_dbfs=-26, snr_db=40, gain_db=6))
    mouth.say(speech, 0)
    assert level_dbfs(mouth.read(LINE_HZ)) == pytest.approx(-20, abs=0.5)


def test_the_signal_to_noise_ratio_is_the_lines(speech: Floats) -> None:
    noisy, clean = Mouth(Line(snr_db=10, noise_dbfs=-90)), Mouth(Line(snr_db=90, noise_dbfs=-90))
    for mouth in (noisy, clean):
        mouth.say(speech, 0)
    difference = noisy.read(LINE_HZ) - clean.read(LINE_HZ)
    assert level_dbfs(difference) == pytest.approx(-30, abs=1)


def test_the_same_seed_gives_the_same_line() -> None:
    first, second, other = (Mouth(Line(), seed=seed).read(800) for seed in (1, 1, 2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_everything_read_is_kept_for_the_recording() -> None:
    mouth = Mouth(Line())
    parts = [mouth.read(800), mouth.read(800)]
    assert np.array_equal(mouth.spoken(), np.concatenate(parts))


def test_a_pause_does_not_make_the_words_around_it_louder(speech: Floats) -> None:
    mouth = Mouth(Line())
    mouth.say(np.concatenate([speech, np.zeros(3 * LINE_HZ, dtype=np.float32)]), 0)
    assert level_dbfs(mouth.read(LINE_HZ)) == pytest.approx(-20, abs=0.2)


def test_a_sound_with_a_gain_of_its_own_keeps_it(speech: Floats) -> None:
    mouth = Mouth(Line())
    mouth.say(speech * np.sqrt(2), 0, dbfs=-35)
    assert level_dbfs(mouth.read(LINE_HZ)) == pytest.approx(-35, abs=0.2)
