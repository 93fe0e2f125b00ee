"""/audit-log: who changed what, when, from where."""

from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from models.audit import AuditRecord, Subject
from models.document import Model, Time
from serve_app.authentication import Provided, allowed
from serve_app.envelope import Maybe, Pagination, Success
from serve_app.resources.lists import FromDate, PageLimit, PageNumber, ToDate, before, fails_with, since
from services.principal import Principal

router = APIRouter(prefix="/audit-log", tags=["audit"])

Reader = Annotated[Principal, Depends(allowed("audit:read"))]


class AuditResource(Model):
    """One change. `action` is `<subject>.<verb>`; `key_id` is there when an API key made it."""

    id: Annotated[str, Field(alias="_id")]
    user_id: str
    key_id: Maybe[str] = None
    action: str
    subject: Subject
    subject_id: str
    details: dict[str, Any]
    ip: str
    user_agent: str
    created_at: Time

    @classmethod
    def of(cls, record: AuditRecord) -> Self:
        """As the API shows it."""
        return cls(
            id=record.id,
            user_id=record.user_id,
            key_id=record.key_id,
            action=record.action,
            subject=record.subject,
            subject_id=record.subject_id,
            details=record.details,
            ip=record.ip,
            user_agent=record.user_agent,
            created_at=record.created_at,
        )


class AuditData(Model):
    """`data` with a page of the log."""

    records: list[AuditResource]
    pagination: Pagination


@router.get("", responses=fails_with(400, 401, 403))
async def list_records(
    caller: Reader,
    services: Provided,
    page: PageNumber = 1,
    limit: PageLimit = 20,
    subject: Subject | None = None,
    subject_id: Annotated[str | None, Query(alias="subjectId", max_length=100)] = None,
    user_id: Annotated[str | None, Query(alias="userId", max_length=100)] = None,
    from_date: FromDate = None,
    to_date: ToDate = None,
) -> Success[AuditData]:
    """The organization's audit log, newest first."""
    found = await services.audit.page(
        caller,
        subject=subject,
        subject_id=subject_id,
        user_id=user_id,
        since=since(from_date),
        before=before(to_date),
        page=page,
        limit=limit,
    )
    records = [AuditResource.of(record) for record in found.items]
    return Success(data=AuditData(records=records, pagination=Pagination.of(found)))
