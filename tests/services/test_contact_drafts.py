"""What rows become: columns known or mapped, numbers, time zones, consent, and reasons for what is no contact."""

import io
from collections.abc import Mapping
from typing import Any

import pytest

from services.contact_import import drafts as drafts_module
from services.contact_import.columns import Columns, Unsuited, Wanted, columns_of
from services.contact_import.drafts import BadRow, Batch, Draft, batches
from services.contact_import.limits import VALUE_CHARACTERS, Kind
from services.contact_import.numbers import dialable, e164_of, zone_named, zone_of

INDIA = Wanted(region="IN")


def read(text: str, wanted: Wanted = INDIA, kind: Kind = "csv") -> Batch:
    """The one batch of a small file."""
    [batch] = batches(io.BytesIO(text.encode()), kind, wanted)
    return batch


def reason(text: str, wanted: Wanted = INDIA) -> str:
    """Why the one row is no contact."""
    [bad] = read(text, wanted).bad
    return bad.reason


class TestNumbers:
    @pytest.mark.parametrize(
        ("text", "region", "number"),
        [
            ("98765 43210", "IN", "+919876543210"),
            ("09876543210", "IN", "+919876543210"),
            ("919876543210", "IN", "+919876543210"),
            ("0091 98765 43210", "IN", "+919876543210"),
            ("+44 20 7183 8750", "IN", "+442071838750"),
            ("5511999887766", None, "+5511999887766"),
            ("005511999887766", None, "+5511999887766"),
            ("+5511999887766", None, "+5511999887766"),
            ("(415) 555-0123", "US", "+14155550123"),
        ],
    )
    def test_a_number_is_read_as_people_write_it(self, text: str, region: str | None, number: str) -> None:
        found = dialable(text, region)
        assert found is not None
        assert e164_of(found) == number

    @pytest.mark.parametrize(
        ("text", "region"),
        [
            ("", "IN"),
            ("n/a", "IN"),
            ("1-800-FLOWERS", "US"),
            ("5550123", "US"),  # only within its area
            ("971501234567", "US"),  # digits too many; with a plus it would be somebody in the Emirates
            ("98765", None),
            ("+999123456789", None),
            ("1e15", None),
        ],
    )
    def test_what_nobody_could_dial_is_none(self, text: str, region: str | None) -> None:
        assert dialable(text, region) is None

    @pytest.mark.parametrize(
        ("text", "zone"),
        [
            ("+919876543210", "Asia/Calcutta"),
            ("+14155550123", "America/Los_Angeles"),
            ("+5511999887766", "America/Sao_Paulo"),
            ("+393123456789", "Europe/Rome"),  # or the Vatican, by the same clock
            ("+447400123456", "Europe/Guernsey"),  # or anywhere else in Britain
            ("+18005551234", None),  # anywhere in America
            ("+61412345678", None),  # a mobile of a country with many zones
            ("+870773111632", None),  # a satellite
        ],
    )
    def test_a_zone_is_known_only_when_it_can_be_no_other(self, text: str, zone: str | None) -> None:
        number = dialable(text, None)
        assert number is not None
        assert zone_of(number) == zone

    def test_a_zone_may_be_named_in_any_case(self) -> None:
        assert zone_named("asia/kolkata") == "Asia/Kolkata"
        assert zone_named("India") is None


class TestColumns:
    @pytest.mark.parametrize("header", ["phone_number", "Phone", "NUMBER", "Mobile No.", "mobile_no", "Contact Number"])
    def test_the_usual_headers_are_known(self, header: str) -> None:
        columns = columns_of(["serial_no", header, "Time Zone", "Opt-in", "Customer Name"], Wanted())
        serial, name = ("serial_no", "serial_no"), ("Customer Name", "Customer Name")
        assert columns == Columns(header, "Time Zone", "Opt-in", (serial, name), ())

    def test_the_likelier_header_holds_the_number_and_the_other_is_a_variable(self) -> None:
        columns = columns_of(["mobile", "phone_number"], Wanted())
        assert (columns.number, columns.variables) == ("phone_number", (("mobile", "mobile"),))

    def test_a_mapping_goes_before_what_is_known(self) -> None:
        wanted = Wanted(mapping={"phone": "Mobile", "name": "full_name", "timeZone": "where"})
        columns = columns_of(["phone_number", "MOBILE", "full_name", "where", "consent"], wanted)
        assert (columns.number, columns.time_zone, columns.consent) == ("MOBILE", "where", "consent")
        assert columns.variables == (("phone_number", "phone_number"), ("full_name", "name"))

    def test_a_variable_is_named_as_the_agent_asks_for_it(self) -> None:
        columns = columns_of(["phone", "Customer Name"], Wanted(required=("customer_name",)))
        assert columns.variables == (("Customer Name", "customer_name"),)
        assert columns.required == ("customer_name",)

    def test_the_number_itself_may_be_asked_for(self) -> None:
        for wanted in (Wanted(required=("mobile_no",)), Wanted(asked=("mobile_no",))):
            columns = columns_of(["Mobile No.", "name"], wanted)
            assert (columns.number, columns.variables) == (
                "Mobile No.",
                (("Mobile No.", "mobile_no"), ("name", "name")),
            )

    def test_what_is_asked_for_by_its_very_name_is_no_other_column(self) -> None:
        columns = columns_of(["phone", "Customer Name", "customer_name"], Wanted(asked=("customer_name",)))
        assert columns.variables == (("Customer Name", "Customer Name"), ("customer_name", "customer_name"))

    def test_what_is_only_asked_for_need_not_be_there(self) -> None:
        columns = columns_of(["phone"], Wanted(asked=("customer_name",)))
        assert (columns.variables, columns.required) == ((), ())

    def test_a_name_holds_nothing_the_database_or_a_template_would_read(self) -> None:
        columns = columns_of(["phone", "$a.b{c}"], Wanted())
        assert columns.variables == (("$a.b{c}", "_a_b_c_"),)
        assert columns_of(["phone", "a"], Wanted(mapping={"$a\0": "a"})).variables == (("a", "_a_"),)

    @pytest.mark.parametrize(
        ("header", "wanted", "problem"),
        [
            (["name"], Wanted(), "No column holds telephone numbers"),
            (["phone"], Wanted(mapping={"name": "full_name"}), "There is no column full_name"),
            (["phone"], Wanted(required=("due", "amount")), "Missing columns: due, amount"),
            (["phone", "a", "b"], Wanted(mapping={"b": "a"}), "Two columns are one variable"),
        ],
    )
    def test_columns_that_do_not_suit_are_refused(self, header: list[str], wanted: Wanted, problem: str) -> None:
        with pytest.raises(Unsuited, match=problem):
            columns_of(header, wanted)


