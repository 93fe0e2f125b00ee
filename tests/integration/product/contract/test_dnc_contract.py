"""/dnc, over HTTP."""

import pytest

from models.document import new_id
from tests.integration.product.contract.client import Client
from tests.integration.product.contract.document import DNC_ENTRY, page_of
from tests.integration.product.contract.shapes import Each, Shape, text, whole

pytestmark = pytest.mark.integration

ONE = Shape({"entry": DNC_ENTRY})
MANY = Shape({"added": whole, "alreadyListed": whole, "problems": Each(Shape({"field": text, "message": text}))})


def a_number() -> str:
    """One that is on no list."""
    return f"+9198{int(new_id()[-8:], 16) % 10**8:08d}"


async def test_a_number_is_put_on_the_list_found_and_taken_off(client: Client) -> None:
    number = a_number()
    body = {"number": number, "reason": "Asked us not to"}
    entry = (await client.answer("POST", "/dnc", body, status=201, data=ONE))["entry"]
    assert (entry["number"], entry["scope"]) == (number, "organization")
    await client.refusal(409, "POST", "/dnc", body)
    found = await client.answer("GET", "/dnc", data=page_of("entries", DNC_ENTRY), params={"number": number})
    assert found["entries"] == [entry]
    assert await client.done("DELETE", f"/dnc/{entry['_id']}") == "Number removed from the do-not-call list"
    await client.refusal(404, "DELETE", f"/dnc/{entry['_id']}")
    await client.refusal(403, "POST", "/dnc", body | {"scope": "global"})


async def test_many_numbers_are_put_on_the_list(client: Client) -> None:
    number = a_number()
    body = {"numbers": [number, number, "nobody"], "reason": "National registry"}
    done = await client.answer("POST", "/dnc/bulk", body, data=MANY)
    assert (done["added"], done["alreadyListed"]) == (1, 1)
    assert [problem["field"] for problem in done["problems"]] == ["numbers.2"]
    assert (await client.fields("POST", "/dnc", {"number": "12"})).keys() == {"number"}
