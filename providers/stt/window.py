"""How much a Whisper hears and may write: mel frames per utterance, tokens per answer, the prompt. Pure arithmetic.

A mel frame is 10 ms. Whisper was trained on 30 s; it reads shorter windows at a fraction of the cost as long as
enough silent sound follows the speech, without which it repeats itself.
"""

import math

FRAMES_PER_S = 100
MARGIN_FRAMES = 128
"""1.28 s of silence behind the speech."""
BUCKETS = (400, 500, 600, 800, 1000, 1500, 2000, 3000)
"""Window lengths in frames; see `check` for those that may not be among them."""
LONGEST = BUCKETS[-1]
MAX_SOUND_S = (LONGEST - MARGIN_FRAMES) / FRAMES_PER_S

_SPARE_TOKENS = 8
_TOKENS_PER_S = 7
_DENSE_TOKENS_PER_S = 24
_COMPACT_LANGUAGES = frozenset({"de", "en", "es", "fr", "id", "it", "nl", "pt"})
"""Languages in which a token of Whisper's vocabulary is most of a word; elsewhere it is a letter or two."""
_FULL_VOCABULARY = 50_000


def frames_for(sound_s: float) -> int:
    """The window for so many seconds of sound: its length and the margin, rounded up to a bucket."""
    needed = math.ceil(sound_s * FRAMES_PER_S) + MARGIN_FRAMES
    return next((bucket for bucket in BUCKETS if bucket >= needed), LONGEST)


def check(frames: int, mels: int) -> None:
    """Raise ValueError for a window that may not be encoded by itself.

    `generate` takes input of the encoder's width for encoded unless its length is the number of mel bands
    (`is_encoded` in CTranslate2's layers/whisper.h); with two frames a position that length is twice the bands:
    160 or 256 frames would be encoded a second time, without an error.
    """
    if not 0 < frames <= LONGEST or (frames + 1) // 2 == mels:
        raise ValueError(f"a window of {frames} frames cannot be encoded by itself")


def token_cap(sound_s: float, language: str, vocabulary: int) -> int:
    """The most tokens an answer to so much sound may have; a decoder in a loop stops here.

    `vocabulary` is the model's number of tokens: a small one cuts words into more pieces.
    """
    is_compact = vocabulary >= _FULL_VOCABULARY and primary(language) in _COMPACT_LANGUAGES
    return _SPARE_TOKENS + math.ceil((_TOKENS_PER_S if is_compact else _DENSE_TOKENS_PER_S) * sound_s)


def max_length(cap: int, prompt: int) -> int:
    """CTranslate2's `max_length` for `cap` new tokens: it writes at most min(max_length / 2, max_length - prompt)."""
    return max(2 * cap, cap + prompt)


def prompt_for(language: str, *, is_multilingual: bool) -> list[str]:
    """The forced start of an answer, without timestamps; an English-only model has neither language nor task tokens."""
    chosen = [f"<|{primary(language)}|>", "<|transcribe|>"] if is_multilingual else []
    return ["<|startoftranscript|>", *chosen, "<|notimestamps|>"]


def primary(language: str) -> str:
    """`en` of `en-US`: Whisper knows no regions."""
    return language.partition("-")[0].lower()
