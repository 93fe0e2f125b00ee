"""Prompts, voice-session settings and templates of text messages: one set of rules for all that has versions.

Every update is a new version, active at once unless it is not to be. An id is a thing's, which stays the same through
all versions and means the active one, or a version's, which always means this one.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Generic

from pydantic import ValidationError

from models.document import Id, new_id
from models.errors import Conflict, FieldError, Invalid
from models.versioned import B, Head, Version
from services.agent_merge import overlay
from services.audit import AuditService
from services.principal import Principal
from services.versioned_kinds import Kind
from stores.agents import Agents
from stores.repository import Page
from stores.versioned import Entry, VersionedStore


class VersionedService(Generic[B]):
    """The rules around one kind. Every method raises NotFound for what is another organization's, or deleted."""

    def __init__(self, kind: Kind[B], store: VersionedStore[B], agents: Agents, audit: AuditService) -> None:
        self._kind = kind
        self._store = store
        self._agents = agents
        self._audit = audit

    # --- reading --------------------------------------------------------------------------------------
    async def page(
        self, principal: Principal, *, search: str | None, page: int, limit: int, now: datetime
    ) -> Page[Entry[B]]:
        """The organization's things in their active versions, newest first; the defaults are among them."""
        await self._make_defaults(principal.organization_id, now)
        return await self._store.search(principal.organization_id, search, page=page, limit=limit)

    async def get(self, principal: Principal, any_id: str) -> Entry[B]:
        """The active version of a thing, or the version of this id."""
        return await self._store.find(principal.organization_id, any_id)

    async def history(self, principal: Principal, any_id: str, *, page: int, limit: int) -> Page[Entry[B]]:
        """All versions of a thing, newest first."""
        return await self._store.history(principal.organization_id, any_id, page=page, limit=limit)

    # --- changing -------------------------------------------------------------------------------------
    async def create(self, principal: Principal, *, name: str, body: B, now: datetime) -> Entry[B]:
        """A new thing, in its first version; raises Invalid."""
        self._kind.check(body)
        by = principal.signature(now)
        entry = _first(self._store.document(**by, root_id=new_id(), version=1, name=name, body=body))
        await self._store.insert(entry)
        await self._note(principal, "create", entry, now)
        return entry

    async def update(
        self,
        principal: Principal,
        any_id: str,
        *,
        name: str | None,
        patch: Mapping[str, Any],
        activate: bool,
        now: datetime,
    ) -> Entry[B]:
        """A new version, made from the one that was asked for by replacing what is given; raises Invalid.

        Calls under way keep the version they were made with.
        """
        before = await self._store.find(principal.organization_id, any_id)
        wanted = self._store.document(
            **principal.signature(now),
            root_id=before.head.id,
            version=0,  # the store numbers it
            previous_id=before.version.id,
            name=name or before.version.name,
            body=self._merged(before.version.body, patch),
        )
        entry = await self._store.add(before.head, wanted, activate=activate)
        await self._note(principal, "update", entry, now)
        return entry

    async def activate(self, principal: Principal, any_id: str, now: datetime) -> Entry[B]:
        """Have a thing be what it is in this version; by the thing's own id: in the newest."""
        entry = await self._store.find(principal.organization_id, any_id)
        if any_id == entry.head.id:
            entry = await self._store.newest(principal.organization_id, any_id)
        activated = await self._store.activate(entry, now, principal.user_id)
        await self._note(principal, "activate", activated, now)
        return activated

    async def delete(self, principal: Principal, any_id: str, now: datetime) -> None:
        """Remove a thing with all its versions; raises Conflict while an agent uses it, and for a default."""
        entry = await self._store.find(principal.organization_id, any_id)
        if entry.head.is_default:
            raise Conflict(f"Default {self._kind.noun.lower()} cannot be deleted")
        ids = await self._store.ids(entry.head)
        if await self._agents.points_at(principal.organization_id, self._kind.reference, ids):
            raise Conflict(f"{self._kind.noun} cannot be deleted while an agent uses it")
        await self._store.delete(entry.head, now, principal.user_id)
        await self._note(principal, "delete", entry, now)

    # --- inside -----------------------------------------------------------------------------------------
    def _merged(self, current: B, patch: Mapping[str, Any]) -> B:
        inside = (self._kind.inside,) if self._kind.inside else ()
        try:
            body = self._kind.body.model_validate(overlay(current.model_dump(by_alias=True), patch))
        except ValidationError as error:
            fields = [FieldError(".".join((*inside, *map(str, each["loc"]))), each["msg"]) for each in error.errors()]
            raise Invalid(fields=fields) from error
        self._kind.check(body)
        return body

    async def _make_defaults(self, organization_id: Id, now: datetime) -> None:
        """Their ids follow from the organization's, so that however many make them at once make the same ones."""
        ids = {name: _default_id(organization_id, self._kind.subject, name) for name in self._kind.defaults}
        missing = await self._store.missing(organization_id, ids.values()) if ids else set()
        for name, root_id in ids.items():
            if root_id in missing:
                version = self._store.document(
                    id=_default_id(root_id, "version", "1"),
                    created_at=now,
                    updated_at=now,
                    organization_id=organization_id,
                    root_id=root_id,
                    version=1,
                    name=name,
                    body=self._kind.defaults[name],
                )
                await self._store.insert(_first(version, is_default=True))

    async def _note(self, principal: Principal, action: str, entry: Entry[B], now: datetime) -> None:
        details = {"versionId": entry.version.id, "version": entry.version.version, "isActive": entry.is_active}
        await self._audit.record(principal, action, self._kind.subject, entry.head.id, now, **details)


def _first(version: Version[B], *, is_default: bool = False) -> Entry[B]:
    """A thing that begins with this version."""
    head = Head(
        id=version.root_id,
        created_at=version.created_at,
        updated_at=version.updated_at,
        created_by=version.created_by,
        modified_by=version.modified_by,
        organization_id=version.organization_id,
        name=version.name,
        active_id=version.id,
        latest=version.version,
        is_default=is_default,
    )
    return Entry(head, version)


def _default_id(*parts: str) -> Id:
    return Id(hashlib.sha256("/".join(parts).encode()).hexdigest()[:24])
