"""Writes the call's recording as it happens: 16-bit stereo WAV, caller left, agent right as it was heard."""

import wave
from pathlib import Path

import numpy as np

SAMPLE_BYTES = 2


class Recorder:
    """The caller's stream is the time base; agent audio waits until the caller's time reaches it."""

    def __init__(self, path: Path, rate_hz: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._rate_hz = rate_hz
        self._agent = bytearray()
        self._file = wave.open(str(path), "wb")
        self._file.setnchannels(2)
        self._file.setsampwidth(SAMPLE_BYTES)
        self._file.setframerate(rate_hz)

    def add_agent(self, pcm: bytes, *, starts_in_s: float) -> None:
        """Agent audio that will sound `starts_in_s` from now."""
        at = round(starts_in_s * self._rate_hz) * SAMPLE_BYTES
        self._agent += b"\0" * max(0, at - len(self._agent))
        self._agent += pcm

    def clear_agent(self) -> None:
        """What has not sounded yet never will."""
        self._agent.clear()

    def add_caller(self, pcm: bytes) -> None:
        """The next caller audio, with what the agent said at the same time."""
        agent = bytes(self._agent[: len(pcm)]).ljust(len(pcm), b"\0")
        del self._agent[: len(pcm)]
        frames = np.stack([np.frombuffer(pcm, dtype="<i2"), np.frombuffer(agent, dtype="<i2")], axis=1)
        self._file.writeframesraw(frames.tobytes())

    def close(self) -> None:
        """Complete the file."""
        self._file.close()
