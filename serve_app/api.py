"""The canonical REST API, `/api/v1`: a FastAPI application of its own, mounted by `app`."""

from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline

from serve_app.body_limit import BodyLimit
from serve_app.envelope import Failure
from serve_app.errors import add_error_handlers
from serve_app.rate_limits import RateLimitHeaders, by_address
from serve_app.resources import (
    agent_versions,
    agents,
    api_keys,
    audit,
    auth,
    billing,
    calls,
    campaigns,
    contacts,
    dashboard,
    dnc,
    phones,
    prompts,
    schedules,
    session_settings,
    sms_messages,
    sms_templates,
    users,
    webhook_endpoints,
    webhooks,
)
from serve_app.resources.contact_upload import UPLOAD_PATH
from serve_app.resources.lists import fails_with
from serve_app.webhook_gate import WebhookGate
from services.container import Services

BODY_BYTES = 1 << 20
ANYWHERE = fails_with(429, 503) | {"4XX": {"model": Failure, "description": "Any other refusal"}}
"""The last entry also keeps FastAPI from documenting its own 422: refused input is a 400 here, in our shape."""

DESCRIPTION = """AI phone agents. Sign up or log in, then send `Authorization: Bearer <access token>`.

Every answer is `{"success": true, "data": ...}` or `{"success": false, "error": {"code", "message", "details"}}`.

A 503 means that we cannot at the moment; come back after the seconds in `Retry-After`. Calls are refused so while all
lines are busy: nothing was done, and the same request may be sent again under its `Idempotency-Key`.
"""


def build_api(services: Services) -> FastAPI:
    """The application; its documentation is at `/docs` and `/openapi.json` below the place it is mounted at."""
    # Its pages bring their own scripts: nobody else is told who reads them, and they work without the internet.
    api = FastAPIOffline(title="Callboard", version="1", description=DESCRIPTION, redirect_slashes=False)
    api.state.services = services
    uploads = {UPLOAD_PATH: services.settings.contact_file_bytes}
    api.add_middleware(BodyLimit, limit_bytes=BODY_BYTES, exceptions=uploads)
    api.add_middleware(RateLimitHeaders)
    add_error_handlers(api)
    api.include_router(auth.router, dependencies=[Depends(by_address)], responses=ANYWHERE)
    for resource in (
        agents,
        agent_versions,
        prompts,
        session_settings,
        sms_templates,
        sms_messages,
        phones,
        calls,
        campaigns,
        contacts,
        schedules,
        dashboard,
        billing,
        users,
        api_keys,
        audit,
        webhook_endpoints,
        dnc,
    ):
        api.include_router(resource.router, responses=ANYWHERE)
    api.include_router(webhooks.router, dependencies=[Depends(WebhookGate(services.settings))])
    return api
