"""A person who logs in; belongs to one organization."""

from typing import Literal

from pydantic import EmailStr

from models.document import Document, Id

OrganizationRole = Literal["owner", "admin", "manager", "agent", "viewer"]


class User(Document):
    """`email` is unique over all users (stored in lower case)."""

    organization_id: Id
    email: EmailStr
    name: str = ""
    password_hash: str
    role: Literal["user", "admin"] = "user"
    """On the installation, as the public API shows it: an admin runs it and may credit accounts."""
    organization_role: OrganizationRole = "owner"
    is_active: bool = True
    """A disabled user cannot log in; sessions and keys do not count meanwhile."""
    retiring: Id | None = None
    """The attempt under way to take an owner's role away; other such attempts do not count this owner meanwhile."""
