"""Speech to text with a CTranslate2 Whisper, loaded through faster-whisper, one utterance per decoding.

faster-whisper brings the loading, the tokenizer and the mel features; its `transcribe` is not used: it decodes 30 s
windows and shares state between threads. Everything here blocks and releases the interpreter lock; `threads` calls
may run at the same time.
"""

import math
import time
from collections.abc import Callable
from typing import Any

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel

from models.errors import ProviderError
from models.sound import Floats, Upsampler, mulaw_decode
from providers.roles import SpeechAudio, Transcript
from providers.stt import gates, window

_SAMPLES_PER_FRAME = 160
_GREEDY, _THOROUGH = 1, 5
"""Beam sizes of the first decoding and of the second opinion."""


class Whisper:
    """A loaded model. `name` is a directory or a name on the Hugging Face hub; one core per decoding on a CPU."""

    def __init__(self, name: str, *, device: str, compute_type: str, threads: int) -> None:
        try:
            loaded = WhisperModel(name, device=device, compute_type=compute_type, cpu_threads=1, num_workers=threads)
        except Exception as error:  # the loader raises what the file system, the hub or CUDA raised
            raise _failure(f"STT_MODEL on STT_DEVICE with STT_COMPUTE_TYPE: {type(error).__name__}") from error
        self._model: Any = loaded.model
        self._tokenizer: Any = loaded.hf_tokenizer
        self._features: Any = loaded.feature_extractor
        self._vocabulary = int(self._tokenizer.get_vocab_size())

    def warm_up(self) -> None:
        """Decode the smallest and the largest window once, so that no caller pays for first-time allocations."""
        hum = np.full(8_000, 0.01, dtype=np.float32)
        for frames, beam in ((window.BUCKETS[0], _GREEDY), (window.LONGEST, _THOROUGH)):
            self._decode(hum, 1.0, "en", frames=frames, beam=beam)

    def transcribe(self, audio: SpeechAudio, *, is_late: Callable[[], bool]) -> Transcript:
        """The words of one utterance; blocks. A doubtful answer is decoded again with more care unless `is_late()`.

        Raises ProviderError for sound or a language the model cannot take.
        """
        started = time.perf_counter()
        sound = mulaw_decode(audio.mulaw)
        sound_s = len(sound) / audio.rate_hz
        if sound_s > window.MAX_SOUND_S:
            raise _failure(f"an utterance may last {window.MAX_SOUND_S:.0f} s, not {sound_s:.0f}")
        decoded, refused = None, gates.refuse_sound(_level_db(sound), audio.speech_s)
        if refused is None:
            wide = _at_16_khz(sound, audio.rate_hz)
            for frames, beam in ((window.frames_for(sound_s), _GREEDY), (window.LONGEST, _THOROUGH)):
                decoded = self._decode(wide, audio.speech_s, audio.language, frames=frames, beam=beam)
                refused = gates.refuse_text(decoded)
                if refused is None or is_late():
                    break
        decode_ms = (time.perf_counter() - started) * 1000
        if decoded is None or refused is not None:
            return Transcript(text="", confidence=0.0, rejected=refused, decode_ms=decode_ms)
        return Transcript(text=decoded.text, confidence=math.exp(decoded.avg_logprob), decode_ms=decode_ms)

    def _decode(self, wide: Floats, speech_s: float, language: str, *, frames: int, beam: int) -> gates.Decoded:
        prompt = self._prompt(language)
        cap = window.token_cap(len(wide) / Upsampler.TARGET_HZ, language, self._vocabulary)
        mel = self._features(_padded(wide, frames), padding=0)
        answer = self._model.generate(
            ctranslate2.StorageView.from_array(np.ascontiguousarray(mel[None], dtype=np.float32)),
            [prompt],
            beam_size=beam,
            max_length=window.max_length(cap, len(prompt)),
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        tokens = answer.sequences_ids[0]
        return gates.Decoded(
            text=self._tokenizer.decode(tokens, skip_special_tokens=True).strip(),
            avg_logprob=answer.scores[0] * len(tokens) / (len(tokens) + 1),  # the score leaves the end token out
            no_speech=answer.no_speech_prob,
            is_cut=len(tokens) >= cap,
            speech_s=speech_s,
        )

    def _prompt(self, language: str) -> list[str]:
        prompt = window.prompt_for(language, is_multilingual=self._model.is_multilingual)
        if any(self._tokenizer.token_to_id(token) is None for token in prompt):
            raise _failure("the speech-to-text model does not know the agent's language")
        return prompt


def _at_16_khz(sound: Floats, rate_hz: int) -> Floats:
    """The sound as the model wants it, the tail of the filter included."""
    silence = np.zeros(rate_hz // 100, dtype=np.float32)
    return Upsampler(rate_hz).feed(np.concatenate([sound, silence]))


def _padded(wide: Floats, frames: int) -> Floats:
    """Silent sound behind the speech up to the window: silent mel frames are not what the model was trained on."""
    padded = np.zeros(frames * _SAMPLES_PER_FRAME, dtype=np.float32)
    padded[: len(wide)] = wide[: len(padded)]
    return padded


def _level_db(sound: Floats) -> float:
    """Loudness of the whole utterance in dB below full scale; minus infinity for none."""
    power = float(np.mean(np.square(sound))) if len(sound) else 0.0
    return 10 * math.log10(power) if power > 0 else -math.inf


def _failure(message: str) -> ProviderError:
    return ProviderError(message, provider="whisper", retryable=False)
