"""Whether a spreadsheet can be read without harm. It is an archive of XML, and both can be made to swell.

What reads a spreadsheet makes objects of its tags: of a row's until the row is over, of a shared text's until it is
over, of all others for as long as it reads. So those are counted, over the archive's own bytes and without an object.
What passes is read with a few hundred megabytes at worst, whoever made it.
"""

import re
from dataclasses import dataclass
from zipfile import ZipFile, ZipInfo

from services.contact_import.limits import ROWS, Unreadable

PARTS = 1_000
UNPACKED_BYTES = 512 << 20
"""Of all parts together."""
TAGS = 10_000_000
"""Of one part: 100,000 rows of 20 columns have 8 million, which take half a minute."""
LASTING_TAGS = 200_000
"""Of one part, outside rows and shared texts: styles, merged cells, links."""
ROW_TAGS = 20_000
"""Of one row, or one shared text."""
PIECE = 1 << 20
"""Bytes; no tag with the text after it is longer."""

_SPAN = re.compile(rb"<(/?)(?:[^\s<>/:]+:)?(?:row|si)(?=[\s/>])([^<>]*)")
_ENCODING = re.compile(rb"""encoding\s*=\s*["']([^"']*)["']""")
_READABLE = (b"utf-8", b"utf-16", b"us-ascii")
_TOO_LARGE = "The spreadsheet is too large"


def check(archive: ZipFile) -> None:
    """Raises Unreadable for an archive that takes too much to read, or hides how much it takes."""
    parts = archive.infolist()
    if len(parts) > PARTS or sum(part.file_size for part in parts) > UNPACKED_BYTES:
        raise Unreadable(_TOO_LARGE)
    for part in parts:
        _check_part(archive, part)


def _check_part(archive: ZipFile, part: ZipInfo) -> None:
    with archive.open(part) as source:
        piece = source.read(PIECE)
        declaration = _declaration(piece)
        if not declaration:
            return
        named = _ENCODING.search(piece[:200])
        if named and named[1].lower() not in _READABLE:
            raise Unreadable("The spreadsheet is in an unusual encoding")
        meter, tail = _Meter(), b""
        while piece:
            piece = tail + piece
            if declaration in piece:  # a document type, which can name texts that swell, or what hides tags
                raise Unreadable("The spreadsheet holds what none needs")
            cut = piece.rfind(b"<")
            meter.count(piece[:cut] if cut > 0 else b"")
            tail = piece[max(cut, 0) :]
            if len(tail) > PIECE:
                raise Unreadable(_TOO_LARGE)
            piece = source.read(PIECE)
        meter.count(tail)


def _declaration(piece: bytes) -> bytes:
    """How `<!` is written in a part that begins like this; nothing: the part is no XML, a picture for example."""
    if piece.startswith((b"\xff\xfe", b"\xfe\xff")) or 0 in piece[:2]:  # UTF-16, in either order of bytes
        return b"<\0!"
    return b"<!" if piece.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<") else b""


@dataclass(slots=True)
class _Meter:
    """Counts one part's tags. Without comments and such, what looks like a tag is one."""

    tags: int = 0
    lasting: int = 0
    spans: int = 0
    inside: int | None = None
    """Tags of the row or text that has begun."""

    def count(self, piece: bytes) -> None:
        """The next bytes; they do not end within a tag."""
        at = 0
        for span in _SPAN.finditer(piece):
            self._add(piece.count(b"<", at, span.start()))
            self._turn(is_end=bool(span[1]), is_empty=span[2].endswith(b"/"))
            at = span.start() + 1
        self._add(piece.count(b"<", at))

    def _turn(self, *, is_end: bool, is_empty: bool) -> None:
        if is_end:
            self.inside = None
            return
        self.spans += 1
        if self.inside is not None or self.spans > ROWS:
            raise Unreadable(_TOO_LARGE)
        self.inside = None if is_empty else 0

    def _add(self, tags: int) -> None:
        self.tags += tags
        if self.inside is None:
            self.lasting += tags
        else:
            self.inside += tags
        if self.tags > TAGS or self.lasting > LASTING_TAGS or (self.inside or 0) > ROW_TAGS:
            raise Unreadable(_TOO_LARGE)
