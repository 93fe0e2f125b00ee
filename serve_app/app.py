"""The site map, and how it is put on Ray Serve.

Serve's HAProxy mode is chosen by environment variables that Serve reads when it is imported, in the driver as well as
on the cluster; `cli/embedded/ray.py` names them. `ray.serve` is therefore imported inside the functions that need it.

    /api/v1/...             REST            serve_app/api.py
    /audio/{session_id}     carriers        serve_app/media.py
    /socket.io/             dashboards      serve_app/realtime.py
    /health, /ready         balancers       serve_app/health.py
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
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
from actors.cluster import shared
from actors.cluster.actor import HEAD
from actors.startup import start_actors, stop_actors
from models.errors import Invalid, Unavailable
from models.settings import Settings
from serve_app.api import build_api
from serve_app.errors import add_error_handlers
from serve_app.finishing import Finishing
from serve_app.health import health, ready
from serve_app.wiring import Edge, opened
from stores.mongo import connect, database
from stores.repositories import Repositories

APPLICATION = "callboard"
DEPLOYMENT = "site"
MAX_REQUESTS = 10_000
"""At once per replica; sockets count for as long as they live."""
DRAIN_MARGIN_S = 60.0
LOGICAL_CPU = 0.1
ANSWER_S = 60.0
SETTLED_S = 3.0
"""Replicas are replaced some at a time, and the next ones follow within a tenth of a second."""
PROXY_LOCATIONS = {"every-node": "EveryNode", "head-only": "HeadOnly"}
"""What the setting is called in Serve; a proxy on every node means every node that has a replica, and the head."""
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
    # Behind HAProxy, Serve 2.60 shuts the web server of a replica that is to go after some seconds
    # (`replica.py:_drain_behind_haproxy`), and uvicorn closes every socket with it, those of live calls too. A replica
    # that knows of no HAProxy waits for them first. What else a replica needs of that mode is direct ingress.
    "RAY_SERVE_ENABLE_HA_PROXY": "0",
    "RAY_SERVE_ENABLE_DIRECT_INGRESS": "1",
}


def build_site(edge: Edge, *, lifespan: Any = None) -> Any:
    """Every address of the product, as one ASGI application."""
    site = Starlette(
        lifespan=lifespan,
        middleware=[Middleware(Finishing), CORS],
        routes=[
            Route("/", _front_door),
            Route("/docs", _front_door),
            Route("/health", health),
            Route("/ready", ready(edge.services.readiness)),
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

    What runs there from the same code and settings is left alone. What is older is replaced, and no call is cut: old
    replicas and call actors carry the calls they have to their end.
    """
    connect_to_ray(settings)
    _run_serve(settings, _prepare(settings, driver))
    _wait_for_answer(settings)


def connect_to_ray(settings: Settings, *, is_quiet: bool = False) -> None:
    """Make this process a driver of the Ray at `settings.ray_address`; a quiet one prints nothing actors print."""
    ray.init(
        address=settings.ray_address,
        namespace=settings.ray_namespace,
        log_to_driver=not is_quiet,
        logging_config=ray.LoggingConfig(encoding="JSON", log_level="INFO"),
    )


def from_environment(arguments: dict[str, str]) -> Any:
    """The application for a Serve configuration that names this function as its `import_path`, as KubeRay's does.

    Runs on the cluster and takes the settings from the environment there; has no arguments. Raises Invalid when one is
    missing that all nodes need.
    """
    settings = Settings(_env_file=None)
    if lacking := shared.missing(settings):
        raise Invalid(f"set {', '.join(lacking)} for every node")
    return _application(settings, _prepare(settings, CALL_DRIVER))


def shutdown() -> None:
    """Take the product off the Ray that `deploy` put it on; live calls end."""
    from ray import serve

    stop_actors(ray.get_runtime_context().namespace)
    serve.shutdown()  # type: ignore[no-untyped-call]
    ray.shutdown()


def _prepare(settings: Settings, driver: str) -> str:
    """Everything a replica expects to find; returns the revision."""
    asyncio.run(_create_indexes(settings))
    return start_actors(settings, driver=driver)


def _run_serve(settings: Settings, revision: str) -> None:
    from ray import serve

    http = {"host": settings.host, "port": settings.port}
    serve.start(proxy_location=PROXY_LOCATIONS[settings.serve_proxies], http_options=http)
    target = serve.RunTarget(_application(settings, revision), name=APPLICATION, route_prefix="/")
    serve.run_many([target], wait_for_applications_running=False)
    _wait_for_replicas(settings.serve_replicas)


def _wait_for_replicas(wanted: int) -> None:
    """Return when the new replicas serve; older ones may have calls to finish, for which Serve's own waiting waits.

    Serve counts replicas without their versions, so what it counts has to stay for a while. Raises Unavailable when it
    gives up.
    """
    from ray import serve

    settled_since: float | None = None
    while True:
        application = serve.status().applications[APPLICATION]
        if application.status == "DEPLOY_FAILED":
            raise Unavailable(f"the replicas do not start: {application.message}")
        site = application.deployments.get(DEPLOYMENT)
        is_settled = site is not None and are_settled(site.replica_states, wanted)
        settled_since = (settled_since or time.monotonic()) if is_settled else None
        if application.status == "RUNNING" or (settled_since and time.monotonic() - settled_since > SETTLED_S):
            return
        time.sleep(0.1)


def are_settled(states: Mapping[Any, int], wanted: int) -> bool:
    """Whether as many replicas as wanted run, and others do nothing but stop; counts by Serve's names of states."""
    return {state: count for state, count in states.items() if count and state != "STOPPING"} == {"RUNNING": wanted}


def _application(settings: Settings, revision: str) -> Any:
    """The deployment with its settings.

    Replicas claim a CPU's share and nothing else: a cluster's call nodes are those that offer CPUs, and Serve spreads
    replicas over them by itself.
    """
    from ray import serve

    deployed = serve.deployment(
        name=DEPLOYMENT,
        num_replicas=settings.serve_replicas,
        max_ongoing_requests=MAX_REQUESTS,
        # A replica that is replaced must outlive its calls.
        graceful_shutdown_timeout_s=settings.max_call_s + DRAIN_MARGIN_S,
        # New replicas first: without it Serve lets a third version wait until the first one's calls are over.
        max_surge_percent=100,
        ray_actor_options={"num_cpus": LOGICAL_CPU, "runtime_env": {"env_vars": REPLICA_ENVIRONMENT}},
        logging_config={"encoding": "JSON", "enable_access_log": False},
    )
    # Serve makes up a version for every deployment, and replaces every replica for it. The option is its own.
    site = deployed(serve.ingress()(Site)).options(version=revision, _internal=True)
    return site.bind(settings)


async def _create_indexes(settings: Settings) -> None:
    async with connect(settings) as client:
        await Repositories.over(database(client, settings)).create_indexes()


def _wait_for_answer(settings: Settings) -> None:
    host = _head_address() if settings.host in ("0.0.0.0", "::", "") else settings.host
    give_up = time.monotonic() + ANSWER_S
    while True:
        try:
            httpx.get(f"http://{host}:{settings.port}/health", timeout=2.0).raise_for_status()
            return
        except httpx.HTTPError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.1)


def _head_address() -> str:
    """The head always has a proxy."""
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return next(str(node["NodeManagerAddress"]) for node in nodes if node["Alive"] and HEAD in node["Resources"])
