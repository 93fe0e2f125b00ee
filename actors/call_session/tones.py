"""A voicemail's beep in the caller's sound, and DTMF to play. Pure.

Sound is looked at in 64 ms blocks with a Hann window, a new one every 16 ms: two tones 40 Hz apart, as of a ringback,
are then no longer one peak. A beep is one steady tone with quiet after it. What networks play is told from it by
ITU-T E.180 supplement 2 (low tones, in a cadence, or long) and E.180 5.4 (special information tone: three in a row).
"""

from dataclasses import dataclass

import numpy as np

from models.sound import Floats, pcm_encode

HOP_S, BLOCK_HOPS = 0.016, 4
LOWEST_HZ, HIGHEST_HZ = 350.0, 2600.0
SHORTEST_S, LONGEST_S = 0.12, 2.0
PURITY = 0.9
"""The least share of the power within two bins of the peak."""
LEAST_DB = -45.0
"""Of full scale."""
DRIFT = 0.012
"""A steady tone's frequency stays within this share of it."""
LEVEL_DB = 6.0
"""And its level within this."""
DROP_DB = 12.0
QUIET_S = 0.2
"""After a beep it is quieter by the one for the other."""
NETWORK_HZ = 520.0
"""Ringback, busy and congestion tones are below this; they come again. Beeps this low are short and come once."""
NETWORK_LONGEST_S, NETWORK_QUIET_S, NETWORK_CADENCE_S = 0.8, 0.75, 6.0
MELODY_S = 0.5
"""A tone of another pitch so soon before: a melody, or an announcement's three tones."""


@dataclass(frozen=True, slots=True)
class _Tone:
    """A stretch of one steady tone, counted in hops."""

    hz: float
    level_db: float
    began: int
    ended: int

    @property
    def seconds(self) -> float:
        return (self.ended - self.began + 1) * HOP_S + HOP_S

    def goes_on(self, hz: float, level_db: float) -> bool:
        return abs(hz - self.hz) <= DRIFT * self.hz and abs(level_db - self.level_db) <= LEVEL_DB


class BeepDetector:
    """One stream; samples at `rate_hz`, in pieces of any length."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._hop = round(rate_hz * HOP_S)
        size = self._hop * BLOCK_HOPS
        self._window = np.hanning(size + 1)[:-1].astype(np.float32)
        self._full_scale = float(np.square(self._window).sum()) * size / 2 / 2
        self._bin_hz = rate_hz / size
        self._data = np.zeros(size - self._hop, dtype=np.float32)
        self._at = 0
        self._tone: _Tone | None = None
        self._candidate: _Tone | None = None
        self._last: _Tone | None = None

    def feed(self, samples: Floats) -> bool:
        """Whether a beep turned out to have ended in these samples: 0.2 s after its end, 0.75 s for a low one."""
        self._data = np.concatenate([self._data, samples])
        size, is_beep = self._hop * BLOCK_HOPS, False
        while len(self._data) >= size:
            is_beep |= self._take(*self._peak(self._data[:size]))
            self._data = self._data[self._hop :]
            self._at += 1
        return is_beep

    def _peak(self, block: Floats) -> tuple[float, float, float]:
        """Frequency, level in dB of a full-scale sine, and purity of the strongest tone of a block."""
        power = np.square(np.abs(np.fft.rfft(block * self._window)))
        power[: int(150 / self._bin_hz)] = 0.0  # hum
        total = float(power.sum())
        if total <= 0.0:
            return 0.0, -100.0, 0.0
        at = int(power.argmax())
        near = power[max(at - 2, 0) : at + 3]
        hz = float((near * np.arange(max(at - 2, 0), max(at - 2, 0) + len(near))).sum() / near.sum()) * self._bin_hz
        return hz, 10 * float(np.log10(total / self._full_scale + 1e-10)), float(near.sum()) / total

    def _take(self, hz: float, level_db: float, purity: float) -> bool:
        is_tone = purity >= PURITY and level_db >= LEAST_DB
        if self._tone is not None and is_tone and self._tone.goes_on(hz, level_db):
            loudest = max(self._tone.level_db, level_db)
            self._tone = _Tone(self._tone.hz, loudest, self._tone.began, self._at)
        else:
            self._end_tone()
            self._tone = _Tone(hz, level_db, self._at, self._at) if is_tone else None
        return self._confirm(level_db)

    def _end_tone(self) -> None:
        """Judge the tone that ended by itself and by the one before it."""
        tone, self._tone = self._tone, None
        if tone is None or tone.seconds < SHORTEST_S / 2:
            return
        if self._could_be_beep(tone):
            self._candidate = tone
        self._last = tone

    def _could_be_beep(self, tone: _Tone) -> bool:
        longest = NETWORK_LONGEST_S if tone.hz < NETWORK_HZ else LONGEST_S
        if not (LOWEST_HZ <= tone.hz <= HIGHEST_HZ and SHORTEST_S <= tone.seconds <= longest):
            return False
        if self._last is None:
            return True
        gap_s, is_same = (tone.began - self._last.ended) * HOP_S, self._last.goes_on(tone.hz, self._last.level_db)
        if tone.hz < NETWORK_HZ:
            return gap_s > NETWORK_CADENCE_S
        return is_same or gap_s > MELODY_S

    def _confirm(self, level_db: float) -> bool:
        """Whether it has been quiet for long enough after the candidate; any sound in between means it was no beep."""
        tone = self._candidate
        if tone is None:
            return False
        since = self._at - tone.ended
        if since > BLOCK_HOPS and level_db > tone.level_db - DROP_DB:
            self._candidate = None
        is_due = since * HOP_S >= (NETWORK_QUIET_S if tone.hz < NETWORK_HZ else QUIET_S)
        if self._candidate is None or not is_due:
            return False
        self._candidate = None
        return True


_ROWS, _COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
_KEYS = "123A456B789C*0#D"
KEY_S, GAP_S, PAUSE_S = 0.1, 0.08, 0.5
_RAMP_S = 0.002
_AMPLITUDE = 0.25
"""Of each tone: -12 dB of full scale."""


def dtmf(digits: str, rate_hz: int) -> bytes:
    """The keys as in-band dual tones (ITU-T Q.23), 100 ms each and 80 ms apart: 16-bit little-endian PCM.

    A comma or a w is half a second of silence; anything that is no key is left out.
    """
    pieces = [_key(digit.upper(), rate_hz) for digit in digits]
    return pcm_encode(np.concatenate([np.zeros(0, dtype=np.float32), *pieces]))


def _key(key: str, rate_hz: int) -> Floats:
    if key in (",", "W"):
        return np.zeros(round(PAUSE_S * rate_hz), dtype=np.float32)
    if key not in _KEYS:
        return np.zeros(0, dtype=np.float32)
    row, column = divmod(_KEYS.index(key), 4)
    at = np.arange(round(KEY_S * rate_hz)) / rate_hz
    tone = _AMPLITUDE * (np.sin(2 * np.pi * _ROWS[row] * at) + np.sin(2 * np.pi * _COLUMNS[column] * at))
    ramp = np.minimum(1.0, np.minimum(at, at[::-1]) / _RAMP_S)
    return np.concatenate([tone * ramp, np.zeros(round(GAP_S * rate_hz))]).astype(np.float32)
