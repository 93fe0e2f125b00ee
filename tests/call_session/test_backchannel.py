import pytest

from actors.call_session.backchannel import is_backchannel, is_stop


@pytest.mark.parametrize(
    "text",
    ["mhm", "Mm-hmm.", "uh-huh", "okay", "Okay, okay.", "yeah yeah", "yeah, right", "I see.", "got it", "oh i see okay",
     "Sounds good!", "that's right", "hmm", "yes", "no problem", "okay great"],
)  # fmt: skip
def test_a_listeners_noise_is_a_backchannel(text: str) -> None:
    assert is_backchannel(text)
    assert not is_stop(text)


@pytest.mark.parametrize(
    "text",
    ["", "...", "no", "No no.", "stop", "okay stop", "wait", "yeah but wait", "hold on", "okay tuesday", "right now",
     "yes i would like that", "what", "i see a problem", "how much", "got", "good morning"],
)  # fmt: skip
def test_content_and_stops_are_no_backchannel(text: str) -> None:
    assert not is_backchannel(text)


@pytest.mark.parametrize(
    "text",
    ["stop", "Stop!", "please stop", "okay stop", "wait", "Wait, wait.", "but wait a minute", "hold on", "Excuse me?",
     "hang on a second", "no", "no i said thursday", "um, sorry", "yeah yeah hold on", "one moment please",
     "actually i want friday", "just a second"],
)  # fmt: skip
def test_who_asks_for_the_floor_says_stop(text: str) -> None:
    assert is_stop(text)


@pytest.mark.parametrize(
    "text",
    ["", "i can not wait to see you", "the bus stop", "tuesday please", "no problem", "no worries", "hold", "mhm",
     "that is a no"],
)  # fmt: skip
def test_a_stop_word_inside_a_sentence_is_no_stop(text: str) -> None:
    assert not is_stop(text)


def test_own_phrases_replace_the_usual_ones_but_not_the_noises() -> None:
    assert is_backchannel("roger that", phrases=("Roger that", "copy"))
    assert is_backchannel("mhm copy", phrases=("Roger that", "copy"))
    assert not is_backchannel("got it", phrases=("Roger that", "copy"))


def test_a_stop_is_never_a_backchannel_whatever_the_phrases_say() -> None:
    assert not is_backchannel("stop", phrases=("stop", "no"))
    assert not is_backchannel("no", phrases=("stop", "no"))


@pytest.mark.parametrize(
    ("language", "noise", "stop"),
    [
        ("es", "sí, claro", "espera"),
        ("fr", "d'accord, je vois", "attendez"),
        ("de", "ja genau", "Moment!"),
        ("hi", "haan ji accha", "ek minute"),
        ("hi", "हाँ, ठीक है", "रुको"),
        ("en-IN", "okay got it", "one minute"),
    ],
)
def test_other_languages_have_tables(language: str, noise: str, stop: str) -> None:
    assert is_backchannel(noise, language=language)
    assert not is_stop(noise, language)
    assert is_stop(stop, language)
    assert not is_backchannel(stop, language=language)


def test_an_unknown_language_knows_noises_only() -> None:
    assert is_backchannel("mhm, okay", language="xx")
    assert not is_backchannel("yeah", language="xx")
    assert not is_stop("stop", "xx")
