"""The espeak-ng library as a voice: text in, samples out, for the simulated callers and the TTS vendor."""

import asyncio
import ctypes
import shutil
import tempfile
import threading
from functools import cache, lru_cache
from pathlib import Path

import espeakng_loader
import numpy as np

from simulators.sound import Floats, from_pcm, resampled

DEFAULT_VOICE = "en-us+f3"
_RETRIEVAL = 1
"""espeak_AUDIO_OUTPUT: hand the samples to the callback, play nothing."""
_UTF8 = 1
_RATE, _PITCH = 1, 3
"""espeak_PARAMETER."""
_OK = 0
_REMEMBERED = 1024
"""Sounds kept, about a hundred kilobytes each."""

_OnSamples = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class UnknownVoice(Exception):
    """espeak-ng has no voice of that name."""


class Voice:
    """The library, once per process: it keeps its state in globals, so one text is spoken at a time."""

    def __init__(self) -> None:
        self._library = _private_copy()
        data = str(espeakng_loader.get_data_path()).encode()
        self.rate_hz: int = self._library.espeak_Initialize(_RETRIEVAL, 0, data, 0)
        if self.rate_hz <= 0:
            raise RuntimeError("espeak-ng did not start")
        self._pieces: list[bytes] = []
        self._lock = threading.Lock()
        # Kept in the object, or it is freed while the library still calls it.
        self._callback = _OnSamples(self._keep)
        self._library.espeak_SetSynthCallback(self._callback)
        self._remembered = lru_cache(_REMEMBERED)(self._said)

    def say(self, text: str, *, voice: str, rate_hz: int, words_per_min: int = 160, pitch: int = 50) -> Floats:
        """The spoken text at `rate_hz`, read-only; raises UnknownVoice. Pitch is espeak's, 0 to 100.

        What was said before comes from memory, so that a busy machine does not wait for it again.
        """
        return self._remembered(text, voice, rate_hz, words_per_min, pitch)

    def _said(self, text: str, voice: str, rate_hz: int, words_per_min: int, pitch: int) -> Floats:
        encoded = text.encode()
        with self._lock:
            if self._library.espeak_SetVoiceByName(voice.encode()) != _OK:
                raise UnknownVoice(voice)
            self._library.espeak_SetParameter(_RATE, words_per_min, 0)
            self._library.espeak_SetParameter(_PITCH, pitch, 0)
            self._pieces = []
            self._library.espeak_Synth(encoded, len(encoded) + 1, 0, 0, 0, _UTF8, None, None)
            self._library.espeak_Synchronize()
            spoken = from_pcm(b"".join(self._pieces))
        samples = resampled(spoken, self.rate_hz, rate_hz) if len(spoken) else np.zeros(0, dtype=np.float32)
        samples.setflags(write=False)
        return samples

    def _keep(self, samples: "ctypes._Pointer[ctypes.c_short]", count: int, _events: int | None) -> int:
        if samples and count > 0:
            self._pieces.append(ctypes.string_at(samples, count * 2))
        return 0


@cache
def voice() -> Voice:
    """The process's voice."""
    return Voice()


async def spoken(text: str, *, voice_name: str, rate_hz: int, words_per_min: int = 160) -> Floats:
    """`Voice.say` beside the event loop."""
    return await asyncio.to_thread(
        lambda: voice().say(text, voice=voice_name, rate_hz=rate_hz, words_per_min=words_per_min)
    )


def _private_copy() -> ctypes.CDLL:
    """The library from a copy of its file: opened from the same file it would share its globals with other users."""
    with tempfile.TemporaryDirectory() as directory:
        copy = shutil.copy(Path(espeakng_loader.get_library_path()).resolve(), Path(directory) / "voice.so")
        return ctypes.CDLL(str(copy))
