"""Access and refresh tokens, and what a refresh token is worth to its login's session. Pure; time is an argument.

JWT, HS256, under a key derived from the product's secret. Both kinds name the session; a refresh token also says which
generation it is. Each refresh hands out a token of the next one, which takes its parent's place when it is used.
"""

import enum
import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import jwt

from models.document import Id, new_id
from models.errors import Unauthenticated
from models.session import Session
from models.settings import Settings
from models.user import User

Kind = Literal["access", "refresh"]

CLAIMS = ("sub", "org", "sid", "gen", "jti", "kind", "exp")


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a login and a refresh hand out."""

    access: str
    refresh: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token of ours says."""

    user_id: Id
    organization_id: Id
    session_id: Id
    generation: int
    token_id: str
    expires_at: datetime


class Worth(enum.Enum):
    """What a refresh token is to a session that has not ended."""

    PRESENT = "present"
    NEXT = "next"
    """Handed out for the present one, and about to take its place."""
    REPLAYED = "replayed"
    """Its place is taken: somebody else has a copy of it, or of what it was replaced by."""


def worth(token: Claims, session: Session) -> Worth:
    """What to make of a refresh token; the present one may be used again and again."""
    if token.generation == session.generation and token.token_id == session.token_id:
        return Worth.PRESENT
    return Worth.NEXT if token.generation == session.generation + 1 else Worth.REPLAYED


class Mint:
    """Makes and reads tokens."""

    def __init__(self, settings: Settings) -> None:
        # Derived, so that a JWT and an address token never share a key, and long enough whatever the secret is.
        self._key = hashlib.sha256(b"jwt:" + settings.secret_key.get_secret_value().encode()).digest()
        self._lifetimes: dict[Kind, timedelta] = {
            "access": timedelta(seconds=settings.access_token_s),
            "refresh": timedelta(seconds=settings.refresh_token_s),
        }

    def session(self, user: User, now: datetime) -> Session:
        """A session to be, for somebody who has just proved who they are."""
        return Session(
            id=new_id(),
            created_at=now,
            updated_at=now,
            created_by=user.id,
            organization_id=user.organization_id,
            user_id=user.id,
            token_id=_token_id(),
            expires_at=now + self._lifetimes["refresh"],
        )

    def first(self, session: Session, now: datetime) -> Tokens:
        """What a login hands out."""
        return self._pair(session, session.generation, session.token_id, now)

    def renewed(self, session: Session, now: datetime) -> Tokens:
        """What a refresh hands out: the refresh token is of the next generation, with a lifetime of its own."""
        return self._pair(session, session.generation + 1, _token_id(), now)

    def read(self, token: str, kind: Kind, now: datetime) -> Claims:
        """What the token says; raises Unauthenticated when it is not ours, expired, or of the other kind."""
        try:
            # The library would compare with its own clock; expiry is checked against `now` below.
            claims = jwt.decode(
                token,
                self._key,
                algorithms=["HS256"],
                options={"require": list(CLAIMS), "verify_exp": False, "verify_iat": False},
            )
            found = _claims(claims)
        except (jwt.InvalidTokenError, ValueError, TypeError) as error:
            raise Unauthenticated("Invalid token") from error
        if claims["kind"] != kind:
            raise Unauthenticated("Invalid token")
        if now >= found.expires_at:
            raise Unauthenticated("Token expired")
        return found

    def _pair(self, session: Session, generation: int, token_id: str, now: datetime) -> Tokens:
        return Tokens(
            access=self._issue(session, "access", generation, _token_id(), now),
            refresh=self._issue(session, "refresh", generation, token_id, now),
        )

    def _issue(self, session: Session, kind: Kind, generation: int, token_id: str, now: datetime) -> str:
        claims = {
            "sub": session.user_id,
            "org": session.organization_id,
            "sid": session.id,
            "gen": generation,
            "jti": token_id,
            "kind": kind,
            "iat": now,
            "exp": now + self._lifetimes[kind],
        }
        return jwt.encode(claims, self._key, algorithm="HS256")


def _claims(claims: dict[str, Any]) -> Claims:
    return Claims(
        user_id=Id(claims["sub"]),
        organization_id=Id(claims["org"]),
        session_id=Id(claims["sid"]),
        generation=int(claims["gen"]),
        token_id=claims["jti"],
        expires_at=datetime.fromtimestamp(float(claims["exp"]), UTC),
    )


def _token_id() -> str:
    return secrets.token_urlsafe(9)
