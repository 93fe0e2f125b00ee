"""/campaigns/{id}/contacts: whom a campaign calls, one by one or by the file."""

import io
import json
from typing import Annotated, Self

from fastapi import APIRouter, Depends, Request
from pydantic import ConfigDict, Field

from models.contact import Attempt, Contact, ContactState
from models.document import Model, Time
from serve_app.authentication import Now, Provided, allowed
from serve_app.envelope import Maybe, Pagination, Success
from serve_app.resources.contact_upload import FORM_BODY, Reading, uploaded
from serve_app.resources.lists import PageLimit, PageNumber, fails_with
from services.contacts import ImportReport
from services.principal import Principal

router = APIRouter(prefix="/campaigns", tags=["contacts"])

Reader = Annotated[Principal, Depends(allowed("campaigns:read"))]
Writer = Annotated[Principal, Depends(allowed("campaigns:write"))]

CONTACTS = 10_000
"""In one request; its body may have a megabyte."""
Plain = str | bool | int | float | None


class AddContacts(Reading):
    """Contacts as objects; members of `metadata` and `variables` inside them count as their own."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "contacts": [
                        {"number": "+919123456789", "consent": True, "customer_name": "Zoë"},
                        {"number": "91234 56780", "timeZone": "Asia/Kolkata", "variables": {"customer_name": "Al"}},
                    ],
                    "region": "IN",
                    "consent": True,
                }
            ]
        }
    )
    contacts: Annotated[list[dict[str, Plain | dict[str, Plain]]], Field(min_length=1, max_length=CONTACTS)]


class ContactResource(Model):
    """A person in a campaign. `refusal`: why they were last not dialled when they were due; `final`: how it ended."""

    id: Annotated[str, Field(alias="_id")]
    campaign_id: str
    number: str
    time_zone: Maybe[str] = None
    consent: bool
    variables: dict[str, str]
    state: ContactState
    attempts: list[Attempt]
    next_at: Maybe[Time] = None
    refusal: Maybe[str] = None
    final: Maybe[str] = None
    import_id: Maybe[str] = None
    line: int
    created_at: Time
    updated_at: Time

    @classmethod
    def of(cls, contact: Contact) -> Self:
        """As the API shows it."""
        return cls(**{name: getattr(contact, name) for name in cls.model_fields})


class ContactData(Model):
    """`data` with one contact."""

    contact: ContactResource


class ContactsData(Model):
    """`data` with a page of contacts."""

    contacts: list[ContactResource]
    pagination: Pagination


class RowProblem(Model):
    """A row that became no contact. `firstLine`: where the file has the same number before."""

    line: int
    reason: str
    first_line: Maybe[int] = None


class ImportResource(Model):
    """What became of the rows: each was imported, is a duplicate or is bad. A row's `line` is its number in the file.

    `problems`: the first rows that were not imported; `reasons` counts all of them. `stopped`: why the import ended
    before the file did.
    """

    import_id: str
    rows: int
    imported: int
    duplicates_in_file: int
    duplicates_in_campaign: int
    bad: int
    problems: list[RowProblem]
    reasons: dict[str, int]
    stopped: Maybe[str] = None

    @classmethod
    def of(cls, report: ImportReport) -> Self:
        """As the API shows it."""
        problems = [RowProblem(line=row.line, reason=row.reason, first_line=row.first_line) for row in report.problems]
        figures = {name: getattr(report, name) for name in cls.model_fields if name not in ("problems", "reasons")}
        return cls(**figures, problems=problems, reasons=dict(report.reasons))


class ImportData(Model):
    """`data` of an import."""

    report: ImportResource

    @classmethod
    def of(cls, report: ImportReport) -> Success[Self]:
        """The whole answer."""
        return Success(data=cls(report=ImportResource.of(report)))


@router.post(
    "/{campaign_id}/contacts/import", responses=fails_with(400, 401, 403, 404, 409, 413), openapi_extra=FORM_BODY
)
async def import_contacts(
    campaign_id: str, request: Request, caller: Writer, services: Provided, now: Now
) -> Success[ImportData]:
    """Add the contacts of a file: CSV, XLSX or JSON, 64 megabytes unless the installation says otherwise.

    Contacts whose number the campaign has already stay as they are, so an import may be repeated. A campaign that has
    begun takes only those with every variable that its agent uses.
    """
    await services.campaign_imports.open(caller, campaign_id)  # before anything is read
    async with uploaded(request) as it:
        report = await services.campaign_imports.import_(caller, campaign_id, it.file, it.kind, it.wanted, now)
    return ImportData.of(report)


@router.post("/{campaign_id}/contacts", responses=fails_with(400, 401, 403, 404, 409))
async def add_contacts(
    campaign_id: str, body: AddContacts, caller: Writer, services: Provided, now: Now
) -> Success[ImportData]:
    """Add contacts from a list, by the rules of a file's. A contact's `line` is its place in the list, from 1."""
    file = io.BytesIO(json.dumps(body.contacts).encode())
    report = await services.campaign_imports.import_(caller, campaign_id, file, "json", body.wanted(), now)
    return ImportData.of(report)


@router.get("/{campaign_id}/contacts", responses=fails_with(400, 401, 403, 404))
async def list_contacts(
    campaign_id: str,
    caller: Reader,
    services: Provided,
    page: PageNumber = 1,
    limit: PageLimit = 20,
    state: ContactState | None = None,
) -> Success[ContactsData]:
    """A campaign's contacts, as they were imported."""
    campaign = await services.campaigns.get(caller, campaign_id)
    found = await services.contacts.page(caller, campaign.id, state=state, page=page, limit=limit)
    contacts = [ContactResource.of(contact) for contact in found.items]
    return Success(data=ContactsData(contacts=contacts, pagination=Pagination.of(found)))


@router.get("/{campaign_id}/contacts/{contact_id}", responses=fails_with(401, 403, 404))
async def get_contact(campaign_id: str, contact_id: str, caller: Reader, services: Provided) -> Success[ContactData]:
    """One of a campaign's contacts, with every attempt to reach them."""
    campaign = await services.campaigns.get(caller, campaign_id)
    contact = await services.contacts.get(caller, campaign.id, contact_id)
    return Success(data=ContactData(contact=ContactResource.of(contact)))


@router.delete("/{campaign_id}/contacts/{contact_id}", responses=fails_with(401, 403, 404, 409))
async def withdraw_contact(
    campaign_id: str, contact_id: str, caller: Writer, services: Provided, now: Now
) -> Success[ContactData]:
    """Have somebody who waits not called, or not again. The contact stays, done, with `final` "withdrawn"."""
    campaign = await services.campaigns.get(caller, campaign_id)
    contact = await services.contacts.withdraw(caller, campaign.id, contact_id, now)
    return Success(data=ContactData(contact=ContactResource.of(contact)))
