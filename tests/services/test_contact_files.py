"""Rows out of CSV, spreadsheets and JSON: whatever programs write, and what only an attacker would."""

import io
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from openpyxl import Workbook  # type: ignore[import-untyped]

from services.contact_import import xlsx_file, xlsx_size
from services.contact_import.csv_file import csv_rows
from services.contact_import.json_file import json_rows
from services.contact_import.limits import COLUMNS, LINE_CHARACTERS, Unreadable
from services.contact_import.rows import Row
from services.contact_import.text_file import PIECE
from services.contact_import.xlsx_file import xlsx_rows

PLAIN = "phone,name\n+911,Zoë\n+912,Łukasz\n"
DAY = datetime.fromisoformat("2026-02-05")
"""Spreadsheets know no time zones."""
MISREAD = "More cells than columns"


def table(rows: Sequence[Row]) -> list[tuple[int, dict[str, str]]]:
    """Lines and cells of rows with nothing wrong."""
    assert [row.problem for row in rows if row.problem] == []
    return [(row.line, dict(row.cells)) for row in rows]


def of_csv(text: str | bytes) -> list[Row]:
    return list(csv_rows(io.BytesIO(text.encode() if isinstance(text, str) else text)))


def of_json(text: str) -> list[Row]:
    return list(json_rows(io.BytesIO(text.encode())))


def a_sheet(*rows: Sequence[Any]) -> io.BytesIO:
    """A spreadsheet whose first sheet has these rows."""
    workbook, file = Workbook(), io.BytesIO()
    for row in rows:
        workbook.worksheets[0].append(row)
    workbook.create_sheet("Notes").append(["not contacts"])
    workbook.save(file)
    return file


def with_part(file: io.BytesIO, name: str, content: bytes) -> io.BytesIO:
    """The same spreadsheet with one part replaced."""
    changed = io.BytesIO()
    with ZipFile(file) as source, ZipFile(changed, "w", ZIP_DEFLATED) as target:
        for part in source.namelist():
            target.writestr(part, content if part == name else source.read(part))
    return changed


class TestCsv:
    @pytest.mark.parametrize(
        "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"], ids=lambda name: str(name)
    )
    def test_an_encoding_is_found(self, encoding: str) -> None:
        assert table(of_csv(PLAIN.encode(encoding))) == [
            (2, {"phone": "+911", "name": "Zoë"}),
            (3, {"phone": "+912", "name": "Łukasz"}),
        ]

    def test_what_is_no_utf_8_is_what_spreadsheets_write(self) -> None:
        rows = of_csv("phone,name\n+911,Zoë™ €5\n".encode("cp1252"))
        assert table(rows) == [(2, {"phone": "+911", "name": "Zoë™ €5"})]

    def test_a_letter_that_two_reads_divide_is_one(self) -> None:
        text = "phone,name\n" + "x" * (PIECE - len("phone,name\n") - 1) + "é,Zoë\n"
        [row] = of_csv(text)
        assert row.cells["name"] == "Zoë"

    @pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
    def test_a_separator_is_the_one_of_the_header(self, separator: str) -> None:
        rows = of_csv(separator.join(("phone", "full name")) + "\r\n" + separator.join(("+911", '"a, b; c"')) + "\r\n")
        assert table(rows) == [(2, {"phone": "+911", "full name": "a, b; c"})]

    def test_a_separator_may_be_announced(self) -> None:
        assert table(of_csv("sep=;\nphone;name\n+911;a, b\n")) == [(3, {"phone": "+911", "name": "a, b"})]

    def test_one_column_needs_no_separator(self) -> None:
        assert table(of_csv("phone\n+911\n")) == [(2, {"phone": "+911"})]

    def test_lines_are_those_of_the_file(self) -> None:
        rows = of_csv('phone,note\n+911,"two\nlines"\n\n,\n+912,"say ""hi"""\n')
        assert table(rows) == [
            (2, {"phone": "+911", "note": "two\nlines"}),
            (6, {"phone": "+912", "note": 'say "hi"'}),
        ]

    def test_cells_may_be_missing_at_the_end_but_not_be_too_many(self) -> None:
        short, long, padded = of_csv("phone,name\n+911\n+912,Doe, John\n+913,Jane,,\n")
        assert (short.cells, short.problem) == ({"phone": "+911", "name": ""}, None)
        assert (long.line, long.problem) == (3, MISREAD)
        assert padded.problem is None

    @pytest.mark.parametrize("text", ["", "\n", "phone,name\n"])
    def test_nothing_is_no_row(self, text: str) -> None:
        assert of_csv(text) == []

    def test_a_column_is_there_once(self) -> None:
        with pytest.raises(Unreadable, match="same name"):
            of_csv("phone,name, name\n+911,a,b\n")

    def test_a_quotation_mark_that_is_never_closed_ends_the_file_where_it_is(self) -> None:
        reading = csv_rows(io.BytesIO(("phone,name\n+911,a\n+912," + '"b\n' + "+913,c\n" * 30_000).encode()))
        assert next(reading).line == 2
        with pytest.raises(Unreadable, match="quotation mark"):
            next(reading)

    def test_a_line_without_end_is_not_read_to_its_end(self) -> None:
        file = io.BytesIO(b"phone\n" + b"1" * (4 * LINE_CHARACTERS))
        with pytest.raises(Unreadable, match="too long") as caught:
            list(csv_rows(file))
        assert caught.value.line == 2

    def test_columns_are_counted(self) -> None:
        with pytest.raises(Unreadable, match=f"more than {COLUMNS}"):
            of_csv(",".join(f"c{at}" for at in range(COLUMNS + 1)) + "\n")

    def test_the_file_stays_open(self) -> None:
        file = io.BytesIO(PLAIN.encode())
        list(csv_rows(file))
        assert not file.closed


