"""Sound helpers agree with the standards they stand for."""

import wave
from pathlib import Path

import numpy as np
import pytest

from simulators.sound import (
    LINE_HZ,
    Widener,
    at_level,
    cough,
    from_pcm,
    joined,
    level_dbfs,
    mulaw_decoded,
    mulaw_encoded,
    resampled,
    save_stereo,
    to_pcm,
    trimmed,
)


def test_mulaw_codes_are_those_of_g711() -> None:
    samples = np.array([0, 32_635, -32_635, 1_000, -1_000]) / 32_768
    assert mulaw_encoded(samples.astype(np.float32)) == bytes([0xFF, 0x80, 0x00, 0xCE, 0x4E])


def test_every_mulaw_code_survives_the_round_trip() -> None:
    # 0x7F is the negative zero, which encodes as the positive one.
    codes = bytes(code for code in range(256) if code != 0x7F)
    assert mulaw_encoded(mulaw_decoded(codes)) == codes


def test_pcm_survives_the_round_trip() -> None:
    pcm = np.array([0, 1, -1, 32_767, -32_768], dtype="<i2").tobytes()
    assert to_pcm(from_pcm(pcm)) == pcm
    assert from_pcm(pcm + b"\x01").tolist() == from_pcm(pcm).tolist()


def test_resampling_keeps_length_and_pitch() -> None:
    tone = np.sin(np.arange(22_050) * 2 * np.pi * 300 / 22_050).astype(np.float32)
    down = resampled(tone, 22_050, LINE_HZ)
    assert len(down) == pytest.approx(LINE_HZ, abs=2)
    assert np.argmax(np.abs(np.fft.rfft(down))) == pytest.approx(300, abs=1)


@pytest.mark.parametrize("to_hz", [8_000, 16_000, 24_000])
def test_widening_piece_by_piece_has_no_seams(to_hz: int) -> None:
    tone = np.sin(np.arange(LINE_HZ) * 2 * np.pi * 500 / LINE_HZ).astype(np.float32)
    whole = Widener(to_hz).feed(tone)
    widener = Widener(to_hz)
    pieces = np.concatenate([widener.feed(part) for part in np.split(tone, 10)])
    assert len(whole) == to_hz
    assert np.allclose(pieces, whole, atol=1e-5)
    assert level_dbfs(pieces[1_000:-1_000]) == pytest.approx(level_dbfs(tone), abs=0.2)


def test_trimming_leaves_what_is_audible() -> None:
    padded = np.concatenate([np.zeros(500), np.full(1_000, 0.5), np.zeros(700)]).astype(np.float32)
    kept = trimmed(padded, LINE_HZ)
    assert len(kept) == 1_000
    assert kept[0] == 0


def test_levels_are_set_and_silence_stays_silent() -> None:
    noise = np.random.default_rng(0).standard_normal(1_000).astype(np.float32)
    assert level_dbfs(at_level(noise, -30)) == pytest.approx(-30, abs=0.01)
    assert not np.any(at_level(np.zeros(10, dtype=np.float32), -30))
    assert len(trimmed(np.zeros(10, dtype=np.float32), LINE_HZ)) == 0


def test_a_cough_is_short_and_not_silent() -> None:
    sound = cough(LINE_HZ, np.random.default_rng(0))
    assert 0.3 < len(sound) / LINE_HZ < 0.6
    assert level_dbfs(sound) > -30


def test_a_recording_has_the_caller_left_and_the_agent_right(tmp_path: Path) -> None:
    left, right = np.full(4, 0.5, dtype=np.float32), np.full(2, -0.5, dtype=np.float32)
    save_stereo(tmp_path / "calls" / "one.wav", left, right, 8_000)
    with wave.open(str(tmp_path / "calls" / "one.wav")) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (2, 8_000, 4)
        frames = np.frombuffer(file.readframes(4), dtype="<i2").reshape(-1, 2)
    assert frames[:, 0].tolist() == [16_384] * 4
    assert frames[:, 1].tolist() == [-16_384, -16_384, 0, 0]


def test_a_cough_may_be_longer() -> None:
    assert len(cough(LINE_HZ, np.random.default_rng(0), seconds=0.7)) / LINE_HZ == pytest.approx(0.7, abs=0.01)


def test_pieces_are_joined_with_pauses_between_them() -> None:
    ones = np.ones(80, dtype=np.float32)
    sound, spans = joined([ones, ones, ones], [0.05, 0.1], LINE_HZ)
    assert spans == [(0.0, 0.01), (0.06, 0.07), (0.17, 0.18)]
    assert np.flatnonzero(np.diff(sound)).tolist() == [79, 479, 559, 1359]
    assert joined([], [], LINE_HZ)[1] == []
