"""What every list takes: page, limit, dates; and how errors are documented."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import Query

from models.errors import FieldError, Invalid
from serve_app.envelope import Failure

PageNumber = Annotated[int, Query(ge=1, le=1_000_000_000, description="Page number")]
PageLimit = Annotated[int, Query(ge=1, le=100, description="Items per page")]

FromDate = Annotated[str | None, Query(alias="fromDate", max_length=40, description="ISO date")]
ToDate = Annotated[str | None, Query(alias="toDate", max_length=40, description="ISO date, inclusive")]

DATE_ONLY = re.compile(r"\d{4}-\d{2}-\d{2}")


def since(text: str | None, field: str = "fromDate") -> datetime | None:
    """The moment from which a list starts; a date is its midnight, UTC. Raises Invalid."""
    return None if text is None else _moment(text, field)


def before(text: str | None, field: str = "toDate") -> datetime | None:
    """The moment before which a list ends; a date belongs to the list as a whole. Raises Invalid."""
    if text is None:
        return None
    whole_day = DATE_ONLY.fullmatch(text) is not None
    # The bound itself is meant to be in the list, and the database keeps milliseconds.
    return _moment(text, field, later=timedelta(days=1) if whole_day else timedelta(milliseconds=1))


def fails_with(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of an operation, for its OpenAPI entry."""
    return {status: {"model": Failure} for status in statuses}


def _moment(text: str, field: str, later: timedelta = timedelta()) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)) + later
    except (ValueError, OverflowError) as error:
        example = "Must be an ISO date, such as 2024-01-15 or 2024-01-15T10:30:00Z"
        raise Invalid(fields=[FieldError(field, example)]) from error
