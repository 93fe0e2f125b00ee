"""The site map, and how it is put on Ray Serve.

Serve's HAProxy mode is chosen by environment variables that Serve reads when it is imported, in the driver as well as
on the cluster; `cli/embedded/ray.py` names them. `ray.serve` is therefore imported inside the functions that need it.

    /api/v1/...             REST            serve_app/api.py
    /audio/{session_id}     carriers        serve_app/media.py
    /socket.io/             dashboards      serve_app/realtime.py
    /health                 balancers       serve_app/health.py
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import ray
import socketio
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Mount, Route, WebSocketRoute

from actors.call_session.actor import CALL_DRIVER
from actors.startup import start_actors, stop_actors
from models.settings import Settings
from serve_app.api import build_api
from serve_app.errors import add_error_handlers
from serve_app.health import health
from serve_app.wiring import Edge, opened
from stores.mongo import connect, database
from stores.repositories import Repositories

APPLICATION = "callboard"
MAX_REQUESTS = 10_000
"""At once per replica; sockets count for as long as they live."""
DRAIN_MARGIN_S = 60.0
LOGICAL_CPU = 0.1
ANSWER_S = 60.0
CORS = Middleware(
    CORSMiddleware,
    allow_origins=["*"],  # tokens travel in a header that no browser adds by itself, so any page may ask
    allow_methods=["*"],
    allow_headers=["*"],
    expose_headers=[
        "X-RateLimit-Limit",
        "X-RateLimit-Remaining",
        "X-RateLimit-Reset",
        "Retry-After",
        "Idempotency-Replayed",
    ],
    max_age=3600,
)
REPLICA_ENVIRONMENT = {
    # Our code never blocks the loop; one thread saves two hops per media message and keeps back-pressure intact.
    "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0",
}


def build_site(edge: Edge, *, lifespan: Any = None) -> Any:
    """Every address of the product, as one ASGI application."""
    site = Starlette(
        lifespan=lifespan,
        middleware=[CORS],
        routes=[
            Route("/", _front_door),
            Route("/docs", _front_door),
            Route("/health", health),
            WebSocketRoute("/audio/{session_id}", edge.media.serve),
            Mount("/api/v1", build_api(edge.services)),
        ],
    )
    add_error_handlers(site)  # for what is not at any of these, such as /api/v1/agents/a%0Ab
    return socketio.ASGIApp(edge.realtime.server, site)


async def _front_door(request: Request) -> RedirectResponse:
    """A browser that was given only the address finds the API's pages."""
    return RedirectResponse("/api/v1/docs")


class Site:
    """The Serve deployment's class; one object per replica."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open = AsyncExitStack()

    async def __serve_build_asgi_app__(self) -> Any:
        edge = await self._open.enter_async_context(opened(self._settings))

        @asynccontextmanager
        async def lifespan(site: Starlette) -> AsyncIterator[None]:
            yield
            await self._open.aclose()

        return build_site(edge, lifespan=lifespan)


def deploy(settings: Settings, *, driver: str = CALL_DRIVER) -> None:
    """Put the product on the Ray at `settings.ray_address`; returns when it answers calls and requests.

    What runs there already (live calls, warm actors) is left alone and used.
    """
    ray.init(
        address=settings.ray_address,
        namespace=settings.ray_namespace,
        logging_config=ray.LoggingConfig(encoding="JSON", log_level="INFO"),
    )
    asyncio.run(_create_indexes(settings))
    start_actors(settings, driver=driver)
    _run_serve(settings)
    _wait_for_answer(settings)


def shutdown() -> None:
    """Take the product off the Ray that `deploy` put it on; live calls end."""
    from ray import serve

    stop_actors(ray.get_runtime_context().namespace)
    serve.shutdown()  # type: ignore[no-untyped-call]
    ray.shutdown()


def _run_serve(settings: Settings) -> None:
    from ray import serve

    serve.start(proxy_location="EveryNode", http_options={"host": settings.host, "port": settings.port})
    deployed = serve.deployment(
        name="site",
        num_replicas=settings.serve_replicas,
        max_ongoing_requests=MAX_REQUESTS,
        # A replica that is replaced must outlive its calls.
        graceful_shutdown_timeout_s=settings.max_call_s + DRAIN_MARGIN_S,
        ray_actor_options={"num_cpus": LOGICAL_CPU, "runtime_env": {"env_vars": REPLICA_ENVIRONMENT}},
        logging_config={"encoding": "JSON", "enable_access_log": False},
    )
    serve.run(deployed(serve.ingress()(Site)).bind(settings), name=APPLICATION, route_prefix="/")


async def _create_indexes(settings: Settings) -> None:
    async with connect(settings) as client:
        await Repositories.over(database(client, settings)).create_indexes()


def _wait_for_answer(settings: Settings) -> None:
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host
    give_up = time.monotonic() + ANSWER_S
    while True:
        try:
            httpx.get(f"http://{host}:{settings.port}/health", timeout=2.0).raise_for_status()
            return
        except httpx.HTTPError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.1)
