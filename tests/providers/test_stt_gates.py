"""What a Whisper says and is not believed."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from providers.stt.gates import RULES, Decoded, compression_ratio, is_looping, refuse_sound, refuse_text

GOOD = Decoded("i would like to book an appointment", avg_logprob=-0.2, no_speech=0.01, is_cut=False, speech_s=2.0)


def test_a_confident_sentence_is_believed() -> None:
    assert refuse_text(GOOD) is None


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("no_words", {"text": ""}),
        ("no_speech", {"no_speech": 0.7, "avg_logprob": -1.1}),
        ("unlikely", {"avg_logprob": -1.4}),
        ("compressible", {"text": "the very same words over and over " * 3, "speech_s": 9.0}),
        ("cut", {"is_cut": True}),
        ("looping", {"text": "i see i see i see i see"}),
        ("too_fast", {"text": "a sentence that nobody can say so fast", "speech_s": 0.3}),
    ],
)
def test_each_rule_finds_its_case(reason: str, change: dict[str, object]) -> None:
    assert refuse_text(replace(GOOD, **change)) == reason  # type: ignore[arg-type]


def test_every_rule_has_a_case() -> None:
    assert [reason for reason, _ in RULES] == [
        "no_words",
        "no_speech",
        "unlikely",
        "compressible",
        "cut",
        "looping",
        "too_fast",
    ]


@pytest.mark.parametrize(
    ("no_speech", "avg_logprob"), [(0.9, -0.5), (0.3, -1.2)], ids=["sure of the words", "sure of speech"]
)
def test_one_doubt_alone_is_not_enough(no_speech: float, avg_logprob: float) -> None:
    assert refuse_text(replace(GOOD, no_speech=no_speech, avg_logprob=avg_logprob)) is None


@pytest.mark.parametrize(
    "text", ["yes", "no", "okay", "thank you", "bye", "no no no", "no no no no", "yes yes yes yes"]
)
def test_what_people_say_on_the_phone_is_believed_however_short(text: str) -> None:
    assert refuse_text(replace(GOOD, text=text, speech_s=0.25 * len(text.split()))) is None


@pytest.mark.parametrize(
    "text",
    [
        "nine nine nine nine nine nine nine",
        "my number is five five five five five five five five one",
        "12 12 12 12 12 12",
        "four four four four four four. four four",
    ],
)
def test_numbers_may_repeat(text: str) -> None:
    assert not is_looping(text)


@pytest.mark.parametrize(
    "text",
    [
        "you you you you you you",
        "Thank you. Thank you. Thank you. Thank you.",
        "so i said i want to go i want to go i want to go i want to go home",
        "one call one call one call one call",
    ],
)
def test_words_that_go_round_in_circles_are_a_loop(text: str) -> None:
    assert is_looping(text)


def test_a_slow_language_of_many_letters_passes() -> None:
    assert refuse_text(replace(GOOD, text="मुझे मंगलवार के लिए अपॉइंटमेंट चाहिए", speech_s=2.2)) is None


def test_compression_tells_loops_from_speech() -> None:
    assert compression_ratio(GOOD.text) < 1.5
    assert compression_ratio("and so on " * 20) > 2.4


@pytest.mark.parametrize(
    ("level_db", "speech_s", "reason"),
    [(-20.0, 1.0, None), (-20.0, 0.2, None), (-56.0, 1.0, "silent"), (-math.inf, 0, "silent"), (-9, 0.19, "no_speech")],
)
def test_sound_without_speech_is_not_worth_decoding(level_db: float, speech_s: float, reason: str | None) -> None:
    assert refuse_sound(level_db, speech_s) == reason


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    refuse_text(replace(GOOD, text=text))
