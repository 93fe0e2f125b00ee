import numpy as np
import pytest

from models.sound import Floats, Upsampler, mulaw_decode, mulaw_encode, pcm_decode, pcm_encode


def sine(hz: float, rate_hz: int, seconds: float = 1.0) -> Floats:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(int(rate_hz * seconds)) / rate_hz)).astype(np.float32)


def test_every_mulaw_byte_survives_a_round_trip_but_negative_zero() -> None:
    data = bytes(range(256))
    assert mulaw_encode(mulaw_decode(data)) == data[:127] + b"\xff" + data[128:]


def test_mulaw_extremes_are_those_of_g711() -> None:
    assert mulaw_decode(b"\x80\x00\xff") * 32768 == pytest.approx([32124, -32124, 0])


def test_pcm_survives_a_round_trip_and_clips() -> None:
    assert pcm_encode(pcm_decode(b"\x00\x80\xff\x7f\x01\x00")) == b"\x00\x80\xff\x7f\x01\x00"
    assert pcm_encode(np.array([9.0, -9.0], dtype=np.float32)) == b"\xff\x7f\x00\x80"


@pytest.mark.parametrize("rate_hz", [8000, 16000, 24000])
@pytest.mark.parametrize("hz", [300, 1000, 3400])
def test_a_tone_keeps_its_pitch_and_level_at_16_khz_without_images(rate_hz: int, hz: int) -> None:
    out = Upsampler(rate_hz).feed(sine(hz, rate_hz))[2000:14000]
    spectrum = np.abs(np.fft.rfft(out * np.hanning(len(out))))
    peak = int(spectrum.argmax())
    assert peak * 16000 / len(out) == pytest.approx(hz, abs=2)
    assert np.abs(out).max() == pytest.approx(0.5, abs=0.02)
    loudest = spectrum[peak]
    spectrum[peak - 5 : peak + 6] = 0
    assert spectrum.max() < 0.0012 * loudest


@pytest.mark.parametrize("rate_hz", [8000, 24000])
def test_the_packet_size_does_not_change_the_sound(rate_hz: int) -> None:
    samples = sine(700, rate_hz)
    split, whole = Upsampler(rate_hz), Upsampler(rate_hz).feed(samples)
    parts = np.concatenate([split.feed(samples[start : start + 333]) for start in range(0, len(samples), 333)])
    assert len(parts) == len(whole)
    assert np.abs(parts - whole).max() < 1e-6
