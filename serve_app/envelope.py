"""The shape of every answer of the canonical API: success, failure, pagination."""

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import Field

from models.document import Model
from stores.repository import Page

T = TypeVar("T")


def _is_none(value: object) -> bool:
    return value is None


Maybe = Annotated[T | None, Field(exclude_if=_is_none)]
"""A field that is left out of the answer when there is nothing to say."""


class Success(Model, Generic[T]):
    """An answer with data."""

    success: Literal[True] = True
    message: Maybe[str] = None
    data: T


class Done(Model):
    """An answer that only says what was done."""

    success: Literal[True] = True
    message: str


class Pagination(Model):
    """Where a page is among all."""

    total: int
    page: int
    limit: int
    pages: int

    @classmethod
    def of(cls, page: Page[Any]) -> "Pagination":
        """Of a page out of the store."""
        pages = -(-page.total // page.limit)
        return cls(total=page.total, page=page.page, limit=page.limit, pages=pages)


class Problem(Model):
    """What went wrong. `code` is one of the documented words; `details.fields` names refused fields."""

    code: str
    message: str
    details: dict[str, Any] = Field(default_factory=dict)


class Failure(Model):
    """An answer that is an error."""

    success: Literal[False] = False
    error: Problem
