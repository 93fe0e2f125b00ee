"""What the public document says answers look like, as data: names, types, formats. Pure.

A shape has the names the document shows, those it shows that may be absent (there is nothing to say yet), and those
that this product adds. Any other name in an answer, or a documented one that is missing, is a problem.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from models.call import CallStatus

Check = Callable[[Any], bool]


def text(value: Any) -> bool:
    """Any string."""
    return isinstance(value, str)


def text_or_null(value: Any) -> bool:
    """What the client may leave open."""
    return value is None or isinstance(value, str)


def number(value: Any) -> bool:
    """An integer or a float; never a truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def whole(value: Any) -> bool:
    """An integer that counts something."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def truth(value: Any) -> bool:
    """True or false."""
    return isinstance(value, bool)


def false(value: Any) -> bool:
    """False itself."""
    return value is False


def anything(value: Any) -> bool:
    """An object of the client's own."""
    return isinstance(value, dict)


def or_null(check: Check) -> Check:
    """The same, or nothing that is known."""
    return lambda value: value is None or check(value)


def like(pattern: str) -> Check:
    """Text that is the pattern from end to end."""
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def one_of(*words: str) -> Check:
    """One of these words."""
    return lambda value: value in words


def counts(*words: str) -> Check:
    """An object of counts under some of these words."""
    return lambda value: isinstance(value, dict) and value.keys() <= set(words) and all(map(whole, value.values()))


ID = like(r"[0-9a-f]{24}")
TIME = like(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
JWT = like(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
E164 = like(r"\+[1-9]\d{6,14}")
SESSION = like(r"sess_[\w-]{10,}")
URL = like(r"(https?|wss?)://\S+")
STATUS = one_of(*CallStatus)
DIRECTION = one_of("inbound", "outbound")


@dataclass(frozen=True)
class Shape:
    """An object: `always` and `sometimes` are the document's names, `ours` those this product adds."""

    always: Mapping[str, "Part"]
    sometimes: Mapping[str, "Part"] = field(default_factory=dict)
    ours: Mapping[str, "Part"] = field(default_factory=dict)

    def problems(self, value: Any, at: str = "") -> Iterator[str]:
        """What is wrong with an answer, by path."""
        if not isinstance(value, dict):
            yield f"{at or 'answer'} is no object"
            return
        known = {**self.always, **self.sometimes, **self.ours}
        yield from (f"{at}{name} is missing" for name in self.always.keys() - value.keys())
        yield from (f"{at}{name} is not documented" for name in value.keys() - known.keys())
        for name in value.keys() & known.keys():
            yield from _problems(known[name], value[name], f"{at}{name}")


@dataclass(frozen=True)
class Each:
    """A list of the same."""

    part: "Part"


Part = Check | Shape | Each


def assert_fits(part: Part, value: Any) -> None:
    """Fails with every problem at once."""
    assert sorted(_problems(part, value, "")) == []


def _problems(part: Part, value: Any, at: str) -> Iterator[str]:
    if isinstance(part, Shape):
        yield from part.problems(value, f"{at}." if at else "")
    elif isinstance(part, Each):
        if not isinstance(value, list):
            yield f"{at} is no list"
            return
        for index, item in enumerate(value):
            yield from _problems(part.part, item, f"{at}[{index}]")
    elif not part(value):
        yield f"{at} is {value!r}"
