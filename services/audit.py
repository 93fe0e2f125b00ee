"""Who changed what: services write a record after each change, administrators read them."""

from datetime import datetime
from typing import Any

from models.audit import AuditRecord, Subject
from models.document import Id, new_id
from services.principal import Principal
from stores.audit import Audit
from stores.repository import Page


class AuditService:
    """The change is stored first and recorded second: the log never tells of what did not happen."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    async def record(
        self, principal: Principal, action: str, subject: Subject, subject_id: Id, now: datetime, **details: Any
    ) -> None:
        """Note that `principal` did `action` (`update`) to a subject (`agent`)."""
        await self._audit.insert(
            AuditRecord(
                id=new_id(),
                **principal.signature(now),
                user_id=principal.user_id,
                key_id=principal.key_id,
                action=f"{subject}.{action}",
                subject=subject,
                subject_id=subject_id,
                details=details,
                ip=principal.source.ip,
                user_agent=principal.source.user_agent,
            )
        )

    async def page(
        self,
        principal: Principal,
        *,
        subject: Subject | None,
        subject_id: str | None,
        user_id: str | None,
        since: datetime | None,
        before: datetime | None,
        page: int,
        limit: int,
    ) -> Page[AuditRecord]:
        """The organization's records that match, newest first."""
        return await self._audit.search(
            principal.organization_id,
            subject=subject,
            subject_id=subject_id,
            user_id=user_id,
            since=since,
            before=before,
            page=page,
            limit=limit,
        )
