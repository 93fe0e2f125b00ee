"""/campaigns/{id}/contacts as clients see it: lists, files, and what became of each row."""

import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from openpyxl import Workbook  # type: ignore[import-untyped]

from models.document import new_id
from serve_app.resources.contacts import AddContacts
from tests.resources.conftest import Client
from tests.resources.test_campaigns_over_http import made, order
from tests.resources.test_odd_values import ODD, spoilt

pytestmark = pytest.mark.integration

CSV = b"phone,customer_name,consent\n9876543210,Zo\xc3\xab,yes\n98765 43210,Zo\xc3\xab,yes\n12,Al,yes\n"


async def drafted(client: Client) -> str:
    """The path of a draft without contacts."""
    answer = await client.ask("POST", "/campaigns", 201, json=await order(client))
    return f"/campaigns/{answer['data']['campaign']['_id']}"


async def sent(
    client: Client, path: str, content: bytes, name: str = "people.csv", status: int = 200, **form: Any
) -> Any:
    """The answer to an upload."""
    files = {"file": (name, content, "application/octet-stream")}
    return await client.ask("POST", f"{path}/contacts/import", status, files=files, data=form)


async def contacts(client: Client, path: str, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.ask("GET", f"{path}/contacts{query}"))["data"]["contacts"]
    return found


def sheet(*rows: list[Any]) -> bytes:
    """A spreadsheet."""
    book, file = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(file)
    return file.getvalue()


async def test_an_upload_is_answered_row_by_row(client: Client) -> None:
    path = await drafted(client)
    report = (await sent(client, path, CSV, region="IN"))["data"]["report"]
    import_id = report.pop("importId")
    assert report == {
        "rows": 3,
        "imported": 1,
        "duplicatesInFile": 1,
        "duplicatesInCampaign": 0,
        "bad": 1,
        "problems": [
            {"line": 3, "reason": "The number is in the file before", "firstLine": 2},
            {"line": 4, "reason": "Not a telephone number"},
        ],
        "reasons": {"The number is in the file before": 1, "Not a telephone number": 1},
    }
    [contact] = await contacts(client, path)
    assert {name: contact[name] for name in ("number", "timeZone", "consent", "variables", "state", "line")} == {
        "number": "+919876543210",
        "timeZone": "Asia/Calcutta",
        "consent": True,
        "variables": {"customer_name": "Zoë"},
        "state": "pending",
        "line": 2,
    }
    assert (contact["importId"], contact["attempts"]) == (import_id, [])
    assert not {"final", "refusal", "claim"} & contact.keys()
    shown = (await client.ask("GET", f"{path}/contacts/{contact['_id']}"))["data"]["contact"]
    assert shown == contact
    assert (await client.ask("GET", path))["data"]["campaign"]["counters"]["contacts"] == {"pending": 1}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("people.XLSX", sheet(["phone", "customer_name"], [919876543210, "Zoë"])),
        ("people.json", '[{"phone": 919876543210, "customer_name": "Zoë"}]'.encode()),
        ("people.ndjson", '{"phone": "919876543210", "metadata": {"customer_name": "Zoë"}}\n'.encode()),
        ("people.txt", "phone;customer_name\n919876543210;Zoë\n".encode()),
    ],
    ids=str,
)
async def test_each_kind_of_file_is_known_by_its_name(client: Client, name: str, content: bytes) -> None:
    path = await drafted(client)
    assert (await sent(client, path, content, name))["data"]["report"]["imported"] == 1
    [contact] = await contacts(client, path)
    assert (contact["number"], contact["variables"]) == ("+919876543210", {"customer_name": "Zoë"})


async def test_the_form_says_how_to_read_the_file(client: Client) -> None:
    path = await drafted(client)
    form: dict[str, Any] = {
        "format": "csv",
        "mapping": json.dumps({"number": "Home", "customer_name": "Who"}),
        "region": "US",
        "consent": "true",
        "timeZone": "America/Denver",
    }
    await sent(client, path, b"Who,Home,phone\nAl,8005551234,1\n", "people", **form)
    [contact] = await contacts(client, path)
    assert (contact["number"], contact["timeZone"], contact["consent"]) == ("+18005551234", "America/Denver", True)
    assert contact["variables"] == {"customer_name": "Al", "phone": "1"}


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"mapping": "[1]"}, "mapping"),
        ({"mapping": "{"}, "mapping"),
        ({"mapping": "[" * 50_000}, "mapping"),
        ({"mapping": '{"number": 5}'}, "mapping.number"),
        ({"mapping": '{"number": "absent"}'}, "file"),
        ({"region": "India"}, "region"),
        ({"consent": "perhaps"}, "consent"),
        ({"timeZone": "Mars"}, "timeZone"),
        ({"format": "pdf"}, "format"),
    ],
)
async def test_a_form_that_says_nonsense_is_named(client: Client, form: dict[str, Any], field: str) -> None:
    answer = await sent(client, await drafted(client), CSV, status=400, **form)
    assert [each["field"] for each in answer["error"]["details"]["fields"]] == [field]


