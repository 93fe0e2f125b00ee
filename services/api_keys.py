"""API keys: `cb_` and 256 random bits, shown once. A key acts as its creator, as far as its scope goes."""

import hashlib
import secrets
from datetime import datetime

from models.api_key import ApiKey, Scope
from models.document import new_id
from models.errors import FieldError, Forbidden, Invalid, Unauthenticated
from models.user import User
from services.audit import AuditService
from services.permissions import permissions_of
from services.principal import Principal
from stores.repositories import Repositories
from stores.repository import Page

MARK = "cb_"
"""What every key begins with; no access token does."""
SECRET_BYTES = 32
SHOWN = 10
"""Characters of a key that lists show: 42 of its 256 bits."""


def digest(key: str) -> str:
    """What is stored of a key.

    One round of SHA-256: slow hashes protect what people can remember, and nobody guesses 256 random bits. A fast one
    can be looked up by an index and costs a request nothing.
    """
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


class ApiKeyService:
    """The rules around keys."""

    def __init__(self, repositories: Repositories, audit: AuditService, *, highest_limit: int) -> None:
        self._highest_limit = highest_limit
        self._keys = repositories.api_keys
        self._users = repositories.users
        self._audit = audit

    async def create(
        self, principal: Principal, *, name: str, scope: Scope, rate_limit: int | None, now: datetime
    ) -> tuple[ApiKey, str]:
        """A new key of the user's, and the key itself.

        Raises Forbidden when it could do more than who makes it, and Invalid when it could do it too often.
        """
        if not permissions_of(principal.role, scope=scope) <= principal.permissions:
            raise Forbidden("A key cannot make a key that may do more than itself")
        if rate_limit is not None and rate_limit > self._highest_limit:
            raise Invalid(fields=[FieldError("rateLimit", f"RateLimit must be at most {self._highest_limit}")])
        secret = MARK + secrets.token_urlsafe(SECRET_BYTES)
        key = ApiKey(
            id=new_id(),
            **principal.signature(now),
            user_id=principal.user_id,
            name=name,
            scope=scope,
            prefix=secret[:SHOWN],
            digest=digest(secret),
            rate_limit=rate_limit,
        )
        await self._keys.insert(key)
        await self._audit.record(principal, "create", "api-key", key.id, now, scope=scope, prefix=key.prefix)
        return key, secret

    async def page(self, principal: Principal, *, page: int, limit: int) -> Page[ApiKey]:
        """The organization's keys, newest first."""
        return await self._keys.listed(principal.organization_id, page=page, limit=limit)

    async def revoke(self, principal: Principal, key_id: str, now: datetime) -> None:
        """From now on the key opens nothing; raises NotFound."""
        key = await self._keys.get(principal.organization_id, key_id)
        await self._keys.delete(principal.organization_id, key.id, now, principal.user_id)
        await self._audit.record(principal, "revoke", "api-key", key.id, now, prefix=key.prefix)

    async def opened(self, secret: str, now: datetime) -> tuple[ApiKey, User]:
        """The key, and the user it acts as; raises Unauthenticated when either is gone or the user is disabled."""
        key = await self._keys.by_digest(digest(secret))
        user = None if key is None else await self._users.by_id(key.user_id)
        if key is None or user is None or not user.is_active:
            raise Unauthenticated("Invalid API key")
        await self._keys.note_use(key, now)
        return key, user
