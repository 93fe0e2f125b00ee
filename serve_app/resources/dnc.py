"""/dnc: numbers that are not to be called."""

from typing import Annotated, Self

from fastapi import APIRouter, Depends, Query
from pydantic import ConfigDict, Field

from models.contact import DncEntry
from models.document import Model, Time
from serve_app.authentication import Now, Provided, allowed
from serve_app.envelope import Done, Maybe, Pagination, Success
from serve_app.resources.lists import PageLimit, PageNumber, fails_with
from services.dnc import DncScope
from services.principal import Principal

router = APIRouter(prefix="/dnc", tags=["dnc"])

Reader = Annotated[Principal, Depends(allowed("dnc:read"))]
Writer = Annotated[Principal, Depends(allowed("dnc:write"))]

Reason = Annotated[str, Field(max_length=200)]
Number = Annotated[str, Field(max_length=40)]
ListScope = Annotated[
    DncScope, Query(description="`global` is the list of the installation, which its administrators keep")
]
NUMBERS = 10_000
"""In one request; its body may have a megabyte."""


class AddNumber(Model):
    """A number that is not to be called. `scope` `global`: by nobody on this installation."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"number": "+919876543210", "reason": "Asked us not to"}]}
    )
    number: Number
    reason: Reason = ""
    scope: DncScope = "organization"


class AddNumbers(Model):
    """Many numbers. Those without a country's code are of `region`, two letters as in ISO 3166."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"numbers": ["+919876543210", "98765 43211"], "region": "IN", "reason": "National registry"}]
        }
    )
    numbers: Annotated[list[Number], Field(min_length=1, max_length=NUMBERS)]
    region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    reason: Reason = ""
    scope: DncScope = "organization"


class EntryResource(Model):
    """A number on a list. `added_by`: the user; not there when the product itself put it on the list."""

    id: Annotated[str, Field(alias="_id")]
    number: str
    reason: str
    scope: DncScope
    added_by: Maybe[str] = None
    created_at: Time

    @classmethod
    def of(cls, entry: DncEntry) -> Self:
        """As the API shows it."""
        return cls(
            id=entry.id,
            number=entry.number,
            reason=entry.reason,
            scope="global" if entry.organization_id is None else "organization",
            added_by=entry.added_by,
            created_at=entry.created_at,
        )


class EntryData(Model):
    """`data` with one entry."""

    entry: EntryResource


class EntriesData(Model):
    """`data` with a page of entries."""

    entries: list[EntryResource]
    pagination: Pagination


class NumberProblem(Model):
    """A text that is no number; `field` says which, such as `numbers.3` for the fourth."""

    field: str
    message: str


class AddedData(Model):
    """`data` of many numbers: each was added, is on the list already (or twice in the request), or is a problem."""

    added: int
    already_listed: int
    problems: list[NumberProblem]


@router.get("", responses=fails_with(400, 401, 403))
async def list_entries(
    caller: Reader,
    services: Provided,
    page: PageNumber = 1,
    limit: PageLimit = 20,
    scope: ListScope = "organization",
    number: Annotated[str | None, Query(max_length=40, description="This number's entry; a plus is `%2B`")] = None,
) -> Success[EntriesData]:
    """The numbers that the organization does not call, newest first."""
    found = await services.dnc.page(caller, scope=scope, number=number, page=page, limit=limit)
    entries = [EntryResource.of(entry) for entry in found.items]
    return Success(data=EntriesData(entries=entries, pagination=Pagination.of(found)))


@router.post("", status_code=201, responses=fails_with(400, 401, 403, 409))
async def add_number(body: AddNumber, caller: Writer, services: Provided, now: Now) -> Success[EntryData]:
    """Put a number on the list. Campaigns look at it before each call, so it counts at once."""
    entry = await services.dnc.add(caller, number=body.number, reason=body.reason, scope=body.scope, now=now)
    return Success(data=EntryData(entry=EntryResource.of(entry)))


@router.post("/bulk", responses=fails_with(400, 401, 403))
async def add_numbers(body: AddNumbers, caller: Writer, services: Provided, now: Now) -> Success[AddedData]:
    """Put many numbers on the list. What is no number is said and keeps nothing else from it."""
    done = await services.dnc.add_many(
        caller, numbers=body.numbers, region=body.region, reason=body.reason, scope=body.scope, now=now
    )
    problems = [NumberProblem(field=each.field, message=each.message) for each in done.problems]
    return Success(data=AddedData(added=done.added, already_listed=done.already_listed, problems=problems))


@router.delete("/{entry_id}", responses=fails_with(400, 401, 403, 404))
async def remove_entry(
    entry_id: str, caller: Writer, services: Provided, now: Now, scope: ListScope = "organization"
) -> Done:
    """Take a number off the list, so that it may be called again."""
    await services.dnc.remove(caller, entry_id, scope=scope, now=now)
    return Done(message="Number removed from the do-not-call list")
