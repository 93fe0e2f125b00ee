"""The local voice, free and offline: espeak-ng by ctypes, in the library that the `espeakng-loader` wheel carries.

Voice ids are espeak's own: a voice, optionally `+` a variant, such as `en-us`, `hi` or `en-us+f3`.
"""

import asyncio
import ctypes
import threading
from collections.abc import AsyncGenerator
from functools import cache
from pathlib import Path

import espeakng_loader
import numpy as np
import numpy.typing as npt
import soxr

from models.errors import ProviderError

Pcm = npt.NDArray[np.int16]

_SYNCHRONOUS = 2  # espeak_AUDIO_OUTPUT: espeak_Synth returns when the callback has had every sample; nothing is played
_DONT_EXIT = 0x8000  # espeakINITIALIZE_DONT_EXIT: report a missing data directory instead of ending the process
_UTF8 = 1  # espeakCHARS_UTF8, and neither SSML nor phoneme input
_OK = 0
_GO_ON = 0  # what the callback answers

_OnSamples = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class EspeakTts:
    """Satisfies `roles.Tts`. Fast enough (a second of speech per millisecond) to voice a clause in one piece."""

    async def speak(
        self, text: str, *, voice_id: str, model: str | None, language: str, rate_hz: int
    ) -> AsyncGenerator[bytes, None]:
        """The whole text as one piece, or none if there is nothing to say. No `voice_id`: the language's own voice."""
        samples = await asyncio.to_thread(_synthesise, text, voice_id or language.partition("-")[0], rate_hz)
        if len(samples):
            yield samples.astype("<i2").tobytes()


def _synthesise(text: str, voice_id: str, rate_hz: int) -> Pcm:
    library = _library()
    samples = library.speak(text.replace("\0", " "), voice_id)
    return np.asarray(soxr.resample(samples, library.rate_hz, rate_hz), dtype=np.int16)


class _Library:
    """The C library. It keeps its state in globals, so one per process and one call at a time."""

    def __init__(self) -> None:
        data = espeakng_loader.get_data_path()
        self._lock = threading.Lock()
        self._variants = Path(data) / "voices" / "!v"
        self._chunks: list[bytes] = []
        self._on_samples = _OnSamples(self._keep)  # held here, or it is freed while the library still calls it
        self._espeak = ctypes.CDLL(espeakng_loader.get_library_path())
        self.rate_hz: int = self._espeak.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), _DONT_EXIT)
        if self.rate_hz <= 0:
            raise _failure("espeak-ng did not start")
        self._espeak.espeak_SetSynthCallback(self._on_samples)

    def speak(self, text: str, voice_id: str) -> Pcm:
        """Mono samples at `rate_hz`; blocks, with the interpreter lock released."""
        with self._lock:
            self._choose(voice_id)
            self._chunks.clear()
            encoded = text.encode(errors="replace")
            if self._espeak.espeak_Synth(encoded, len(encoded) + 1, 0, 0, 0, _UTF8, None, None) != _OK:
                raise _failure("espeak-ng could not speak")
            return np.frombuffer(b"".join(self._chunks), dtype=np.int16)

    def _choose(self, voice_id: str) -> None:
        variant = voice_id.partition("+")[2]
        if variant and variant not in self._variant_names():  # the library takes an unknown variant without a word
            raise _failure("espeak-ng has no such voice variant")
        if self._espeak.espeak_SetVoiceByName(voice_id.encode(errors="replace")) != _OK:
            raise _failure("espeak-ng has no such voice")

    def _variant_names(self) -> set[str]:
        return {path.name for path in self._variants.iterdir()}

    def _keep(self, samples: "ctypes._Pointer[ctypes.c_short]", count: int, _events: int | None) -> int:
        if samples and count > 0:
            self._chunks.append(ctypes.string_at(samples, count * 2))
        return _GO_ON


@cache
def _library() -> _Library:
    return _Library()


def _failure(message: str) -> ProviderError:
    return ProviderError(message, provider="espeak", retryable=False)
