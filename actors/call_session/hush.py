"""How long it has been quiet at the end of the sound, by level alone: known tens of milliseconds before a VAD says so.
Pure.

10 ms frames. The noise floor is the lowest level of the last seconds (minimum statistics, Martin 2001, without its bias
correction), the speech level the highest with a slow decay. A frame is quiet when it is near the floor and far below
speech.
"""

from collections import deque

import numpy as np

from models.sound import Floats

FRAME_S = 0.01
SILENCE_DB = -70.0
"""Full scale is 0 dB. Anything below is as quiet as this: mu-law's silence is digital zero."""
FAR_BELOW_SPEECH_DB = 18.0
NEAR_FLOOR_DB = 6.0
LEAST_RANGE_DB = 10.0
"""Speech that stands out of the noise by less than this cannot be told from it by level."""
AT_FLOOR_DB = 3.5
"""In noise there is no room for 18 dB: quiet is then only what the noise by itself reaches above its own minimum."""
SPEECH_DECAY_DB = 0.08
"""Per frame: 8 dB a second."""
FLOOR_PART_FRAMES, FLOOR_PARTS = 50, 6
"""The floor is the minimum of the last three seconds, kept as six minima of half a second."""


class Hush:
    """One stream's quiet. Samples at `rate_hz`, in pieces of any length."""

    def __init__(self, rate_hz: int) -> None:
        self._frame = round(rate_hz * FRAME_S)
        self._rest = np.zeros(0, dtype=np.float32)
        self._minima: deque[float] = deque([0.0], maxlen=FLOOR_PARTS)
        self._in_part = 0
        self._speech_db = SILENCE_DB
        self._has_heard_speech = False
        self._quiet_frames = 0

    def feed(self, samples: Floats) -> float:
        """Seconds of quiet at the end of everything fed so far; 0.0 while it is loud or nobody has spoken yet."""
        for level_db in self._levels(samples):
            self._take(level_db)
        return self._quiet_frames * FRAME_S if self._has_heard_speech else 0.0

    def _levels(self, samples: Floats) -> list[float]:
        """The level of each whole frame, in dB of full scale."""
        data = np.concatenate([self._rest, samples])
        whole = len(data) // self._frame * self._frame
        self._rest = data[whole:]
        power = np.mean(np.square(data[:whole].reshape(-1, self._frame)), axis=1)
        levels: list[float] = (10 * np.log10(np.maximum(power, 10 ** (SILENCE_DB / 10)))).tolist()
        return levels

    def _take(self, level_db: float) -> None:
        self._follow_floor(level_db)
        self._speech_db = max(level_db, self._speech_db - SPEECH_DECAY_DB)
        floor_db = min(self._minima)
        range_db = self._speech_db - floor_db
        self._has_heard_speech |= range_db >= LEAST_RANGE_DB + AT_FLOOR_DB
        limit_db = min(floor_db + NEAR_FLOOR_DB, max(self._speech_db - FAR_BELOW_SPEECH_DB, floor_db + AT_FLOOR_DB))
        is_quiet = range_db >= LEAST_RANGE_DB and level_db <= limit_db
        self._quiet_frames = self._quiet_frames + 1 if is_quiet else 0

    def _follow_floor(self, level_db: float) -> None:
        if self._in_part == FLOOR_PART_FRAMES:
            self._minima.append(0.0)
            self._in_part = 0
        self._in_part += 1
        self._minima[-1] = min(self._minima[-1], level_db)
