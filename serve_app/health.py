"""`/health`: that this replica answers. `/ready`: that what it stands on does too.

Both are cheap, because balancers ask often. `/health` touches nothing; whoever restarts what is not alive asks it, so
that a database which is away does not have every replica restarted. `/ready` is for those who send work here.
"""

from collections.abc import Awaitable, Callable
from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import JSONResponse

from serve_app.errors import RETRY_S
from services.readiness import Readiness

VERSION = version("callboard")
FRESH = {"Cache-Control": "no-store"}


async def health(request: Request) -> JSONResponse:
    """Status and version."""
    return JSONResponse({"status": "ok", "version": VERSION}, headers=FRESH)


def ready(readiness: Readiness) -> Callable[[Request], Awaitable[JSONResponse]]:
    """The endpoint that says what answers, and 503 when something does not."""

    async def endpoint(request: Request) -> JSONResponse:
        report = await readiness.report()
        body = {"status": "ready" if report.is_ready else "not ready", "checks": dict(report.checks)}
        if report.is_ready:
            return JSONResponse(body, headers=FRESH)
        return JSONResponse(body, status_code=503, headers=FRESH | {"Retry-After": str(RETRY_S)})

    return endpoint
