"""The audit log: written once, read by tenants' administrators."""

from datetime import datetime

from pymongo import ASCENDING, DESCENDING, IndexModel

from models.audit import AuditRecord, Subject
from models.document import Id
from stores.mongo import Database
from stores.repository import Page, Repository, Shape, given, made

SHAPE = Shape(
    collection="audit",
    document=AuditRecord,
    noun="Audit record",
    taken="Audit record already exists",
    indexes=(
        IndexModel([("organizationId", ASCENDING), ("createdAt", DESCENDING), ("_id", DESCENDING)]),
        IndexModel([("organizationId", ASCENDING), ("subjectId", ASCENDING), ("createdAt", DESCENDING)]),
    ),
)


class Audit(Repository[AuditRecord]):
    """Every query is a tenant's."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, SHAPE)

    async def search(
        self,
        organization_id: Id,
        *,
        subject: Subject | None = None,
        subject_id: str | None = None,
        user_id: str | None = None,
        since: datetime | None = None,
        before: datetime | None = None,
        page: int,
        limit: int,
    ) -> Page[AuditRecord]:
        """Records made in [since, before) that match, newest first."""
        where = given(subject=subject, subjectId=subject_id, userId=user_id, createdAt=made(since, before))
        return await self.page(organization_id, where, page=page, limit=limit)
