"""Who asks: what authentication makes of a request, and all that services know of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.document import Id
from models.errors import Forbidden
from models.user import OrganizationRole
from services.permissions import ROLES, Permission


@dataclass(frozen=True, slots=True)
class Source:
    """Where a request came from, for the audit log."""

    ip: str = ""
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class Principal:
    """A user acting for the organization that owns whatever is touched.

    `permissions`: what role and, through an API key, its scope allow. `key_id` is that key's; `session_id` is that of
    the login (its family of refresh tokens). `limit`: requests per window, where a key has its own.
    """

    user_id: Id
    organization_id: Id
    role: OrganizationRole = "owner"
    permissions: frozenset[Permission] = ROLES["owner"]
    key_id: Id | None = None
    session_id: Id | None = None
    limit: int | None = None
    source: Source = Source()

    def signature(self, now: datetime) -> dict[str, Any]:
        """The fields that every document this principal makes has in common."""
        return {
            "created_at": now,
            "updated_at": now,
            "created_by": self.user_id,
            "modified_by": self.user_id,
            "organization_id": self.organization_id,
        }

    def require(self, permission: Permission) -> None:
        """Raises Forbidden without this permission."""
        if permission not in self.permissions:
            raise Forbidden("You do not have permission to do this")
