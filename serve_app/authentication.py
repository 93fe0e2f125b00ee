"""What endpoints ask for: the services, the time, and who is asking."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from models.errors import Unauthenticated
from services.container import Services
from services.permissions import Permission
from services.principal import Principal

_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", description="The access token of signup or login")


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _now() -> datetime:
    return datetime.now(UTC)


Provided = Annotated[Services, Depends(_services)]
Now = Annotated[datetime, Depends(_now)]


async def authenticated(
    services: Provided, now: Now, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    """Raises Unauthenticated without a valid access token."""
    if credentials is None:
        raise Unauthenticated("Missing access token")
    return await services.auth.authenticate(credentials.credentials, now)


Caller = Annotated[Principal, Depends(authenticated)]
"""The endpoint's argument that makes it require `Authorization: Bearer <access token>`."""


def allowed(permission: Permission) -> Callable[[Principal], Awaitable[Principal]]:
    """A dependency like `authenticated` that raises Forbidden without this permission."""

    async def check(principal: Caller) -> Principal:
        principal.require(permission)
        return principal

    return check
