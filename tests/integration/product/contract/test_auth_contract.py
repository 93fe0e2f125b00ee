"""/auth as documented, over HTTP."""

import time

import pytest

from tests.integration.product.contract.client import Client
from tests.integration.product.contract.document import TOKENS, USER
from tests.integration.product.contract.shapes import JWT, Shape
from tests.integration.product.customer import PASSWORD, Account, from_anywhere, import_body

pytestmark = pytest.mark.integration

SIGNED_IN = Shape({"user": USER, "tokens": TOKENS})


@pytest.fixture
def elsewhere(nobody: Client) -> Client:
    """Somebody without a token, at an address that nothing was counted for."""
    return Client(nobody.http, headers=from_anywhere())


def newcomer(**fields: object) -> dict[str, object]:
    return {"email": f"new-{time.time_ns()}@example.com", "password": PASSWORD, "name": "John Doe"} | fields


async def test_signup_answers_with_the_user_and_tokens(elsewhere: Client) -> None:
    body = newcomer()
    made = await elsewhere.answer("POST", "/auth/signup", body, status=201, data=SIGNED_IN)
    assert (made["user"]["email"], made["user"]["name"], made["user"]["role"]) == (body["email"], "John Doe", "user")
    assert "exotelConfig" not in made["user"]


async def test_signup_needs_no_name(elsewhere: Client) -> None:
    body = newcomer()
    del body["name"]
    made = await elsewhere.answer("POST", "/auth/signup", body, status=201, data=SIGNED_IN)
    assert made["user"]["name"] == ""


async def test_signup_names_refused_fields_as_documented(elsewhere: Client) -> None:
    error = await elsewhere.refusal(400, "POST", "/auth/signup", {"email": "nobody", "password": "short"})
    assert error == {
        "code": "VALIDATION_ERROR",
        "message": "Validation failed",
        "details": {
            "fields": [
                {"field": "email", "message": "Invalid email format"},
                {"field": "password", "message": "Password must be at least 8 characters"},
            ]
        },
    }
    assert (await elsewhere.fields("POST", "/auth/signup", {})).keys() == {"email", "password"}


async def test_signup_refuses_a_registered_address(elsewhere: Client, account: Account) -> None:
    for email in (account.email, account.email.upper()):
        await elsewhere.refusal(409, "POST", "/auth/signup", newcomer(email=email))


async def test_login_answers_with_the_user_and_tokens(elsewhere: Client, account: Account) -> None:
    credentials = {"email": account.email, "password": PASSWORD}
    found = await elsewhere.answer("POST", "/auth/login", credentials, data=SIGNED_IN)
    assert found["user"]["_id"] == account.user["_id"]
    await Client(elsewhere.http, found["tokens"]["access"]).answer("GET", "/auth/me")


async def test_login_names_missing_fields(elsewhere: Client) -> None:
    assert (await elsewhere.fields("POST", "/auth/login", {})).keys() == {"email", "password"}


async def test_login_does_not_say_which_half_was_wrong(elsewhere: Client, account: Account) -> None:
    wrong = await elsewhere.refusal(401, "POST", "/auth/login", {"email": account.email, "password": "not this one"})
    unknown = await elsewhere.refusal(401, "POST", "/auth/login", newcomer())
    assert wrong == unknown


async def test_refresh_answers_with_an_access_token_that_works(elsewhere: Client, account: Account) -> None:
    body = {"email": account.email, "password": PASSWORD}
    tokens = (await elsewhere.answer("POST", "/auth/login", body))["tokens"]
    fresh = Shape({"access": JWT}, ours={"refresh": JWT})
    renewed = await elsewhere.answer("POST", "/auth/refresh", {"refreshToken": tokens["refresh"]}, data=fresh)
    me = await Client(elsewhere.http, renewed["access"]).answer("GET", "/auth/me")
    assert me["user"]["_id"] == account.user["_id"]


async def test_refresh_without_a_token_is_a_bad_request(elsewhere: Client) -> None:
    assert (await elsewhere.fields("POST", "/auth/refresh", {})).keys() == {"refreshToken"}


async def test_refresh_refuses_what_is_no_refresh_token(elsewhere: Client, account: Account) -> None:
    for token in ("x", account.access, account.refresh[:-2]):
        await elsewhere.refusal(401, "POST", "/auth/refresh", {"refreshToken": token})


async def test_me_shows_the_user_and_masks_the_carrier_account(client: Client, account: Account) -> None:
    me = await client.answer("GET", "/auth/me", data=Shape({"user": USER}))
    assert me["user"]["email"] == account.email
    await client.answer("POST", "/phones/import", import_body(), status=201)
    carrier = (await client.answer("GET", "/auth/me", data=Shape({"user": USER})))["user"]["exotelConfig"]
    assert carrier["subdomain"] == "api.in.exotel.com"
    assert carrier["apiKey"].startswith("de")
    assert "demo-key" not in str(carrier)


async def test_me_needs_a_token(nobody: Client) -> None:
    await nobody.refusal(401, "GET", "/auth/me")