async def test_what_is_no_upload_is_refused(client: Client) -> None:
    path = await drafted(client)
    place = f"{path}/contacts/import"

    async def field(**request: Any) -> str:
        answer = await client.ask("POST", place, 400, **request)
        name: str = answer["error"]["details"]["fields"][0]["field"]
        return name

    assert await field() == "file"
    assert await field(json={"file": "x"}) == "file"
    assert await field(data={"file": "phone"}) == "file"
    assert await field(files={"other": ("a.csv", b"phone\n1\n")}) == "file"
    assert await field(files={"file": ("a.pdf", b"phone\n1\n")}) == "format"
    assert await field(files={"file": ("a.csv", b"")}) == "file"
    for broken in ("multipart/form-data", "multipart/form-data; boundary=x"):
        content = b"--x\r\nnothing"
        answer = await client.ask("POST", place, 400, content=content, headers={"Content-Type": broken})
        assert answer["error"]["code"] == "VALIDATION_ERROR"
    two = [("file", ("a.csv", CSV)), ("file", ("b.csv", CSV))]
    await client.ask("POST", place, 400, files=two)
    assert await contacts(client, path) == []


async def test_a_file_may_be_larger_than_other_bodies_and_has_its_limit(client: Client) -> None:
    path = await drafted(client)
    padding = b"phone,notes\n" + b"".join(b"98765%05d,%s\n" % (at, b"x" * 1_000) for at in range(3_000))
    assert len(padding) > 2 << 20
    assert (await sent(client, path, padding, region="IN"))["data"]["report"]["imported"] == 3_000
    limit = client.house.settings.contact_file_bytes

    async def endless() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        for _ in range(limit // (1 << 20) + 1):
            yield b"x" * (1 << 20)

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await client.ask("POST", f"{path}/contacts/import", 413, content=endless(), headers=headers)
    assert answer["error"]["code"] == "VALIDATION_ERROR"
    await client.ask("POST", f"{path}/contacts", 413, content=b"x" * (2 << 20))


async def test_a_list_is_imported_by_the_same_rules(client: Client) -> None:
    path = await drafted(client)
    body = {
        "contacts": [
            {"number": "98765 43210", "customer_name": "Zoë", "variables": {"amount": 5}, "consent": True},
            {"number": 919876543211, "metadata": {"amount": 2.5}, "vip": True, "note": None},
            {"name": "Nobody"},
        ],
        "region": "IN",
    }
    report = (await client.ask("POST", f"{path}/contacts", json=body))["data"]["report"]
    assert (report["imported"], report["problems"]) == (
        2, [{"line": 3, "reason": "No column holds telephone numbers"}],
    )  # fmt: skip
    first, second = await contacts(client, path)
    assert (first["variables"], first["consent"]) == ({"customer_name": "Zoë", "amount": "5"}, True)
    assert (second["variables"], second["consent"]) == ({"amount": "2.5", "vip": "true", "note": ""}, False)


async def test_lists_are_paged_by_state(client: Client) -> None:
    campaign = await made(client)
    path = f"/campaigns/{campaign['_id']}"
    numbers = ["+919123456789", "+919123456780"]
    assert [each["number"] for each in await contacts(client, path, "?state=pending")] == numbers
    data = (await client.ask("GET", f"{path}/contacts?page=2&limit=1"))["data"]
    assert [each["number"] for each in data["contacts"]] == numbers[1:]
    assert data["pagination"] == {"total": 2, "page": 2, "limit": 1, "pages": 2}
    assert await contacts(client, path, "?state=done") == []
    await client.ask("GET", f"{path}/contacts?state=asleep", 400)
    await client.ask("GET", f"{path}/contacts/{new_id()}", 404)


async def test_one_who_waits_can_be_withdrawn_once(client: Client) -> None:
    path = await drafted(client)
    numbers = [{"number": "+919123456700"}, {"number": "+919123456701"}]
    await client.ask("POST", f"{path}/contacts", json={"contacts": numbers})
    one, other = await contacts(client, path)
    withdrawn = (await client.ask("DELETE", f"{path}/contacts/{one['_id']}"))["data"]["contact"]
    assert (withdrawn["state"], withdrawn["final"]) == ("done", "withdrawn")
    assert [each["_id"] for each in await contacts(client, path, "?state=pending")] == [other["_id"]]
    answer = await client.ask("DELETE", f"{path}/contacts/{one['_id']}", 409)
    assert answer["error"]["message"] == "The contact is done"
    await client.ask("DELETE", f"{await drafted(client)}/contacts/{other['_id']}", 404)


async def test_what_is_over_gets_no_more_contacts(client: Client) -> None:
    campaign = await made(client)
    path = f"/campaigns/{campaign['_id']}"
    for verb in ("start", "stop"):
        await client.ask("POST", f"{path}/{verb}")
    answer = await sent(client, path, CSV, status=409, region="IN")
    assert answer["error"]["message"] == "A campaign that is stopped gets no more contacts"
    await client.ask("POST", f"{path}/contacts", 409, json={"contacts": [{"number": "+919123456700"}]})


def test_the_documented_example_is_a_list() -> None:
    (example,) = AddContacts.model_json_schema()["examples"]
    assert len(AddContacts.model_validate(example).contacts) == 2


async def test_odd_values_are_answered(client: Client) -> None:
    path = f"/api/v1{await drafted(client)}/contacts"
    body = {
        "contacts": [{"number": "+919123456789", "variables": {"a": 1}}],
        "region": "IN",
        "mapping": {"number": "x"},
    }
    for odd in ODD:
        for content in spoilt(body, odd):
            response = await client.http.post(
                path, content=json.dumps(content), headers={"Content-Type": "application/json"}
            )
            assert response.status_code < 500, (content, response.text)
