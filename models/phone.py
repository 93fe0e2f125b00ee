"""A phone number of ours and the carrier account behind it."""

from typing import Annotated, Literal

from pydantic import Field

from models.document import Document, Id, Model

PhoneStatus = Literal["active", "inactive"]


class CarrierAccount(Model):
    """Exotel credentials; `encrypted_token` and `encrypted_key` are Fernet tokens and never leave the server."""

    sid: str
    subdomain: str
    encrypted_key: str
    encrypted_token: str


class Phone(Document):
    """`number` is E.164 and unique over all organizations: a call to it must find exactly one owner."""

    organization_id: Id
    user_id: Id
    number: str
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    provider: Literal["exotel"] = "exotel"
    agent_id: Id | None = None
    tags: list[str] = Field(default_factory=list)
    status: PhoneStatus = "active"
    carrier: CarrierAccount
