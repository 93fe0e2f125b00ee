"""Writes the call's recording as it happens: 16-bit stereo WAV, caller left, agent right as it was heard.

The file is whole at every moment but for the length in its header, which is at most PATCH_S behind: an actor that dies
leaves a recording that plays, and the next one writes on in it.
"""

import struct
from pathlib import Path

import numpy as np

SAMPLE_BYTES = 2
CHANNELS = 2
FRAME_BYTES = SAMPLE_BYTES * CHANNELS
PATCH_S = 2.0
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")


class Recorder:
    """The caller's stream is the time base; agent audio waits until the caller's time reaches it.

    `goes_on_at_s`: another actor began the recording, and the next sound is of so long after its start. What the file
    has of that moment and later stays as it is, with the agent's voice in it; what it lacks before is silence. On
    another node, where there is no file, all before is silence.
    """

    def __init__(self, path: Path, rate_hz: int, *, goes_on_at_s: float | None = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._rate_hz = rate_hz
        self._agent = bytearray()
        self._recorded = _frames_of(path, rate_hz) if goes_on_at_s is not None else 0
        self._next = round((goes_on_at_s or 0.0) * rate_hz)
        self._patched = 0
        self._file = path.open("r+b" if self._recorded else "wb", buffering=0)
        self._patch()

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
        known = max(0, self._recorded - self._next)
        start, self._next = self._next, self._next + len(frames)
        if self._next > self._recorded:
            self._file.seek(_HEADER.size + (start + known) * FRAME_BYTES)
            self._file.write(frames[known:].tobytes())
            self._recorded = self._next
        if self._recorded - self._patched >= PATCH_S * self._rate_hz:
            self._patch()

    def close(self) -> None:
        """Complete the file."""
        self._patch()
        self._file.close()

    def _patch(self) -> None:
        self._file.seek(0)
        self._file.write(_header(self._rate_hz, self._recorded))
        self._patched = self._recorded


def _header(rate_hz: int, frames: int) -> bytes:
    size, second = frames * FRAME_BYTES, rate_hz * FRAME_BYTES
    riff = (b"RIFF", size + _HEADER.size - 8, b"WAVE")
    form = (b"fmt ", 16, 1, CHANNELS, rate_hz, second, FRAME_BYTES, 8 * SAMPLE_BYTES)
    return _HEADER.pack(*riff, *form, b"data", size)


def _frames_of(path: Path, rate_hz: int) -> int:
    """How much sound a recording has, whatever its header says of its length; 0: it is none of this kind."""
    try:
        with path.open("rb") as file:
            known = file.read(_HEADER.size)
    except FileNotFoundError:
        return 0
    shape = _header(rate_hz, 0)
    is_ours = known[:4] == shape[:4] and known[8:40] == shape[8:40]
    return max(0, path.stat().st_size - _HEADER.size) // FRAME_BYTES if is_ours else 0
