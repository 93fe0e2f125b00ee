"""Text out of bytes: which encoding a file has. Most spreadsheets do not say."""

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import BinaryIO

PIECE = 1 << 16
SPREADSHEET = "cp1252"
"""What spreadsheets in Western languages write when it is not UTF-8: Latin-1 with quotation marks and the euro."""

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@contextmanager
def decoded(file: BinaryIO) -> Iterator[TextIOWrapper]:
    """The file from its start, as text whose line ends are as they were. The file stays open."""
    text = TextIOWrapper(file, encoding=encoding_of(file), errors="replace", newline="")
    try:
        yield text
    finally:
        if not text.closed:
            text.detach()


def encoding_of(file: BinaryIO) -> str:
    """The encoding, by its mark, by its zeros, or by what can be decoded; the file is at its start afterwards."""
    file.seek(0)
    head = file.read(PIECE)
    file.seek(0)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if 0 in head[:2]:
        return "utf-16-be" if head[0] == 0 else "utf-16-le"
    return "utf-8" if _is_utf8(file) else SPREADSHEET


def _is_utf8(file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while piece := file.read(PIECE):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    finally:
        file.seek(0)
    return True
