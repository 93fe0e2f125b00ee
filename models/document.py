"""What every stored document shares: camelCase on the wire and in the database, snake_case in Python."""

from datetime import UTC, datetime
from typing import Annotated, Any, NewType, Self

from bson import ObjectId
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel

Id = NewType("Id", str)
"""24 hex digits, as the public API shows them; minted here so that a document has its id before it is stored."""


def new_id() -> Id:
    """A fresh id: sortable by creation time, unique across processes (BSON ObjectId)."""
    return Id(str(ObjectId()))


def as_utc(value: datetime) -> datetime:
    """The same instant with its zone: the database hands times back naive, in UTC."""
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def as_iso(value: datetime) -> str:
    """The API's time format: UTC, milliseconds, Z."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Time = Annotated[datetime, AfterValidator(as_utc), PlainSerializer(as_iso, return_type=str, when_used="json")]


class Model(BaseModel):
    """A value inside a document: camelCase outside, frozen inside."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")


class Document(Model):
    """A stored document. `to_mongo` and `from_mongo` are the only way to and from the database.

    `created_by` and `modified_by` are users; None: the product itself. A deleted document stays, and no query finds it.
    """

    id: Id = Field(default_factory=new_id, alias="_id")
    created_at: Time
    updated_at: Time
    created_by: Id | None = None
    modified_by: Id | None = None
    is_deleted: bool = False

    def to_mongo(self) -> dict[str, Any]:
        """The document as PyMongo stores it: aliases as keys, times as datetimes."""
        return self.model_dump(by_alias=True)

    @classmethod
    def from_mongo(cls, raw: dict[str, Any]) -> Self:
        """The document out of what PyMongo returned."""
        return cls.model_validate(raw)
