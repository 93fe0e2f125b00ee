"""espeak-ng by ctypes: speaks a text at the line's rate and tells where each word lies in the sound.

Calls the library of the espeakng-loader wheel directly; starting a program per phrase would be twenty times slower.
"""

import ctypes
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import espeakng_loader
import numpy as np
import numpy.typing as npt

from tools.demo_whisper.line import LINE_RATE_HZ

Pcm: TypeAlias = npt.NDArray[np.int16]
Spans: TypeAlias = npt.NDArray[np.int32]  # (words, 2): first sample and the one behind the last

_RETRIEVAL = 1  # espeak_AUDIO_OUTPUT: hand the samples to the callback, play nothing
_TEXT_FLAGS = 0x1 | 0x100  # espeakCHARS_UTF8, and espeakPHONEMES: what stands in [[ ]] is phonemes
_WORD_EVENT = 1  # espeakEVENT_WORD
_RATE, _PITCH, _RANGE, _WORD_GAP = 1, 3, 4, 7  # espeak_PARAMETER

AUDIBLE = 0.02  # of the peak: 34 dB below it a word is over


class _Event(ctypes.Structure):
    """espeak_EVENT of speak_lib.h: a list of them comes with every chunk of sound and ends with type 0."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),  # in characters, from 1
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),  # in ms
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


_Events: TypeAlias = "ctypes._Pointer[_Event]"
_SampleCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True, slots=True)
class Delivery:
    """How one phrase is spoken."""

    voice: str
    words_per_min: int
    pitch: int  # espeak scale, 0-100
    pitch_range: int  # espeak scale, 0-100
    word_gap: int  # extra silence between words, units of 10 ms


class Speaker:
    """The espeak-ng library, once per process: it keeps its state in globals."""

    def __init__(self) -> None:
        self._espeak = ctypes.CDLL(espeakng_loader.get_library_path())
        data = str(espeakng_loader.get_data_path()).encode()
        self._rate_hz: int = self._espeak.espeak_Initialize(_RETRIEVAL, 0, data, 0)
        if self._rate_hz <= 0:
            raise RuntimeError("espeak-ng did not start")
        self._chunks: list[bytes] = []
        self._words: list[tuple[int, int]] = []  # place in the text, ms
        self._callback = _SampleCallback(self._keep)  # held here, or it is freed while the library still calls it
        self._espeak.espeak_SetSynthCallback(self._callback)

    def say(self, text: str, delivery: Delivery) -> tuple[Pcm, Spans]:
        """Speak one text and return it at the line's rate, and where its words are."""
        if self._espeak.espeak_SetVoiceByName(delivery.voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {delivery.voice}")
        for parameter, value in (
            (_RATE, delivery.words_per_min),
            (_PITCH, delivery.pitch),
            (_RANGE, delivery.pitch_range),
            (_WORD_GAP, delivery.word_gap),
        ):
            self._espeak.espeak_SetParameter(parameter, value, 0)
        self._chunks, self._words = [], []
        encoded = text.encode()
        self._espeak.espeak_Synth(encoded, len(encoded) + 1, 0, 0, 0, _TEXT_FLAGS, None, None)
        self._espeak.espeak_Synchronize()
        pcm = _resampled(np.frombuffer(b"".join(self._chunks), dtype=np.int16), self._rate_hz)
        return pcm, _spans(text, self._words, pcm)

    def _keep(self, samples: "ctypes._Pointer[ctypes.c_short]", count: int, events: _Events) -> int:
        if samples and count > 0:
            self._chunks.append(ctypes.string_at(samples, count * 2))
        for event in itertools.takewhile(lambda event: event.type, _each(events)):
            if event.type == _WORD_EVENT:
                self._words.append((event.text_position, event.audio_position))
        return 0


def _spans(text: str, words: list[tuple[int, int]], pcm: Pcm) -> Spans:
    """Where each word of the text is heard, from espeak-ng's word events.

    Words that it speaks as one ("of the") share one event and so one span. A span ends with its last audible sample:
    the pause behind a word is not part of it. After punctuation the place in the text may be one too small.
    """
    ends = [match.end() for match in re.finditer(r"[^\s,.?]\S*", text)]
    starts: dict[int, int] = {}
    for place, ms in words:
        index = next((index for index, end in enumerate(ends) if end >= place), len(ends) - 1)
        starts.setdefault(index, ms * LINE_RATE_HZ // 1000)
    if 0 not in starts:
        return np.zeros((0, 2), np.int32)
    owners = list(itertools.accumulate((index if index in starts else -1 for index in range(len(ends))), max))
    edges = [*sorted(set(starts.values())), len(pcm)]
    return np.array([_heard(pcm, starts[owner], edges) for owner in owners], np.int32)


def _heard(pcm: Pcm, start: int, edges: list[int]) -> tuple[int, int]:
    until = next(edge for edge in edges if edge > start)
    first, last = audible(pcm[start:until], peak=int(np.abs(pcm.astype(np.int32)).max()))
    return start + first, start + last


def audible(pcm: Pcm, *, peak: int | None = None) -> tuple[int, int]:
    """The first audible sample and the one behind the last; the whole of it if none is."""
    size = np.abs(pcm.astype(np.int32))
    loud = np.flatnonzero(size > AUDIBLE * (size.max(initial=0) if peak is None else peak))
    return (int(loud[0]), int(loud[-1]) + 1) if len(loud) else (0, len(pcm))


def _each(events: _Events) -> Iterator[_Event]:
    return (events[index] for index in itertools.count()) if events else iter(())


def _resampled(samples: Pcm, rate_hz: int) -> Pcm:
    """Down to the line's rate by cutting the spectrum; the clip is a whole number of both rates' periods."""
    step, line_step = _lowest_terms(rate_hz, LINE_RATE_HZ)
    blocks = -(-len(samples) // step) + 8  # zeros behind the end keep the cut from wrapping round into the start
    spectrum = np.fft.rfft(samples.astype(np.float32), blocks * step)
    length = blocks * line_step
    resampled = np.fft.irfft(spectrum[: length // 2 + 1], length) * (line_step / step)
    end = -(-len(samples) * line_step // step)
    return np.clip(np.round(resampled[:end]), -32768, 32767).astype(np.int16)


def _lowest_terms(rate_hz: int, other_hz: int) -> tuple[int, int]:
    divisor = int(np.gcd(rate_hz, other_hz))
    return rate_hz // divisor, other_hz // divisor
