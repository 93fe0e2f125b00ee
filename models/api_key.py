"""An API key: a program's way in, on behalf of the user who made it."""

from typing import Literal

from models.document import Document, Id, Time

Scope = Literal["read", "write", "admin"]


class ApiKey(Document):
    """The key itself is not kept: `digest` finds it again, `prefix` (its first characters) shows people which it is."""

    organization_id: Id
    user_id: Id
    name: str
    scope: Scope
    prefix: str
    digest: str
    rate_limit: int | None = None
    """Requests per window; None: as many as a user has."""
    last_used_at: Time | None = None
