"""A person who logs in; belongs to one organization."""

from pydantic import EmailStr

from models.document import Document, Id


class User(Document):
    """`email` is unique over all users (stored in lower case)."""

    organization_id: Id
    email: EmailStr
    name: str = ""
    password_hash: str
    role: str = "user"
