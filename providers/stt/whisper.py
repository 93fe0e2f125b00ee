"""Speech to text with a CTranslate2 Whisper: utterances are encoded at their own length and decoded together.

faster-whisper brings the loading, the tokenizer and the mel features; its `transcribe` is not used: it decodes 30 s
windows of one file and shares state between threads. Everything here blocks and releases the interpreter lock;
as many calls as the engine has `threads` may run at the same time. Nothing is kept between them.
"""

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ctranslate2
import numpy as np
import numpy.typing as npt
from faster_whisper import WhisperModel

from models.errors import ProviderError
from models.sound import Floats, mulaw_decode
from providers.roles import SpeechAudio, Transcript
from providers.stt import gates, window
from providers.stt.features import at_16_khz, level_db, padded

_GREEDY, _THOROUGH = 1, 5
"""Beam sizes of the first decoding and of the second opinion."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sound:
    """One utterance, checked and ready for a batch. `frames` is the shortest window that holds it."""

    samples: Floats
    rate_hz: int
    speech_s: float
    prompt: tuple[int, ...]
    frames: int
    token_cap: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of each sound, in order, and how long the two halves of the work took."""

    rows: tuple[gates.Decoded | ProviderError, ...]
    encode_ms: float
    decode_ms: float


class Whisper:
    """A loaded model. `name` is a directory or a name on the Hugging Face hub.

    On a CPU every decoding has one core and sounds are encoded one by one, which is faster there than together; on
    another device the encoder takes the batch (`encodes_together`).
    """

    def __init__(
        self, name: str, *, device: str, compute_type: str, threads: int, encodes_together: bool | None = None
    ) -> None:
        try:
            loaded = WhisperModel(name, device=device, compute_type=compute_type, cpu_threads=1, num_workers=threads)
        except Exception as error:  # the loader raises what the file system, the hub or CUDA raised
            raise _failure(f"STT_MODEL on STT_DEVICE with STT_COMPUTE_TYPE: {type(error).__name__}") from error
        self._model: Any = loaded.model
        self._tokenizer: Any = loaded.hf_tokenizer
        self._features: Any = loaded.feature_extractor
        self._vocabulary = int(self._tokenizer.get_vocab_size())
        self._encodes_together = device != "cpu" if encodes_together is None else encodes_together
        self._mels = int(self._model.n_mels)
        for frames in window.BUCKETS:
            window.check(frames, self._mels)

    def prepare(self, audio: SpeechAudio) -> Sound | Transcript:
        """The sound, or the answer at once when there is nothing in it to decode; takes well under a millisecond.

        Raises ProviderError for sound or a language the model cannot take, so that no batch ever fails for it.
        """
        samples = mulaw_decode(audio.mulaw)
        sound_s = len(samples) / audio.rate_hz
        if sound_s > window.MAX_SOUND_S:
            raise _failure(f"an utterance may last {window.MAX_SOUND_S:.0f} s, not {sound_s:.0f}")
        refused = gates.refuse_sound(level_db(samples), audio.speech_s)
        if refused is not None:
            return Transcript(text="", confidence=0.0, rejected=refused)
        return Sound(
            samples=samples,
            rate_hz=audio.rate_hz,
            speech_s=audio.speech_s,
            prompt=self._prompt(audio.language),
            frames=window.frames_for(sound_s),
            token_cap=window.token_cap(sound_s, audio.language, self._vocabulary),
        )

    def recognise(self, sounds: Sequence[Sound], *, frames: int, is_thorough: bool = False) -> Batch:
        """Decode sounds whose prompts are equally long, all in a window of `frames`; blocks.

        A sound the engine fails on gets a ProviderError of its own and takes nobody with it.
        """
        window.check(frames, self._mels)
        if len({len(sound.prompt) for sound in sounds}) != 1:
            raise ValueError("the prompts of a batch must be equally long")  # CTranslate2 would refuse all of it
        started = time.perf_counter()
        mels = [self._mel(sound, frames) for sound in sounds]
        try:
            encoded = self._encode(mels)
            halfway = time.perf_counter()
            rows: Sequence[gates.Decoded | ProviderError] = self._decode(sounds, encoded, is_thorough)
        except (RuntimeError, ValueError) as error:  # what CTranslate2 raises
            log.error("a batch failed", extra={"rows": len(sounds), "frames": frames, "problem": type(error).__name__})
            halfway = started
            rows = [self._alone(sound, mel, is_thorough) for sound, mel in zip(sounds, mels, strict=True)]
        done = time.perf_counter()
        return Batch(tuple(rows), (halfway - started) * 1000, (done - halfway) * 1000)

    def transcribe(self, audio: SpeechAudio, *, is_late: Callable[[], bool]) -> Transcript:
        """The words of one utterance; blocks. A doubtful answer is decoded again with more care unless `is_late()`."""
        started = time.perf_counter()
        sound = self.prepare(audio)
        if isinstance(sound, Transcript):
            return sound
        for frames, is_thorough in ((sound.frames, False), (window.LONGEST, True)):
            row = self.recognise([sound], frames=frames, is_thorough=is_thorough).rows[0]
            if isinstance(row, ProviderError):
                raise row
            transcript = judged(row, decode_ms=(time.perf_counter() - started) * 1000)
            if transcript.rejected is None or is_late():
                break
        return transcript

    def warm_up(self) -> list[tuple[int, Batch]]:
        """Decode a hum in some windows, the largest included, so that no caller pays for first-time allocations.

        Returns what each cost, with its frames; the last is the second opinion.
        """
        measured = []
        hum = np.full(8_000, 0.01, dtype=np.float32)
        for frames, is_thorough in ((window.BUCKETS[0], False), (window.BUCKETS[3], False), (window.LONGEST, True)):
            cap = window.token_cap(frames / window.FRAMES_PER_S / 2, "en", self._vocabulary)
            sound = Sound(hum, 8_000, 1.0, self._prompt("en"), frames, cap)
            for _ in range(2):  # the first allocates, the second is measured
                batch = self.recognise([sound], frames=frames, is_thorough=is_thorough)
            measured.append((frames, batch))
        return measured

    # --- on one thread of the caller's ------------------------------------------------------------------
    def _mel(self, sound: Sound, frames: int) -> Floats:
        wide = padded(at_16_khz(sound.samples, sound.rate_hz), frames)
        mel: Floats = np.ascontiguousarray(self._features(wide, padding=0)[None], dtype=np.float32)
        return mel

    def _encode(self, mels: Sequence[Floats]) -> Any:
        """The encoder's output for all of them, as CTranslate2 holds it."""
        if self._encodes_together:
            return self._model.encode(ctranslate2.StorageView.from_array(np.concatenate(mels)))
        views = [self._model.encode(ctranslate2.StorageView.from_array(mel), to_cpu=True) for mel in mels]
        if len(views) == 1:
            return views[0]
        stacked: npt.NDArray[np.float32] = np.concatenate([np.asarray(view) for view in views])
        return ctranslate2.StorageView.from_array(stacked)

    def _decode(self, sounds: Sequence[Sound], encoded: Any, is_thorough: bool) -> list[gates.Decoded]:
        prompt = len(sounds[0].prompt)
        cap = max(sound.token_cap for sound in sounds)
        answers = self._model.generate(
            encoded,
            [list(sound.prompt) for sound in sounds],
            beam_size=_THOROUGH if is_thorough else _GREEDY,
            max_length=window.max_length(cap, prompt),
            return_scores=True,
            return_no_speech_prob=True,
        )
        return [self._decoded(sound, answer) for sound, answer in zip(sounds, answers, strict=True)]

    def _alone(self, sound: Sound, mel: Floats, is_thorough: bool) -> gates.Decoded | ProviderError:
        try:
            return self._decode([sound], self._encode([mel]), is_thorough)[0]
        except (RuntimeError, ValueError) as error:
            return _failure(f"the engine failed: {type(error).__name__}")

    def _decoded(self, sound: Sound, answer: Any) -> gates.Decoded:
        tokens = answer.sequences_ids[0]
        return gates.Decoded(
            text=self._tokenizer.decode(tokens, skip_special_tokens=True).strip(),
            avg_logprob=answer.scores[0] * len(tokens) / (len(tokens) + 1),  # the score leaves the end token out
            no_speech=answer.no_speech_prob,
            is_cut=len(tokens) >= sound.token_cap,
            speech_s=sound.speech_s,
        )

    def _prompt(self, language: str) -> tuple[int, ...]:
        tokens = window.prompt_for(language, is_multilingual=self._model.is_multilingual)
        ids = [self._tokenizer.token_to_id(token) for token in tokens]
        if None in ids:
            raise _failure("the speech-to-text model does not know the agent's language")
        return tuple(ids)


def judged(decoded: gates.Decoded, *, decode_ms: float) -> Transcript:
    """A decoding as an answer, past the gates: its words, or none and why."""
    refused = gates.refuse_text(decoded)
    if refused is not None:
        return Transcript(text="", confidence=0.0, rejected=refused, decode_ms=decode_ms)
    return Transcript(text=decoded.text, confidence=math.exp(decoded.avg_logprob), decode_ms=decode_ms)


def _failure(message: str) -> ProviderError:
    return ProviderError(message, provider="whisper", retryable=False)
