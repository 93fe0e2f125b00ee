"""Rows out of JSON: a list of objects, `{"contacts": [...]}`, or an object a line. Read piece by piece.

Numbers stay the digits they are: a telephone number is longer than a float remembers.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from services.contact_import.limits import LINE_CHARACTERS, Unreadable
from services.contact_import.rows import Row
from services.contact_import.text_file import PIECE, decoded

NESTED = ("metadata", "variables")
"""Objects in an object whose members are columns like the others."""

_BEGIN = re.compile(r'\s*(?:\{\s*"contacts"\s*:\s*)?\[')
_BETWEEN = re.compile(r"[\s,]*")
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


def json_rows(file: BinaryIO) -> Iterator[Row]:
    """The objects; a row's line is its place in the list, or among the lines that say something. Raises Unreadable."""
    with decoded(file) as text:
        for place, value in enumerate(_values(iter(lambda: text.read(PIECE), "")), start=1):
            if isinstance(value, dict):
                yield _row(place, value)
            else:
                yield Row(place, {}, "This is no object")


def _values(pieces: Iterator[str]) -> Iterator[Any]:
    buffer, is_whole = next(pieces, ""), False
    begun = _BEGIN.match(buffer)
    at, place = begun.end() if begun else 0, 0
    while True:
        between = _BETWEEN.match(buffer, at)
        at = between.end() if between else at
        if begun and buffer.startswith("]", at):
            return
        if at == len(buffer) and is_whole:
            if begun:
                raise Unreadable("The list has no end", place)
            return
        value, end = _next(buffer, at, place + 1, is_last=is_whole)
        if end is not None:
            place, at = place + 1, end
            yield value
        elif len(buffer) - at > LINE_CHARACTERS:
            raise Unreadable("This value is too long", place + 1)
        else:
            piece = next(pieces, "")
            buffer, at, is_whole = buffer[at:] + piece, 0, not piece


def _next(buffer: str, at: int, place: int, *, is_last: bool) -> tuple[Any, int | None]:
    """The value that begins here and where it ends; no end: more of the text is needed. Raises Unreadable."""
    try:
        value, end = _DECODER.raw_decode(buffer, at)
    except (ValueError, RecursionError) as error:
        if is_last or isinstance(error, RecursionError):
            raise Unreadable("This is no JSON", place) from error
        return None, None
    # A word or a number may go on in the next piece.
    return (value, end) if end < len(buffer) or is_last else (None, None)


def _row(place: int, value: Mapping[str, Any]) -> Row:
    cells: dict[str, str] = {}
    for name, inside in value.items():
        members = inside.items() if name in NESTED and isinstance(inside, dict) else ((name, inside),)
        for column, content in members:
            if isinstance(content, dict | list):
                return Row(place, {}, "A value is a list or an object")
            cells[_text(column)] = _text(content)
    return Row(place, cells)


def _text(content: Any) -> str:
    if content is None:
        return ""
    text = str(content).lower() if isinstance(content, bool) else str(content).strip()
    # An escape can name half a character, which nothing can store.
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