class TestJson:
    @pytest.mark.parametrize(
        "text",
        [
            '[{"phone": "+911", "name": "Zoë"}, {"phone": "+912"}]',
            '{"contacts": [{"phone": "+911", "name": "Zoë"}, {"phone": "+912"}]}',
            '{"phone": "+911", "name": "Zoë"}\n\n{"phone": "+912"}\n',
        ],
        ids=["list", "named list", "lines"],
    )
    def test_a_list_or_lines_are_rows(self, text: str) -> None:
        assert table(of_json(text)) == [(1, {"phone": "+911", "name": "Zoë"}), (2, {"phone": "+912"})]

    def test_values_are_text_and_numbers_keep_their_digits(self) -> None:
        [row] = of_json('[{"phone": 5511999887766, "id": 12345678901234567890, "x": 1.10, "vip": true, "y": null}]')
        assert row.cells == {
            "phone": "5511999887766",
            "id": "12345678901234567890",
            "x": "1.10",
            "vip": "true",
            "y": "",
        }

    def test_metadata_are_columns(self) -> None:
        [row] = of_json('[{"phone_number": "+911", "metadata": {"company": "ACME"}, "variables": {"due": "Monday"}}]')
        assert row.cells == {"phone_number": "+911", "company": "ACME", "due": "Monday"}

    def test_half_a_character_is_none(self) -> None:
        [row] = of_json(r'[{"phone": "+911", "name\ud83d": "Zo\u00eb \ud83d"}]')
        assert row.cells == {"phone": "+911", "name?": "Zoë ?"}

    def test_what_is_no_object_is_a_bad_row_among_good_ones(self) -> None:
        rows = of_json('[12, {"phone": "+911"}, "x", {"tags": ["a"]}]')
        assert [(row.line, row.problem) for row in rows] == [
            (1, "This is no object"),
            (2, None),
            (3, "This is no object"),
            (4, "A value is a list or an object"),
        ]

    @pytest.mark.parametrize("offset", range(-40, 3, 3))
    def test_a_piece_may_end_anywhere(self, offset: int) -> None:
        first = json.dumps({"pad": "x" * (PIECE + offset - 12)})
        text = f'[{first}, {{"phone": "+911"}}, 123456, {{"phone": "+912"}}]'
        rows = of_json(text)
        assert [row.cells.get("phone") for row in rows] == [None, "+911", None, "+912"]

    @pytest.mark.parametrize(
        ("text", "good"),
        [
            ('[{"phone": "+911"}', 1),
            ('[{"phone": "+911"}, {"pho', 1),
            ('{"phone": "+911"}\nphone', 1),
            ("[[" * 90_000, 0),
        ],
        ids=["no end", "cut off", "no JSON", "deep"],
    )
    def test_what_was_there_before_the_fault_is_read(self, text: str, good: int) -> None:
        reading = json_rows(io.BytesIO(text.encode()))
        assert [next(reading).cells for _ in range(good)] == [{"phone": "+911"}] * good
        with pytest.raises(Unreadable):
            next(reading)

    def test_a_value_without_end_is_not_read_to_its_end(self) -> None:
        with pytest.raises(Unreadable, match="too long"):
            of_json('[{"phone": "' + "1" * (4 * LINE_CHARACTERS))

    @pytest.mark.parametrize("text", ["", " \n", "[]", '{"contacts": []}'])
    def test_nothing_is_no_row(self, text: str) -> None:
        assert of_json(text) == []


