"""Vendor audio into whole samples at the carrier's rate."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from models.sound import pcm_decode, pcm_encode
from providers.tts.pcm import PcmFeed


@given(st.lists(st.binary(max_size=9)))
def test_pieces_of_any_length_become_whole_samples_without_loss(pieces: list[bytes]) -> None:
    feed = PcmFeed(8_000, 8_000)
    out = [feed.feed(piece) for piece in pieces]
    whole = b"".join(pieces)
    assert all(len(piece) % 2 == 0 for piece in out)
    assert b"".join(out) + feed.end() == whole[: len(whole) & ~1]


@pytest.mark.parametrize("to_hz", [8_000, 16_000])
def test_a_tone_keeps_its_pitch_level_and_length(to_hz: int) -> None:
    seconds, tone_hz = 0.5, 440
    at = np.arange(int(seconds * 24_000)) / 24_000
    tone = pcm_encode((0.5 * np.sin(2 * np.pi * tone_hz * at)).astype(np.float32))
    feed = PcmFeed(24_000, to_hz)
    out = pcm_decode(b"".join([feed.feed(tone[at : at + 701]) for at in range(0, len(tone), 701)]) + feed.end())
    assert abs(len(out) - seconds * to_hz) <= 2
    spectrum = np.abs(np.fft.rfft(out))
    assert abs(np.argmax(spectrum) / seconds - tone_hz) <= 2
    assert np.max(np.abs(out)) == pytest.approx(0.5, abs=0.03)