class TestDrafts:
    def test_a_row_is_a_contact(self) -> None:
        batch = read("phone,Name,timezone,consent\n98765 43210,Zoë,,YES\n+14155550123,Al,America/new_york,\n")
        assert batch.drafts == [
            Draft(2, "+919876543210", "Asia/Calcutta", True, {"Name": "Zoë"}),
            Draft(3, "+14155550123", "America/New_York", False, {"Name": "Al"}),
        ]
        assert (batch.bad, batch.stopped, batch.rows) == ([], None, 2)

    def test_a_zone_that_no_column_and_no_number_tells_is_the_importers(self) -> None:
        wanted = Wanted(region="US", time_zone="America/Denver")
        drafts = read("phone,tz\n8005551234,\n4155550123,\n8005551234,America/New_York\n", wanted).drafts
        assert [draft.time_zone for draft in drafts] == ["America/Denver", "America/Los_Angeles", "America/New_York"]
        assert read("phone\n8005551234\n", Wanted(region="US")).drafts[0].time_zone is None

    @pytest.mark.parametrize("consent", [True, False])
    def test_consent_is_what_the_importer_says_where_no_column_does(self, consent: bool) -> None:
        [draft] = read("phone\n9876543210\n", Wanted(region="IN", consent=consent)).drafts
        assert draft.consent is consent

    def test_an_empty_consent_is_none_whatever_the_importer_says(self) -> None:
        [draft] = read("phone,consent\n9876543210,\n", Wanted(region="IN", consent=True)).drafts
        assert draft.consent is False

    @pytest.mark.parametrize(
        ("row", "why"),
        [
            ("12,,,a", "Not a telephone number"),
            (",,,a", "No telephone number"),
            ("9876543210,Mars/Olympus,,a", "Unknown time zone"),
            ("9876543210,,perhaps,a", "Consent is neither yes nor no"),
            ("9876543210,,," + "a" * (VALUE_CHARACTERS + 1), f"A value is longer than {VALUE_CHARACTERS} characters"),
            ("9876543210,,,", "Empty: due"),
            ("9876543210,,,a,b", "More cells than columns"),
        ],
    )
    def test_a_row_that_is_no_contact_says_why_and_repeats_nothing(self, row: str, why: str) -> None:
        assert reason(f"phone,tz,consent,due\n{row}\n", Wanted(region="IN", required=("due",))) == why

    def test_a_table_without_numbers_is_read_no_further(self) -> None:
        batch = read("name\nZoë\n")
        assert (batch.rows, batch.stopped and batch.stopped.message) == (0, "No column holds telephone numbers")

    def test_each_object_of_a_list_has_columns_of_its_own(self) -> None:
        batch = read(
            '[{"phone": "9876543210", "a": "1"}, {"name": "Zoë"}, {"b": "2", "mobile": "9876543211"}]', kind="json"
        )
        assert [draft.variables for draft in batch.drafts] == [{"a": "1"}, {"b": "2"}]
        assert batch.bad == [BadRow(2, "No column holds telephone numbers")]

    def test_rows_come_in_batches_and_those_before_a_fault_are_kept(self) -> None:
        text = "".join(f'{{"phone": "98765{at:05d}"}}\n' for at in range(5)) + "oh"
        found = list(batches(io.BytesIO(text.encode()), "json", INDIA, size=2))
        assert [(batch.rows, batch.stopped is not None) for batch in found] == [(2, False), (2, False), (1, True)]
        assert [draft.line for batch in found for draft in batch.drafts] == [1, 2, 3, 4, 5]

    def test_rows_are_counted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(drafts_module, "ROWS", 3)
        batch = read("phone\n" + "9876543210\n" * 5)
        assert (batch.rows, batch.stopped and batch.stopped.message) == (3, "Line 5: There are more than 3 rows")

    @pytest.mark.parametrize("mapping", [{}, {"number": "phone"}])
    def test_every_kind_of_file_says_the_same(self, mapping: Mapping[str, str]) -> None:
        wanted: Any = Wanted(region="IN", mapping=mapping)
        table = read("phone,due\n9876543210,Monday\n", wanted).drafts
        listed = read('[{"phone": 9876543210, "due": "Monday"}]', wanted, "json").drafts
        assert [draft.variables for draft in table] == [draft.variables for draft in listed] == [{"due": "Monday"}]
