"""Caller audio on its way to the VAD and the recogniser: windows of 32 ms, and the audio of each utterance. Pure."""

from collections.abc import Iterator

import numpy as np

from models.sound import Floats

VAD_WINDOW = 512
PRE_ROLL_S = 0.4
"""Speech is noticed 96 ms late and begins softly: this much audio before it belongs to the utterance."""
KEPT_UTTERANCES = 4


def scaled(pcm: bytes, db: float) -> bytes:
    """16-bit little-endian PCM at another level; quieter only, so nothing clips."""
    return bytes((np.frombuffer(pcm, dtype="<i2") * 10 ** (db / 20)).astype("<i2").tobytes())


class Windows:
    """Cuts a stream of samples into windows of 512 (32 ms at 16 kHz), whatever the carrier's packet size."""

    def __init__(self) -> None:
        self._rest: Floats = np.zeros(0, dtype=np.float32)

    def feed(self, samples: Floats) -> Iterator[Floats]:
        """The windows these samples complete."""
        data = np.concatenate([self._rest, samples])
        whole = len(data) - len(data) % VAD_WINDOW
        self._rest = data[whole:]
        for start in range(0, whole, VAD_WINDOW):
            yield data[start : start + VAD_WINDOW]

    @property
    def rest(self) -> Floats:
        """What has come of the next window."""
        return self._rest


class UtteranceAudio:
    """Keeps the mu-law bytes (one a sample) of the opened utterances, and a little of what came before."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self._pre_roll = bytearray()
        self._open: int | None = None
        self._kept: dict[int, bytearray] = {}

    def feed(self, mulaw: bytes) -> None:
        """More audio of the stream."""
        if self._open is not None:
            self._kept[self._open] += mulaw
        self._pre_roll += mulaw
        del self._pre_roll[: -int(PRE_ROLL_S * self.rate_hz)]

    def open(self, utterance: int) -> None:
        """From here on, and from a little before, audio belongs to this utterance."""
        self._kept[utterance] = bytearray(self._pre_roll)
        self._open = utterance
        for old in sorted(self._kept)[:-KEPT_UTTERANCES]:
            del self._kept[old]

    def close(self, utterance: int) -> None:
        """The utterance has all its audio; it stays readable for a while."""
        if self._open == utterance:
            self._open = None

    def get(self, utterance: int) -> bytes:
        """The utterance so far; empty for one long gone."""
        return bytes(self._kept.get(utterance, b""))
