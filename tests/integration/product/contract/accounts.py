"""Accounts that signing up does not make: without credit, or of the installation's administrators."""

from typing import Literal

import httpx

from models.document import new_id
from models.organization import Organization
from models.settings import Settings
from services.passwords import Passwords
from stores.mongo import connect, database
from stores.repositories import Repositories
from tests.documents import NOW, a_user
from tests.integration.product.customer import PASSWORD, Account, from_anywhere


async def insert_account(settings: Settings, http: httpx.AsyncClient, role: Literal["user", "admin"]) -> Account:
    """The owner of an organization that was never given credit; `role` is on the installation."""
    organization = Organization(id=new_id(), created_at=NOW, updated_at=NOW, name="Direct")
    user = a_user(organization.id, password_hash=await Passwords().hash(PASSWORD), role=role)
    async with connect(settings) as client:
        stores = Repositories.over(database(client, settings))
        await stores.organizations.insert(organization)
        await stores.users.insert(user)
    return await log_in(http, user.email)


async def log_in(http: httpx.AsyncClient, email: str) -> Account:
    """The account of an address, whose password is PASSWORD."""
    answer = await http.post("/auth/login", json={"email": email, "password": PASSWORD}, headers=from_anywhere())
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    return Account(email, data["user"], data["tokens"]["access"], data["tokens"]["refresh"])
