"""How much a Whisper hears and may write."""

import pytest
from hypothesis import given, strategies as st

from providers.stt import window


@pytest.mark.parametrize(
    ("sound_s", "frames"),
    [(0.0, 400), (1.0, 400), (2.72, 400), (2.73, 500), (4.0, 600), (12.0, 1500), (28.72, 3000), (60.0, 3000)],
)
def test_a_window_is_the_sound_and_its_margin_rounded_up_to_a_bucket(sound_s: float, frames: int) -> None:
    assert window.frames_for(sound_s) == frames


@pytest.mark.parametrize("mels", [80, 128])
def test_no_window_is_of_a_length_that_the_engine_takes_for_encoded_sound(mels: int) -> None:
    assert all((frames + 1) // 2 != mels for frames in window.BUCKETS)


@given(st.floats(min_value=0, max_value=window.MAX_SOUND_S))
def test_the_margin_is_always_there(sound_s: float) -> None:
    assert window.frames_for(sound_s) / window.FRAMES_PER_S >= sound_s + 1.28 - 1e-9


@given(st.integers(1, 400), st.integers(1, 40))
def test_max_length_allows_exactly_the_capped_number_of_new_tokens(cap: int, prompt: int) -> None:
    length = window.max_length(cap, prompt)
    assert min(length // 2, length - prompt) >= cap
    assert min((length - 1) // 2, length - 1 - prompt) < cap


def test_a_language_or_vocabulary_of_small_tokens_may_write_more_of_them() -> None:
    assert window.token_cap(2.0, "en-US", vocabulary=51_864) == 22
    assert window.token_cap(2.0, "hi", vocabulary=51_865) == 56
    assert window.token_cap(2.0, "en", vocabulary=608) == 56


def test_only_a_multilingual_model_is_told_language_and_task() -> None:
    assert window.prompt_for("en", is_multilingual=False) == ["<|startoftranscript|>", "<|notimestamps|>"]
    assert window.prompt_for("hi-IN", is_multilingual=True) == [
        "<|startoftranscript|>",
        "<|hi|>",
        "<|transcribe|>",
        "<|notimestamps|>",
    ]
