"""The canonical REST API, `/api/v1`: a FastAPI application of its own, mounted by `app`."""

from fastapi import FastAPI
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from serve_app.errors import add_error_handlers
from serve_app.resources import agents, auth, calls, phones, webhooks
from services.container import Services

BODY_BYTES = 1 << 20

DESCRIPTION = """AI phone agents. Sign up or log in, then send `Authorization: Bearer <access token>`.

Every answer is `{"success": true, "data": ...}` or `{"success": false, "error": {"code", "message", "details"}}`.
"""


def build_api(services: Services) -> FastAPI:
    """The application; its documentation is at `/docs` and `/openapi.json` below the place it is mounted at."""
    api = FastAPI(title="Callboard", version="1", description=DESCRIPTION, redirect_slashes=False)
    api.state.services = services
    api.add_middleware(RequestBodyLimitMiddleware, max_body_size=BODY_BYTES)
    add_error_handlers(api)
    for resource in (auth, agents, phones, calls, webhooks):
        api.include_router(resource.router)
    return api
