"""Telephone sound as numbers: G.711 mu-law, 16-bit PCM, and one streaming resampler. Pure functions of samples."""

from fractions import Fraction

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
"""Samples from -1 to 1."""

MULAW_SILENCE = b"\xff"


def _mulaw_table() -> Floats:
    """ITU-T G.711 mu-law decoding, 256 entries, scaled to +-1 (14-bit values times four, over 32,768)."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = ((((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.float32) / 32768.0


def _mulaw_encode_table() -> npt.NDArray[np.uint8]:
    """Mu-law byte of every 16-bit sample, indexed by the sample plus 32,768."""
    sample = np.arange(-32768, 32768, dtype=np.int32)
    magnitude = np.minimum(np.abs(sample), 32635) + 0x84
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    sign = np.where(sample < 0, 0x80, 0)
    code: npt.NDArray[np.uint8] = (~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8)
    return code


_DECODE = _mulaw_table()
_ENCODE = _mulaw_encode_table()


def mulaw_decode(data: bytes) -> Floats:
    """Mu-law bytes to samples."""
    return _DECODE[np.frombuffer(data, dtype=np.uint8)]


def mulaw_encode(samples: Floats) -> bytes:
    """Samples to mu-law bytes."""
    return _ENCODE[pcm_integers(samples).astype(np.int32) + 32768].tobytes()


def pcm_decode(data: bytes) -> Floats:
    """16-bit little-endian PCM to samples; a trailing odd byte is dropped."""
    return np.frombuffer(data[: len(data) & ~1], dtype="<i2").astype(np.float32) / 32768.0


def pcm_integers(samples: Floats) -> npt.NDArray[np.int16]:
    """Samples as 16-bit integers, clipped."""
    integers: npt.NDArray[np.int16] = np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)
    return integers


def pcm_encode(samples: Floats) -> bytes:
    """Samples to 16-bit little-endian PCM."""
    return pcm_integers(samples).astype("<i2").tobytes()


class Upsampler:
    """A streaming polyphase FIR to 16 kHz with no start-up gap, for 8, 16 and 24 kHz.

    For 8 kHz it is the half-band filter of two times interpolation: 32 taps a phase, Kaiser window with beta 8,
    a delay of 2 ms and images down by 58 dB and more up to 3.4 kHz. 24 kHz is the same at 2/3. Nothing is held back.
    """

    TARGET_HZ = 16_000

    def __init__(self, rate_hz: int) -> None:
        ratio = Fraction(self.TARGET_HZ, rate_hz)
        self._up, self._down = ratio.numerator, ratio.denominator
        taps = 32 * max(self._up, self._down)
        self._taps = _low_pass(taps, 1.0 / max(self._up, self._down)) * self._up
        self._history = np.zeros(-(-taps // self._up), dtype=np.float32)
        self._phase = 0

    def feed(self, samples: Floats) -> Floats:
        """The next samples at 16 kHz; the filter's state carries over."""
        if self._up == self._down:
            return samples
        data = np.concatenate([self._history, samples])
        stuffed = np.zeros(len(data) * self._up, dtype=np.float32)
        stuffed[:: self._up] = data
        filtered = np.convolve(stuffed, self._taps, mode="full")[len(self._history) * self._up : len(stuffed)]
        out = filtered[self._phase :: self._down]
        self._phase = (self._phase - len(filtered)) % self._down
        self._history = data[-len(self._history) :]
        return out.astype(np.float32)


def _low_pass(taps: int, cutoff: float) -> Floats:
    """A windowed sinc, `cutoff` as a fraction of half the (raised) sampling rate, unit gain at zero."""
    at = np.arange(taps) - (taps - 1) / 2
    impulse = np.sinc(at * cutoff) * np.kaiser(taps, 8.0)
    taps_at_unit_gain: Floats = (impulse / impulse.sum()).astype(np.float32)
    return taps_at_unit_gain
