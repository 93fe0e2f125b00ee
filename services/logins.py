"""Logins: each is a session with tokens that belong together, from the password to the logout or the first replay."""

import asyncio
import logging
from datetime import datetime, timedelta

from models.document import Id
from models.errors import Unauthenticated
from models.session import Session
from models.settings import Settings
from models.user import User
from services.sessions import Claims, Mint, Tokens, Worth, worth
from stores.repositories import Repositories

log = logging.getLogger(__name__)


class Logins:
    """A session that has ended, and one whose user is gone or disabled, lets nobody in."""

    def __init__(self, settings: Settings, repositories: Repositories) -> None:
        self._mint = Mint(settings)
        # What the present refresh token is exchanged for in its last moment outlives it by this.
        self._longest = timedelta(seconds=max(settings.refresh_token_s, settings.access_token_s))
        self._users = repositories.users
        self._sessions = repositories.sessions

    async def begin(self, user: User, now: datetime) -> Tokens:
        """The first tokens of a new session; raises Unauthenticated when the user's password is another by now."""
        await self._sessions.forget(user.organization_id, user.id, now - self._longest)
        session = await self._sessions.insert(self._mint.session(user, now))
        # A change of password ends the sessions there are, and would miss one that the old password is about to begin.
        present = await self._users.by_id(user.id)
        if present is None or present.password_hash != user.password_hash:
            await self.end(user.organization_id, session.id, now)
            raise Unauthenticated("Invalid credentials")
        return self._mint.first(session, now)

    async def refresh(self, token: str, now: datetime) -> Tokens:
        """A new access token, and the refresh token's successor; raises Unauthenticated.

        A refresh token whose successor has been used is a replay, and ends the session.
        """
        claims = self._mint.read(token, "refresh", now)
        session, _ = await self._behind(claims)
        if worth(claims, session) is Worth.NEXT:
            session = await self._succeed(claims, session, now)
        if worth(claims, session) is Worth.PRESENT:
            return self._mint.renewed(session, now)
        await self._sessions.revoke(session.organization_id, session.id, now)
        log.warning("a refresh token was replayed", extra={"session_id": session.id, "user_id": session.user_id})
        raise Unauthenticated("Invalid token")

    async def opened(self, token: str, now: datetime) -> tuple[Session, User]:
        """The session of an access token, and whose it is; raises Unauthenticated."""
        return await self._behind(self._mint.read(token, "access", now))

    async def end(self, organization_id: Id, session_id: Id, now: datetime) -> None:
        """No token of this session is worth anything from now on."""
        await self._sessions.revoke(organization_id, session_id, now)

    async def end_all(self, organization_id: Id, user_id: Id, now: datetime, *, but: Id | None = None) -> None:
        """The same for all of a user's sessions, except one."""
        await self._sessions.revoke_all(organization_id, user_id, now, but=but)

    async def _behind(self, claims: Claims) -> tuple[Session, User]:
        session, user = await asyncio.gather(
            self._sessions.find(claims.organization_id, claims.session_id), self._users.by_id(claims.user_id)
        )
        if session is None or session.revoked_at is not None or user is None or not user.is_active:
            raise Unauthenticated("Invalid token")
        return session, user

    async def _succeed(self, claims: Claims, session: Session, now: datetime) -> Session:
        """The session after this token has tried to take its parent's place: another one may have been quicker."""
        succeeded = await self._sessions.succeed(
            session.organization_id,
            session.id,
            generation=claims.generation,
            token_id=claims.token_id,
            expires_at=claims.expires_at,
            now=now,
        )
        return succeeded or (await self._behind(claims))[0]
