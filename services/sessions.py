"""Access and refresh tokens: JWT, HS256, under a key derived from the product's secret. Pure; time is an argument."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import jwt

from models.document import Id
from models.errors import Unauthenticated
from models.settings import Settings
from models.user import User
from services.principal import Principal

Kind = Literal["access", "refresh"]

CLAIMS = ("sub", "org", "role", "kind", "exp")


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a login hands out."""

    access: str
    refresh: str


class Sessions:
    """Issues and reads tokens."""

    def __init__(self, settings: Settings) -> None:
        # Derived, so that a JWT and an address token never share a key, and long enough whatever the secret is.
        self._key = hashlib.sha256(b"jwt:" + settings.secret_key.get_secret_value().encode()).digest()
        self._lifetime_s: dict[Kind, int] = {"access": settings.access_token_s, "refresh": settings.refresh_token_s}

    def both(self, user: User, now: datetime) -> Tokens:
        """A fresh pair."""
        return Tokens(access=self.issue(user, "access", now), refresh=self.issue(user, "refresh", now))

    def issue(self, user: User, kind: Kind, now: datetime) -> str:
        """A token of this kind for the user."""
        claims = {
            "sub": user.id,
            "org": user.organization_id,
            "role": user.organization_role,
            "kind": kind,
            "iat": now,
            "exp": now + timedelta(seconds=self._lifetime_s[kind]),
            "jti": secrets.token_urlsafe(9),
        }
        return jwt.encode(claims, self._key, algorithm="HS256")

    def read(self, token: str, kind: Kind, now: datetime) -> Principal:
        """Whose token it is; raises Unauthenticated when it is not ours, expired, or of the other kind."""
        try:
            # The library would compare with its own clock; expiry is checked against `now` below.
            claims = jwt.decode(
                token,
                self._key,
                algorithms=["HS256"],
                options={"require": list(CLAIMS), "verify_exp": False, "verify_iat": False},
            )
            expires = float(claims["exp"])
        except (jwt.InvalidTokenError, ValueError, TypeError) as error:
            raise Unauthenticated("Invalid token") from error
        if claims["kind"] != kind:
            raise Unauthenticated("Invalid token")
        if now.timestamp() >= expires:
            raise Unauthenticated("Token expired")
        return Principal(user_id=Id(claims["sub"]), organization_id=Id(claims["org"]), role=claims["role"])
