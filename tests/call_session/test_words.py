import pytest

from actors.call_session.words import folded, spelled


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" ... -- ", []),
        ("Hello, I'd like to book.", ["hello", "i'd", "like", "to", "book"]),
        ("It\u2019s \u201cfine\u201d", ["it's", "fine"]),
        ("uh-huh", ["uh", "huh"]),
        ("five, five; five", ["five", "five", "five"]),
        ("हाँ, ठीक है।", ["हाँ", "ठीक", "है"]),
        ("¿Está bien?", ["está", "bien"]),
        ("'quoted'", ["quoted"]),
    ],
)
def test_words_are_compared_without_case_and_punctuation(text: str, words: list[str]) -> None:
    assert folded(text) == words


@pytest.mark.parametrize(
    ("one", "other"),
    [("Three o'clock.", "3 oclock"), ("ten-thirty", "10 thirty"), ("it's", "its"), ("", "?"), ("good bye", "goodbye")],
)
def test_spellings_of_the_same_words_are_equal(one: str, other: str) -> None:
    assert spelled(one) == spelled(other)
