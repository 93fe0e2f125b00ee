"""Contacts of a campaign: imported from files, listed. That the campaign is the principal's, the caller has seen to."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

from models.contact import Contact, ContactState
from models.document import Id, new_id
from models.errors import Conflict, FieldError, Invalid, NotFound
from services.audit import AuditService
from services.contact_import.columns import Wanted
from services.contact_import.drafts import Batch, Draft, batches
from services.contact_import.limits import Kind
from services.principal import Principal
from stores.contacts import Contacts, Duplicate
from stores.repository import Page

PROBLEMS = 100
"""Rows that a report names; it counts all of them."""
IN_FILE = "The number is in the file before"
IN_CAMPAIGN = "The number is in the campaign already"


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that became no contact. `first_line`: where the file has the same number before."""

    line: int
    reason: str
    first_line: int | None = None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a file's rows: each was imported, is a duplicate or is bad.

    `problems`: the first rows that were not imported, by line; `reasons` counts all of them. `stopped`: why the file
    was not read to its end; what had been read is imported.
    """

    import_id: Id
    imported: int
    duplicates_in_file: int
    duplicates_in_campaign: int
    bad: int
    problems: Sequence[Problem]
    reasons: Mapping[str, int]
    stopped: str | None = None

    @property
    def rows(self) -> int:
        """How many rows were read."""
        return self.imported + self.duplicates_in_file + self.duplicates_in_campaign + self.bad


@dataclass(slots=True)
class _Tally:
    """A report in the making."""

    imported: int = 0
    bad: int = 0
    problems: list[Problem] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    stopped: str | None = None

    def add(self, batch: Batch, duplicates: Sequence[Duplicate]) -> None:
        self.imported += len(batch.drafts) - len(duplicates)
        self.bad += len(batch.bad)
        found = [Problem(row.line, row.reason) for row in batch.bad]
        found += [Problem(each.line, _reason(each), each.first_line) for each in duplicates]
        self.reasons.update(problem.reason for problem in found)
        self.problems += sorted(found, key=lambda problem: problem.line)[: PROBLEMS - len(self.problems)]
        self.stopped = batch.stopped.message if batch.stopped else None

    def report(self, import_id: Id) -> ImportReport:
        return ImportReport(
            import_id=import_id,
            imported=self.imported,
            duplicates_in_file=self.reasons[IN_FILE],
            duplicates_in_campaign=self.reasons[IN_CAMPAIGN],
            bad=self.bad,
            problems=tuple(self.problems),
            reasons={reason: count for reason, count in self.reasons.items() if count},
            stopped=self.stopped,
        )


class ContactService:
    """The rules around contacts."""

    def __init__(self, contacts: Contacts, audit: AuditService) -> None:
        self._contacts = contacts
        self._audit = audit

    async def import_(
        self, principal: Principal, campaign_id: Id, file: BinaryIO, kind: Kind, wanted: Wanted, now: datetime
    ) -> ImportReport:
        """Add a file's contacts to a campaign, due at once; those with a number it has already stay as they are.

        The file can be sought in, and is read while contacts are stored, a batch ahead; it is never held. An import
        that was cut off may be repeated: what it brought is a duplicate then. Raises Invalid, and imports nothing, for
        a file in which no row can be read.
        """
        template = Contact(
            **principal.signature(now), campaign_id=campaign_id, import_id=new_id(), number="", next_at=now
        )
        tally, reading = _Tally(), batches(file, kind, wanted)
        read = await asyncio.to_thread(_next, reading, template)
        _check_readable(read)
        while read is not None:
            batch, contacts = read
            read, duplicates = await asyncio.gather(
                asyncio.to_thread(_next, reading, template), self._contacts.insert_batch(contacts)
            )
            tally.add(batch, duplicates)
        report = tally.report(template.import_id or new_id())
        figures = {"imported": report.imported, "rows": report.rows, "importId": report.import_id}
        await self._audit.record(principal, "import-contacts", "campaign", campaign_id, now, **figures)
        return report

    async def page(
        self, principal: Principal, campaign_id: Id, *, state: ContactState | None, page: int, limit: int
    ) -> Page[Contact]:
        """A campaign's contacts in this state, or all, as they were imported."""
        return await self._contacts.listed(principal.organization_id, campaign_id, state, page=page, limit=limit)

    async def get(self, principal: Principal, campaign_id: Id, contact_id: str) -> Contact:
        """One of a campaign's contacts; raises NotFound."""
        contact = await self._contacts.get(principal.organization_id, contact_id)
        if contact.campaign_id != campaign_id:
            raise NotFound("Contact not found")
        return contact

    async def withdraw(self, principal: Principal, campaign_id: Id, contact_id: str, now: datetime) -> Contact:
        """Have somebody not called, or not again; the contact stays on record. Raises NotFound, and Conflict for one
        who is being called, or is done.
        """
        contact = await self.get(principal, campaign_id, contact_id)
        if not await self._contacts.withdraw(contact.id, now, principal.user_id):
            contact = await self.get(principal, campaign_id, contact_id)
            raise Conflict("The contact is done" if contact.state == "done" else "The contact is being called")
        await self._audit.record(principal, "withdraw-contact", "campaign", campaign_id, now, contactId=contact.id)
        return await self.get(principal, campaign_id, contact_id)


def _next(reading: Iterator[Batch], template: Contact) -> tuple[Batch, list[Contact]] | None:
    batch = next(reading, None)
    return None if batch is None else (batch, [_contact(draft, template) for draft in batch.drafts])


def _contact(draft: Draft, template: Contact) -> Contact:
    """The template with what the draft says; nothing is checked again."""
    fields = {
        "id": new_id(),
        "line": draft.line,
        "number": draft.number,
        "time_zone": draft.time_zone,
        "consent": draft.consent,
        "variables": draft.variables,
    }
    return template.model_copy(update=fields)


def _check_readable(read: tuple[Batch, list[Contact]] | None) -> None:
    if read is None:
        raise Invalid(fields=[FieldError("file", "There are no rows in the file")])
    if read[0].stopped and not read[0].rows:
        raise Invalid(fields=[FieldError("file", read[0].stopped.message)])


def _reason(duplicate: Duplicate) -> str:
    return IN_CAMPAIGN if duplicate.first_line is None else IN_FILE
