"""An utterance as Whisper's features want it: 16 kHz, its loudness, silence behind it. Pure."""

import math

import numpy as np

from models.sound import Floats, Upsampler

SAMPLES_PER_FRAME = 160


def at_16_khz(sound: Floats, rate_hz: int) -> Floats:
    """The sound at the model's rate, the tail of the filter included."""
    silence = np.zeros(rate_hz // 100, dtype=np.float32)
    return Upsampler(rate_hz).feed(np.concatenate([sound, silence]))


def padded(wide: Floats, frames: int) -> Floats:
    """Silent sound behind the speech up to the window: silent mel frames are not what the model was trained on."""
    whole = np.zeros(frames * SAMPLES_PER_FRAME, dtype=np.float32)
    whole[: len(wide)] = wide[: len(whole)]
    return whole


def level_db(sound: Floats) -> float:
    """Loudness of the whole utterance in dB below full scale; minus infinity for none."""
    power = float(np.mean(np.square(sound))) if len(sound) else 0.0
    return 10 * math.log10(power) if power > 0 else -math.inf
