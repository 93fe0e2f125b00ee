"""LocalAgreement-2 inside one utterance: which words of a growing recognition will stay. Pure.

After Liu, Spanakis and Niehues, "Low-latency sequence-to-sequence speech recognition and translation by partial
hypothesis selection" (Interspeech 2020): a word is believed once two hypotheses in a row begin with the same words up
to it. Beyond that, the newest hypothesis' last word is held back: the sound may have been cut in the middle of it.
"""

from dataclasses import dataclass

from actors.call_session.words import folded

LEAST_SOUND_S = 0.6
"""Two hypotheses of less sound than this agree by chance, or on the breath before the first word."""
_REACH = 2
"""How many words further left or right the last believed word is looked for when a hypothesis differs."""


@dataclass(frozen=True, slots=True)
class _Word:
    surface: str
    key: tuple[str, ...]


class Agreement:
    """The words of one utterance: `committed` ones, which stay, and `tentative` ones, which may change."""

    def __init__(self) -> None:
        self._committed: list[_Word] = []
        self._tentative: list[_Word] = []
        self._last: list[_Word] = []

    def add(self, text: str, sound_s: float) -> bool:
        """Take the newest hypothesis of all `sound_s` seconds so far; whether `committed` or `tentative` changed."""
        before = (self.committed, self.tentative)
        newest = _words(text)
        agreed = _common(self._last, newest)
        if sound_s >= LEAST_SOUND_S:
            self._commit(newest, min(agreed, len(newest) - 1))
        self._tentative = newest[self._end_of_committed(newest) :]
        self._last = newest
        return before != (self.committed, self.tentative)

    @property
    def committed(self) -> str:
        """What two hypotheses agreed on, as the newest of them spells it; grows only."""
        return _text(self._committed)

    @property
    def tentative(self) -> str:
        """The rest of the newest hypothesis."""
        return _text(self._tentative)

    @property
    def text(self) -> str:
        """All words so far."""
        return _text(self._committed + self._tentative)

    def _commit(self, newest: list[_Word], count: int) -> None:
        kept = _common(self._committed, newest)
        self._committed[:kept] = newest[:kept]
        if kept == len(self._committed) and count > kept:
            self._committed = newest[:count]

    def _end_of_committed(self, newest: list[_Word]) -> int:
        """Where the words after the committed ones begin in a hypothesis that may spell those otherwise."""
        end = len(self._committed)
        if not end or _common(self._committed, newest) == end:
            return end
        places = [at for at, word in enumerate(newest, start=1) if word.key == self._committed[-1].key]
        near = [at for at in places if abs(at - end) <= _REACH]
        return min(near, key=lambda at: abs(at - end), default=end)


def _words(text: str) -> list[_Word]:
    """Words parted by spaces; a dash or a quotation mark that stands alone belongs to the word before it."""
    words: list[_Word] = []
    for surface in text.split():
        key = tuple(folded(surface))
        if key or not words:
            words.append(_Word(surface, key))
        else:
            words[-1] = _Word(f"{words[-1].surface} {surface}", words[-1].key)
    return words


def _common(first: list[_Word], second: list[_Word]) -> int:
    """How many words both begin with."""
    count = 0
    for one, other in zip(first, second, strict=False):
        if one.key != other.key:
            break
        count += 1
    return count


def _text(words: list[_Word]) -> str:
    return " ".join(word.surface for word in words)
