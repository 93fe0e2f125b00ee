"""What was said is found in the log, and what is wrong with it is counted."""

import pytest

from simulators.report import Utterance
from simulators.words import Stored, heard_words, is_early, stored_for, word_errors


def said(start: float, end: float) -> Utterance:
    """An utterance of the caller."""
    return Utterance("say", "words", start, end, end)


@pytest.mark.parametrize(
    ("spoken", "stored", "errors"),
    [
        ("yes please", "Yes, please.", 0),
        ("my number is five five five", "my number is 555", 0),
        ("yes please", "", 2),
        ("how much does it cost", "how much is it", 2),
        ("stop", "please stop now", 2),
    ],
)
def test_word_errors_are_insertions_deletions_and_substitutions(spoken: str, stored: str, errors: int) -> None:
    assert word_errors(spoken, stored) == (errors, len(spoken.split()))


def test_words_are_counted_wherever_they_are() -> None:
    assert heard_words("can you repeat that please", "sorry can you please that") == 4
    assert heard_words("no no no", "no") == 1


def test_turns_belong_to_the_utterance_before_them() -> None:
    turns = [Stored("one", 2.1), Stored("and", 2.3), Stored("three", 6.5)]
    assert stored_for([said(1, 2), said(3, 4), said(5, 6)], turns) == [turns[:2], [], turns[2:]]


def test_a_turn_committed_while_the_caller_speaks_is_early() -> None:
    assert is_early(said(1, 3), [Stored("half", 2.0)])
    assert not is_early(said(1, 3), [Stored("whole", 2.97)])
    assert not is_early(said(1, 3), [])
