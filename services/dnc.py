"""Numbers that are not to be called: an organization's list, and the installation's, which holds for everybody."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from models.contact import DncEntry
from models.document import Id
from models.errors import FieldError
from services.audit import AuditService
from services.contact_import.numbers import dialable, e164_of
from services.numbers import e164
from services.principal import Principal
from stores.dnc import Dnc
from stores.repository import Page

DncScope = Literal["organization", "global"]
NO_NUMBER = "Must be a phone number"


@dataclass(frozen=True, slots=True)
class Added:
    """What became of many numbers; `problems` are named by their place, `numbers.3`."""

    added: int
    already_listed: int
    problems: Sequence[FieldError]


class DncService:
    """The rules around the lists. Every method raises Forbidden when the scope is "global" and the caller does not run
    the installation."""

    def __init__(self, entries: Dnc, audit: AuditService) -> None:
        self._entries = entries
        self._audit = audit

    async def page(
        self, principal: Principal, *, scope: DncScope, number: str | None, page: int, limit: int
    ) -> Page[DncEntry]:
        """A list, newest first, or one number's entry; raises Invalid for what is no number."""
        wanted = None if number is None else e164(number, "number")
        return await self._entries.listed(_owner(principal, scope), wanted, page=page, limit=limit)

    async def add(self, principal: Principal, *, number: str, reason: str, scope: DncScope, now: datetime) -> DncEntry:
        """Put a number on a list; raises Invalid for what is none, and Conflict when it is on it already."""
        owner = _owner(principal, scope)
        entry = _entry(principal, owner, e164(number, "number"), reason, now)
        await self._entries.insert(entry)
        await self._audit.record(principal, "add", "do-not-call", entry.id, now, scope=scope)
        return entry

    async def add_many(
        self,
        principal: Principal,
        *,
        numbers: Sequence[str],
        region: str | None,
        reason: str,
        scope: DncScope,
        now: datetime,
    ) -> Added:
        """Put all that are numbers on a list. Those without their country are of `region`."""
        owner = _owner(principal, scope)
        found = [dialable(number, region) for number in numbers]
        problems = [FieldError(f"numbers.{at}", NO_NUMBER) for at, number in enumerate(found) if number is None]
        wanted = [e164_of(number) for number in found if number is not None]
        entries = [_entry(principal, owner, number, reason, now) for number in dict.fromkeys(wanted)]
        added = await self._entries.add_many(entries)
        if added:
            of_list = principal.organization_id
            await self._audit.record(principal, "add-many", "do-not-call", of_list, now, scope=scope, added=added)
        return Added(added, len(wanted) - added, problems)

    async def remove(self, principal: Principal, entry_id: str, *, scope: DncScope, now: datetime) -> None:
        """Take an entry off a list; it stays on record. Raises NotFound."""
        owner = _owner(principal, scope)
        await self._entries.remove(owner, entry_id, now, principal.user_id)
        await self._audit.record(principal, "remove", "do-not-call", Id(entry_id), now, scope=scope)

    async def blocked(self, organization_id: Id, numbers: Iterable[str]) -> set[str]:
        """Those of the numbers (E.164) that the organization must not call."""
        return await self._entries.blocked(organization_id, numbers)


def _owner(principal: Principal, scope: DncScope) -> Id | None:
    """Whose list it is."""
    if scope == "organization":
        return principal.organization_id
    principal.require("dnc:everywhere")
    return None


def _entry(principal: Principal, owner: Id | None, number: str, reason: str, now: datetime) -> DncEntry:
    signed = principal.signature(now) | {"organization_id": owner}
    return DncEntry(**signed, number=number, reason=reason, added_by=principal.user_id)
