"""What endpoints ask for: the services, the time, and who is asking."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from models.errors import Unauthenticated
from serve_app import rate_limits
from serve_app.client_address import client_ip
from services.container import Services
from services.permissions import Permission
from services.principal import Principal, Source

_bearer = HTTPBearer(
    auto_error=False, bearerFormat="JWT", description="The access token of signup or login, or an API key (`cb_...`)"
)

USER_AGENT = 200
"""Characters of the User-Agent header that the audit log keeps."""


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _now() -> datetime:
    return datetime.now(UTC)


Provided = Annotated[Services, Depends(_services)]
Now = Annotated[datetime, Depends(_now)]


async def authenticated(
    request: Request,
    services: Provided,
    now: Now,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Principal:
    """Raises Unauthenticated without a valid access token or API key, and RateLimited when its user asks too often."""
    if credentials is None:
        raise Unauthenticated("Missing access token")
    principal = await services.auth.authenticate(credentials.credentials, now, _source(request, services))
    await rate_limits.by_user(request, services, principal)
    return principal


Caller = Annotated[Principal, Depends(authenticated)]
"""The endpoint's argument that makes it require `Authorization: Bearer <access token>`."""


def allowed(permission: Permission) -> Callable[[Principal], Awaitable[Principal]]:
    """A dependency like `authenticated` that raises Forbidden without this permission."""

    async def check(principal: Caller) -> Principal:
        principal.require(permission)
        return principal

    return check


def _source(request: Request, services: Services) -> Source:
    ip = client_ip(request, services.settings.trusted_proxies)
    return Source(ip=ip, user_agent=request.headers.get("user-agent", "")[:USER_AGENT])
