"""Finds days, times, names and numbers in what a recogniser made of a caller's words. Pure; forgives small errors."""

import re
from collections.abc import Collection, Sequence
from itertools import pairwise

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "today", "tomorrow")
HOURS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
MINUTES = {"thirty": "thirty", "fifteen": "fifteen", "forty": "forty five", "30": "thirty", "15": "fifteen"}
PARTS = ("morning", "afternoon", "evening")
_HALVES = {"am": "morning", "pm": "afternoon"}
NAMES = (
    "john mary david sarah michael anna peter laura robert emma james priya rahul maria carlos anita alex sam lucy "
    "tom susan daniel julia mark lisa paul nina kevin"
).split()

_COMMON = frozenset(
    "a about an and anything are at be been book call calling can come could cost day do done evening fine for from "
    "give going gone good great hear hello here hi hours how i in is it just know late later like line live made make "
    "maybe me more much my name need next nice night no none not now number of ok okay on one open opening our over "
    "please right same see some soon sorry stop sure take than thank thanks that the them then there these they thing "
    "think this those time to too very wait want was week well were what when where which will with works would yeah "
    "yes you your".split()
)
"""Words that are taken as they are: never another word misheard, never a name."""
_NAME_CUES = (("name", "is"), ("names",), ("this", "is"), ("i", "am"), ("im",), ("it", "is"), ("its",), ("call", "me"))
_WORD = re.compile(r"[a-z]+|\d")


def words_of(text: str) -> list[str]:
    """Lower-case words without punctuation; figures become one word per digit, clock times keep their hour."""
    plain = text.lower().replace("'", "").replace("\u2019", "")
    plain = re.sub(r"\b([ap])\.? ?m\b\.?", r"\1m", plain)
    plain = re.sub(r"\b(1[0-2]|[1-9])(?::?(00|15|30))? ?(am|pm)?\b(?![\d-])", _clock_words, plain)
    return [DIGITS[int(word)] if word.isdigit() else word for word in _WORD.findall(plain)]


def closest(word: str, known: Collection[str]) -> str | None:
    """The known word nearest to this one, if it is near enough to be the same word misheard."""
    if word in known or word in _COMMON:
        return word if word in known else None
    allowed = 0 if len(word) < 4 else 1 if len(word) < 6 else 2
    lengths = {other: abs(len(other) - len(word)) for other in known}
    near = [(edit_distance(word, other), apart, other) for other, apart in lengths.items() if apart <= allowed]
    best = min(near, default=(allowed + 1, 0, ""))
    return best[2] if best[0] <= allowed else None


def mentions(words: Sequence[str], known: Collection[str]) -> bool:
    """Whether any of the words is, nearly, one of the known ones."""
    return any(closest(word, known) for word in words)


def day_in(words: Sequence[str]) -> str | None:
    """The last day named (the one a caller settles on), also when it was heard as two words."""
    joined = [first + second for first, second in pairwise(words)]
    found = [closest(word, DAYS) for word in [*joined, *words]]
    return next((day for day in reversed(found) if day), None)


def time_in(words: Sequence[str]) -> str | None:
    """A time of day in words, such as `three in the afternoon`; None when no hour is named."""
    if "noon" in words or "midday" in words:
        return "twelve in the afternoon"
    at = next((index for index, word in enumerate(words) if _hour(word)), None)
    if at is None:
        return None
    hour = _hour(words[at]) or ""
    after = words[at + 1] if at + 1 < len(words) else ""
    minutes = "thirty" if "half" in words[:at] else MINUTES.get(after, "")
    return f"{hour} {minutes}".strip() + f" in the {_part(words) or _usual_part(hour)}"


def name_in(words: Sequence[str], *, is_asked: bool) -> str | None:
    """A first name after `my name is` and the like; any plausible word where a name was asked for."""
    for cue in _NAME_CUES:
        for at in range(len(words) - len(cue)):
            if tuple(words[at : at + len(cue)]) == cue and (name := _as_name(words[at + len(cue)])):
                return name
    known = next((word for word in words if word in NAMES), None)
    if known or not is_asked or len(words) > 3:
        return known.capitalize() if known else None
    return next((name for word in words if (name := _as_name(word))), None)


def digits_in(words: Sequence[str]) -> str:
    """Every digit spoken, in order; `oh` counts as zero, and what follows `double` or `triple` counts so often."""
    found, times = "", 1
    for word in words:
        digit = "zero" if word in ("o", "oh") else closest(word, DIGITS)
        found += str(DIGITS.index(digit)) * times if digit else ""
        times = {"double": 2, "triple": 3}.get(word, 1)
    return found


def edit_distance(first: str, second: str) -> int:
    """Levenshtein's distance: insertions, deletions, substitutions."""
    row = list(range(len(second) + 1))
    for i, letter in enumerate(first, 1):
        above, row[0] = row[0], i
        for j, other in enumerate(second, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (letter != other))
    return row[-1]


def _clock_words(match: re.Match[str]) -> str:
    hour, minutes, half = match.groups()
    return f" {HOURS[int(hour) - 1]} {MINUTES.get(minutes or '', '')} {half or ''} "


def _hour(word: str) -> str | None:
    return closest(word, HOURS) if word not in PARTS else None


def _part(words: Sequence[str]) -> str | None:
    return next((part for word in words if (part := _HALVES.get(word) or closest(word, PARTS))), None)


def _usual_part(hour: str) -> str:
    return "morning" if hour in ("seven", "eight", "nine", "ten", "eleven") else "afternoon"


def _as_name(word: str) -> str | None:
    known = closest(word, NAMES)
    if known:
        return known.capitalize()
    is_other = word in _COMMON or word in DIGITS or word in DAYS or len(word) < 2
    return None if is_other else word.capitalize()
