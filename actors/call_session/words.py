"""Words as they are compared: without case, punctuation and the spelling of small figures. Pure."""

import re
import unicodedata

_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u02bc": "'", "`": "'"})
_SPLIT = re.compile(r"[\s\-\u2010-\u2015/_]+")

UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SMALL_NUMBERS = (*UNITS, "ten", "eleven", "twelve")
_FIGURES = {word: str(value) for value, word in enumerate(SMALL_NUMBERS)}


def folded(text: str) -> list[str]:
    """The words of `text` in lower case; punctuation goes, apostrophes inside a word stay, hyphens part words."""
    tokens = _SPLIT.split(unicodedata.normalize("NFC", text).translate(_APOSTROPHES).lower())
    return [word for token in tokens if (word := _bare(token))]


def spelled(text: str) -> str:
    """All letters and digits of `text` in one string: equal for two spellings of the same words.

    Apostrophes and spacing go, and zero to twelve become figures, so "Three o'clock." equals "3 oclock".
    """
    return "".join(_FIGURES.get(word, word).replace("'", "") for word in folded(text))


def _bare(token: str) -> str:
    kept = "".join(character for character in token if character == "'" or not _is_mark(character))
    return kept.strip("'")


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] in "PSZC"
