"""Rate limits at the edge: which requests are counted for whom, and the headers that say so.

    signup, login, refresh          by address      `by_address`, on the router of /auth
    whatever asks who is asking     by user or key  `by_user`, called by `authentication.authenticated`
    POST /calls/outbound            by user as well
    webhooks, pages, recordings     never

A request that is refused before its endpoint is known, or whose JSON cannot be read, counts for nobody.
"""

from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.errors import RateLimited
from serve_app.client_address import client_ip, network_of
from services.container import Services
from services.principal import Principal
from services.rate_limits import Verdict

BY_ADDRESS = frozenset({"/auth/signup", "/auth/login", "/auth/refresh"})
OUTBOUND_CALL = "/calls/outbound"
NOTED = "callboard.rate_limit"
"""The key in a request's scope under which its headers wait for the answer."""


async def by_address(request: Request) -> None:
    """A dependency: counts the routes in `BY_ADDRESS`. Raises RateLimited, and Unavailable when nobody can count."""
    if _route(request) in BY_ADDRESS:
        services: Services = request.app.state.services
        network = network_of(client_ip(request, services.settings.trusted_proxies))
        _apply(request.scope, await services.limits.by_address(network))


async def by_user(request: Request, services: Services, principal: Principal) -> None:
    """Count a request whose sender is known; raises RateLimited."""
    is_outbound_call = _route(request) == OUTBOUND_CALL
    _apply(request.scope, await services.limits.by_user(principal, is_outbound_call=is_outbound_call))


class RateLimitHeaders:
    """Middleware that adds a counted request's headers to its answer, whatever the answer is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        noted: dict[str, str] = {}
        scope[NOTED] = noted

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(noted)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _route(request: Request) -> str:
    return getattr(request.scope.get("route"), "path", "")


def _apply(scope: MutableMapping[str, Any], verdict: Verdict | None) -> None:
    if verdict is None:
        return
    reset = int(datetime.now(UTC).timestamp()) + verdict.reset_s
    figures = {"Limit": verdict.limit, "Remaining": verdict.remaining, "Reset": reset}
    scope[NOTED].update({f"X-RateLimit-{name}": str(figure) for name, figure in figures.items()})
    if verdict.is_refused:
        raise RateLimited(verdict.reset_s)
