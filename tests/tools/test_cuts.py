"""The label of a clip that breaks off holds the words that were spoken, and no others."""

import numpy as np
import pytest

from tools.demo_whisper.cuts import AHEAD, BEHIND, Cut, drawn, settled

SPANS = np.array([(0, 1_000), (1_000, 3_000), (4_000, 6_000)], np.int32)


@pytest.mark.parametrize(
    ("at", "cut"),
    [
        (100, Cut(100, 0)),
        (900, Cut(900, 1)),
        (2_000, Cut(2_000, 1)),
        (2_800, Cut(2_800, 2)),
        (3_500, Cut(3_500, 2)),
        (6_500, Cut(6_500, 3)),
    ],
)
def test_a_word_counts_once_most_of_it_is_heard(at: int, cut: Cut) -> None:
    assert settled(SPANS, at, is_ahead=True) == settled(SPANS, at, is_ahead=False) == cut


def test_a_cut_in_a_word_that_may_or_may_not_count_is_moved() -> None:
    assert settled(SPANS, 5_400, is_ahead=True) == Cut(4_000 + round(AHEAD * 2_000), 2)
    assert settled(SPANS, 5_400, is_ahead=False) == Cut(4_000 + round(BEHIND * 2_000), 3)


def test_every_drawn_cut_lies_in_the_utterance() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        cut = drawn(SPANS, 6_000, rng)
        assert 0 < cut.samples <= 6_000
        assert cut == settled(SPANS, cut.samples, is_ahead=True)
