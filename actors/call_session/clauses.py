"""Cuts a streamed reply into clauses that can be spoken, the first as early as sense allows. Pure."""

import re

FIRST_CLAUSE_WORDS = 3
"""A comma may end the first clause after this many words: the sooner it is spoken, the shorter the wait."""
CLAUSE_WORDS = 8
FIRST_LONGEST_WORDS, LONGEST_WORDS = 8, 24
"""Without any punctuation a clause is cut after so many words."""

_SENTENCE_END = re.compile(r"[.!?…:;]+[\"')\]]*\s+|\n+")
_FULL_STOP = re.compile(r"(?:[^\W\d_]{3,}\.|[!?])[\"')\]]*$")
"""The end of a sentence as surely as it can be known before the next word: no figure, initial or short abbreviation."""
_BREATH = re.compile(r"\s+(?=(?:and|but|or|from|because|so|which|when|if|with|until|in|on|at|for)\s)", re.IGNORECASE)
"""Where a speaker who must take breath would; English."""
_COMMA = re.compile(r",\s+|\s+[\u2013\u2014-]\s+")
_ABBREVIATION = re.compile(r"(?:^|\s)(?:mr|mrs|ms|dr|st|no|vs|e\.g|i\.e|[a-z])\.\s*$", re.IGNORECASE)
_MARKUP = re.compile(r"[*_`#~]+|\[(?=[^\]]*\]\()|\]\([^)]*\)")
_UNSPEAKABLE = re.compile(r"[\U0001F000-\U0001FAFF\u2600-\u27BF\uFE0F]")


def speakable(text: str) -> str:
    """The text without markup and pictures, in single spaces."""
    return " ".join(_UNSPEAKABLE.sub("", _MARKUP.sub("", text)).split())


class ClauseCutter:
    """Takes a reply piece by piece and hands out its clauses."""

    def __init__(self) -> None:
        self._pending = ""
        self._count = 0

    def feed(self, piece: str) -> list[str]:
        """The clauses this piece completed."""
        self._pending += piece
        clauses = []
        while (end := self._next_end()) is not None:
            clauses += self._take(end)
        return clauses

    def flush(self) -> list[str]:
        """What is left when the reply is over."""
        return self._take(len(self._pending))

    def _take(self, end: int) -> list[str]:
        clause, self._pending = speakable(self._pending[:end]), self._pending[end:]
        if not any(character.isalnum() for character in clause):
            return []
        self._count += 1
        return [clause]

    def _next_end(self) -> int | None:
        for match in _SENTENCE_END.finditer(self._pending):
            if not _ABBREVIATION.search(self._pending[: match.end()]):
                return match.end()
        enough = FIRST_CLAUSE_WORDS if self._count == 0 else CLAUSE_WORDS
        for match in _COMMA.finditer(self._pending):
            if len(self._pending[: match.start()].split()) >= enough:
                return match.end()
        if self._count == 0 and _FULL_STOP.search(self._pending):
            return len(self._pending)
        words = list(re.finditer(r"\S+\s+", self._pending))
        most = FIRST_LONGEST_WORDS if self._count == 0 else LONGEST_WORDS
        if len(words) < most:
            return None
        start, end = words[most // 2].end(), words[most - 1].end()
        breaths = [match.end() for match in _BREATH.finditer(self._pending, start - 1, end + 1)]
        return breaths[-1] if breaths else end