class TestXlsx:
    def test_the_first_sheet_is_read_as_people_see_it(self) -> None:
        file = a_sheet(
            ["Phone", "Amount", "Due", "At", "VIP", "Code"],
            [919876543210, 1200.0, DAY, DAY + timedelta(hours=9.5), True, "007"],
            [],
            ["+912", 12.5, None, None, None, None],
        )
        assert table(list(xlsx_rows(file))) == [
            (
                2,
                {
                    "Phone": "919876543210",
                    "Amount": "1200",
                    "Due": "2026-02-05",
                    "At": "2026-02-05 09:30:00",
                    "VIP": "true",
                    "Code": "007",
                },
            ),
            (4, {"Phone": "+912", "Amount": "12.5", "Due": "", "At": "", "VIP": "", "Code": ""}),
        ]

    def test_a_header_may_stand_below_empty_rows(self) -> None:
        assert table(list(xlsx_rows(a_sheet([], [None], ["Phone"], ["+911"])))) == [(4, {"Phone": "+911"})]

    @pytest.mark.parametrize("content", [b"", b"phone\n+911\n", b"PK\x03\x04 and no more"])
    def test_what_is_no_spreadsheet_is_refused(self, content: bytes) -> None:
        with pytest.raises(Unreadable, match="no spreadsheet"):
            list(xlsx_rows(io.BytesIO(content)))

    def test_a_part_that_is_no_xml_is_refused(self) -> None:
        file = with_part(a_sheet(["Phone"], ["+911"]), "xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row>")
        with pytest.raises(Unreadable, match="no spreadsheet"):
            list(xlsx_rows(file))

    def test_an_archive_that_swells_is_refused_before_it_is_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(xlsx_size, "UNPACKED_BYTES", 4 << 20)
        bomb = with_part(a_sheet(["Phone"]), "xl/worksheets/sheet1.xml", b" " * (xlsx_size.UNPACKED_BYTES + 1))
        assert bomb.getbuffer().nbytes < 1 << 16
        with pytest.raises(Unreadable, match="too large"):
            list(xlsx_rows(bomb))

    @pytest.mark.parametrize(
        "inside",
        [
            b"<row>" + b"<c/>" * 100 + b"</row>",
            b"<row><row></row>" + b"<c/>" * 10 + b"</row>",
            b"<x:row>" + b"<x:c/>" * 100 + b"</x:row>",
            b"<mergeCell/>" * 100,
            b"<row><c/></row>" * 60,
            b"<row/>" * 60,
            b"<row>" + b" " * (1 << 22),
        ],
        ids=["a long row", "a row in a row", "prefixed", "no rows", "many rows", "empty rows", "a long text"],
    )
    def test_tags_are_counted_before_they_are_read(self, inside: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        for limit, value in {"LASTING_TAGS": 90, "ROW_TAGS": 90, "ROWS": 50}.items():
            monkeypatch.setattr(xlsx_size, limit, value)
        archive = io.BytesIO()
        with ZipFile(archive, "w", ZIP_DEFLATED) as parts:
            parts.writestr("any.xml", b"<worksheet><sheetData>" + inside + b"</sheetData></worksheet>")
        with ZipFile(archive) as parts, pytest.raises(Unreadable, match="too large"):
            xlsx_size.check(parts)

    def test_a_tag_that_two_pieces_divide_is_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(xlsx_size, "ROW_TAGS", 4)
        archive = io.BytesIO()
        with ZipFile(archive, "w", ZIP_DEFLATED) as parts:
            parts.writestr("any.xml", b"<sheetData>" + b"<row r='1'><c><v>7</v></c></row >" * 500 + b"</sheetData>")
        for piece in range(64, 130):
            monkeypatch.setattr(xlsx_size, "PIECE", piece)
            with ZipFile(archive) as parts:
                xlsx_size.check(parts)

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
    def test_texts_that_swell_are_refused(self, encoding: str) -> None:
        laughs = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><worksheet/>'.encode(encoding)
        with pytest.raises(Unreadable, match="none needs"):
            list(xlsx_rows(with_part(a_sheet(["Phone"]), "xl/worksheets/sheet1.xml", laughs)))

    def test_an_encoding_that_hides_tags_is_refused(self) -> None:
        hidden = b"<?xml version='1.0' encoding='cp037'?>" + "<worksheet/>".encode("cp037")
        with pytest.raises(Unreadable, match="unusual encoding"):
            list(xlsx_rows(with_part(a_sheet(["Phone"]), "xl/worksheets/sheet1.xml", hidden)))

    def test_a_row_number_beyond_all_sheets_ends_the_reading(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(xlsx_file, "ROWS", 50)
        namespace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        cell = '<c t="inlineStr"><is><t>phone</t></is></c>'
        rows = f'<row r="1">{cell}</row><row r="999999999">{cell}</row>'
        far = f'<worksheet xmlns="{namespace}"><sheetData>{rows}</sheetData></worksheet>'.encode()
        with pytest.raises(Unreadable, match="more than 50 rows"):
            list(xlsx_rows(with_part(a_sheet(["Phone"]), "xl/worksheets/sheet1.xml", far)))
