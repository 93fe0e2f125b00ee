"""Imports into a campaign, against the real database."""

import io
import json
from typing import Any

import pytest

from models.document import Id, new_id
from models.errors import Invalid
from services.contact_import.columns import Wanted
from services.contact_import.drafts import BATCH
from services.contacts import IN_CAMPAIGN, IN_FILE, PROBLEMS, ImportReport, Problem
from tests.documents import NOW
from tests.services.conftest import House

pytestmark = pytest.mark.integration

INDIA = Wanted(region="IN")
FILE = """phone,customer_name,consent
98765 43210,Zoë,yes
98765 43211,Al,no
+91 98765 43210,Zoë again,yes
12,Nobody,yes
98765 43212,Bo,perhaps
"""


async def imported(house: House, campaign: Id, text: str, **fields: Any) -> ImportReport:
    """What became of a file."""
    wanted: dict[str, Any] = {"kind": "csv", "wanted": INDIA, "now": NOW} | fields
    return await house.services.contacts.import_(house.principal, campaign, io.BytesIO(text.encode()), **wanted)


async def test_a_file_becomes_contacts_and_each_other_row_a_reason(house: House) -> None:
    campaign = new_id()
    report = await imported(house, campaign, FILE)
    assert (report.rows, report.imported, report.duplicates_in_file, report.bad) == (5, 2, 1, 2)
    assert report.problems == (
        Problem(4, IN_FILE, first_line=2),
        Problem(5, "Not a telephone number"),
        Problem(6, "Consent is neither yes nor no"),
    )
    assert report.stopped is None
    page = await house.services.contacts.page(house.principal, campaign, state="pending", page=1, limit=9)
    first, second = page.items
    assert (first.number, first.time_zone, first.consent, first.line) == ("+919876543210", "Asia/Calcutta", True, 2)
    assert first.variables == {"customer_name": "Zoë"}
    assert (second.consent, second.import_id, second.next_at) == (False, report.import_id, NOW)
    assert second.created_by == house.principal.user_id
    [record] = (
        await house.stores.audit.search(house.principal.organization_id, subject="campaign", page=1, limit=9)
    ).items
    assert (record.action, record.subject_id) == ("campaign.import-contacts", campaign)
    assert record.details == {"imported": 2, "rows": 5, "importId": report.import_id}


async def test_an_import_may_be_repeated(house: House) -> None:
    campaign = new_id()
    await imported(house, campaign, FILE)
    again = await imported(house, campaign, FILE)
    assert (again.imported, again.duplicates_in_campaign, again.duplicates_in_file, again.bad) == (0, 3, 0, 2)
    assert again.reasons[IN_CAMPAIGN] == 3
    assert (await imported(house, new_id(), FILE)).imported == 2


async def test_a_long_file_is_counted_whole_and_named_in_part(house: House) -> None:
    campaign, rows = new_id(), 2 * BATCH + 10
    numbers = [f"98{at:08d}" if at % 5 else "none" for at in range(rows)]
    report = await imported(house, campaign, "phone\n" + "\n".join(numbers) + "\n")
    assert (report.rows, report.bad, report.imported) == (rows, rows // 5, rows - rows // 5)
    assert len(report.problems) == PROBLEMS
    assert [problem.line for problem in report.problems[:3]] == [2, 7, 12]
    assert report.reasons == {"Not a telephone number": rows // 5}
    counted = await house.stores.contacts.counts(campaign)
    assert counted.states == {"pending": report.imported}


async def test_a_file_that_breaks_off_brings_what_came_before(house: House) -> None:
    campaign = new_id()
    text = json.dumps([{"phone": "9876543210"}, {"phone": "9876543211"}])[:-1] + ", {"
    report = await imported(house, campaign, text, kind="json")
    assert (report.imported, report.stopped) == (2, "Line 3: This is no JSON")


@pytest.mark.parametrize(
    ("text", "wanted", "message"),
    [
        ("", INDIA, "There are no rows in the file"),
        ("phone,name\n", INDIA, "There are no rows in the file"),
        ("name\nZoë\n", INDIA, "No column holds telephone numbers"),
        ("phone\n9876543210\n", Wanted(required=("due",)), "Missing columns: due"),
    ],
)
async def test_a_file_that_cannot_be_used_is_refused_whole(
    house: House, text: str, wanted: Wanted, message: str
) -> None:
    campaign = new_id()
    with pytest.raises(Invalid) as caught:
        await imported(house, campaign, text, wanted=wanted)
    assert [(each.field, each.message) for each in caught.value.fields] == [("file", message)]
    assert (await house.stores.contacts.counts(campaign)).states == {}


async def test_nobody_sees_another_tenants_contacts(house: House) -> None:
    campaign = new_id()
    await imported(house, campaign, FILE)
    stranger = await house.tenant()
    assert (await house.services.contacts.page(stranger, campaign, state=None, page=1, limit=9)).items == []
