"""The whole edge on Ray Serve: HAProxy, two replicas, the pool and its call actors; only the call itself is an echo."""

import asyncio
import contextlib
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest
import socketio
from websockets.asyncio.client import ClientConnection, connect

from cli.background import Background, background
from cli.embedded.places import runtime_path
from cli.serve_child import serve_child
from models.call import Call, CallStatus
from models.organization import Organization
from models.settings import Settings
from services.call_addresses import CallAddresses
from stores.mongo import connect as connect_store, database
from stores.repositories import Repositories
from tests.documents import NOW, a_call
from tests.integration.carriers import close_code, echoes

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

POOL = 2


@pytest.fixture(scope="module")
def site(ray_cluster: Settings, session_dir: Path) -> Iterator[Settings]:
    """The product deployed with the echo, taken down afterwards."""
    own = {"mongodb_database": f"{ray_cluster.mongodb_database}_edge"}  # campaigns of other tests want actors
    changes = own | {"call_slots": POOL, "serve_replicas": 2, "trusted_proxies": 1, "limit_auth_per_ip": 2}
    changes |= {"limit_api_per_user": 0}
    settings = ray_cluster.model_copy(update=changes)
    with background(session_dir / "logs") as running:
        child = serve_child(settings, local_ray=True)
        echo = replace(child, command=(sys.executable, "-m", "bench.serve_echo"), stop_grace_s=20.0)
        running.start(replace(echo, ready_timeout_s=300.0))
        yield settings


@pytest.fixture
async def store(site: Settings) -> AsyncIterator[Repositories]:
    async with connect_store(site) as client:
        yield Repositories.over(database(client, site))


async def stored(store: Repositories) -> Call:
    """A call that may connect its media now."""
    now = NOW.now(NOW.tzinfo)
    owner = Organization(created_at=now, updated_at=now)
    await store.organizations.insert(owner)
    call = a_call(owner.id, created_at=now)
    await store.calls.insert(call)
    return call


def address(site: Settings, call: Call) -> str:
    """The call's media socket, as the carrier is told."""
    return CallAddresses(site).media(call.session_id)


async def eventually(happened: Callable[[], Awaitable[bool]], within_s: float = 30.0) -> None:
    async with asyncio.timeout(within_s):
        while not await happened():  # noqa: ASYNC110 - what it waits for is in another process
            await asyncio.sleep(0.2)


async def is_over(store: Repositories, call: Call) -> bool:
    return (await store.calls.session(call.session_id)).status.is_final


async def answered(site: Settings, store: Repositories, within_s: float = 30.0) -> ClientConnection:
    """A new call, as soon as an actor takes it."""
    async with asyncio.timeout(within_s):
        while True:
            carrier = await connect(address(site, await stored(store)))
            try:
                assert await echoes(carrier)
            except Exception:
                await carrier.close()
                await asyncio.sleep(0.5)
            else:
                return carrier


async def answers_again(carrier: ClientConnection) -> bool:
    """Whether somebody is there, or will be."""
    try:
        return await echoes(carrier)
    except TimeoutError:
        return False


def processes(services: Background, title: str) -> list[psutil.Process]:
    """Ray's processes of this title."""
    pid = services.pid("ray")
    assert pid is not None
    return [p for p in psutil.Process(pid).children(recursive=True) if title in " ".join(p.cmdline())]


def logged(site: Settings, text: str) -> int:
    """In how many lines of all replicas and actors the text stands."""
    logs = runtime_path(site.callboard_data_dir) / "ray" / "session_latest" / "logs"
    files = [path for path in logs.rglob("*") if path.is_file() and path.suffix in (".err", ".out", ".log")]
    return sum(path.read_text(errors="replace").count(text) for path in files)


async def doors(services: Background) -> list[int]:
    """Where replicas take requests from HAProxy, which tells none of them that a client has gone."""
    found = []
    async with httpx.AsyncClient() as client:
        for replica in processes(services, "ray::ServeReplica"):
            for port in {each.laddr.port for each in replica.net_connections("tcp") if each.status == "LISTEN"}:
                with contextlib.suppress(httpx.HTTPError):  # Ray's own ports speak no HTTP/1.1
                    answer = await client.get(f"http://127.0.0.1:{port}/health", timeout=5.0)
                    found += [port] * answer.is_success
    assert found
    return found


def post(path: str, token: str, body: bytes) -> bytes:
    """A request as it goes over the wire."""
    fields = {"Host": "localhost", "Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


async def signed_up(api: httpx.AsyncClient) -> str:
    """A new account's access token."""
    person = {"email": f"{uuid.uuid4().hex}@example.com", "password": "correct horse battery"}
    token: str = (await api.post("/auth/signup", json=person)).json()["data"]["tokens"]["access"]
    return token


async def test_health_answers_through_the_proxy(site: Settings) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{site.port}") as client:
        answer = await client.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


async def test_ready_answers_through_the_proxy(site: Settings) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{site.port}") as client:
        answer = await client.get("/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert {answer.json()["checks"][name] for name in ("mongodb", "redis")} == {"ok"}


async def test_nobody_hides_behind_a_forged_address(site: Settings) -> None:
    statuses = []
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{site.port}/api/v1") as client:
        for digit in range(3):
            # What a client writes itself, and what a proxy in front adds; HAProxy adds that proxy's own address.
            written = {"X-Forwarded-For": f"203.0.113.{digit}, 198.51.100.7"}
            statuses.append((await client.post("/auth/login", json={}, headers=written)).status_code)
    assert statuses == [400, 400, 429]


async def test_what_was_begun_is_finished_although_whoever_asked_has_hung_up(
    site: Settings, services: Background
) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{site.port}/api/v1") as api:
        token = await signed_up(api)
        api.headers["Authorization"] = f"Bearer {token}"
        for door in await doors(services):
            for pause_ms in range(40):
                _, writer = await asyncio.open_connection("127.0.0.1", door)
                writer.write(post("/api/v1/prompts", token, b'{"name": "Hello", "content": "Be kind to all."}'))
                await asyncio.sleep(pause_ms / 1000)
                writer.close()

        async def made() -> tuple[int, int]:
            """How many prompts there are, and how many of them somebody has put down."""
            prompts = (await api.get("/prompts")).json()["data"]["pagination"]["total"]
            noted = (await api.get("/audit-log?subject=prompt")).json()["data"]["pagination"]["total"]
            return prompts, noted

        async def is_whole() -> bool:
            prompts, noted = await made()
            return 0 < prompts == noted

        await eventually(is_whole)


async def test_calls_pass_side_by_side_and_end_with_a_final_log(site: Settings, store: Repositories) -> None:
    calls = [await stored(store) for _ in range(POOL)]
    carriers = [await connect(address(site, call)) for call in calls]
    assert all(await asyncio.gather(*(echoes(carrier) for carrier in carriers)))
    leases = [(await store.calls.session(call.session_id)).lease for call in calls]
    assert len({lease.actor for lease in leases if lease is not None}) == POOL
    for carrier in carriers:
        await carrier.close()
    for call in calls:
        await eventually(lambda call=call: is_over(store, call))  # type: ignore[misc]


async def test_a_call_beyond_the_pool_is_asked_to_try_later_and_actors_are_lent_again(
    site: Settings, store: Repositories
) -> None:
    for _ in range(2):
        carriers = [await answered(site, store) for _ in range(POOL)]
        async with connect(address(site, await stored(store))) as late:
            assert await close_code(late) == 1013
        for carrier in carriers:
            await carrier.close()


async def test_garbage_and_strangers_do_not_disturb_a_call(site: Settings, store: Repositories) -> None:
    calm = await answered(site, store)
    wild = await answered(site, store)
    call = await stored(store)
    before = logged(site, "media socket refused: UNAUTHORIZED")
    async with connect(address(site, call)[:-3] + "zzz") as stranger:
        assert await close_code(stranger) == 1008
    for noise in (bytes(range(256)), "not json", '{"event":"media","media":{"payload":"!"}}', "x" * 1000):
        await wild.send(noise)
    assert await echoes(calm)
    await wild.send("y" * (1 << 20))
    assert await close_code(wild) in (1009, 1006)
    assert await echoes(calm)
    await calm.close()
    assert logged(site, "media socket refused: UNAUTHORIZED") == before + 1
    assert logged(site, CallAddresses(site).media(call.session_id)[-20:]) == 0


async def test_dashboards_on_any_replica_see_the_call(site: Settings, store: Repositories) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{site.port}/api/v1") as api:
        person = {"email": f"{uuid.uuid4().hex}@example.com", "password": "correct horse battery"}
        signup = (await api.post("/auth/signup", json=person)).json()["data"]
    user = await store.users.by_id(signup["user"]["_id"])
    assert user is not None
    call = a_call(user.organization_id, created_at=NOW.now(NOW.tzinfo))
    await store.calls.insert(call)
    dashboards = [socketio.AsyncClient() for _ in range(6)]
    told: list[list[str]] = [[] for _ in dashboards]
    for seen, dashboard in zip(told, dashboards, strict=True):
        for name in ("started", "connected", "ended"):
            dashboard.on(f"call:{name}", lambda _, seen=seen, name=name: seen.append(name))
        await dashboard.connect(f"http://127.0.0.1:{site.port}")  # polling, then upgrade
        join = {"sessionId": call.session_id, "token": signup["tokens"]["access"]}
        await dashboard.emit("call:join", join)

    async def all_told(*names: str) -> bool:
        return all(seen == list(names) for seen in told)

    await eventually(lambda: all_told("started"))
    carrier = await connect(address(site, call))
    assert await echoes(carrier)
    await carrier.close()
    await eventually(lambda: all_told("started", "connected", "ended"))
    for dashboard in dashboards:
        await dashboard.disconnect()


async def test_a_live_call_outlives_its_pool_which_finds_its_actors_again(
    site: Settings, store: Repositories, services: Background
) -> None:
    carrier = await answered(site, store)
    for pool in processes(services, "ray::CallPool"):
        pool.kill()
    assert await echoes(carrier)
    second = await answered(site, store, within_s=60.0)
    assert await echoes(carrier)
    async with connect(address(site, await stored(store))) as late:
        assert await close_code(late) == 1013
    await carrier.close()
    await second.close()


async def test_a_call_outlives_its_killed_actor_and_ends_with_a_final_log(
    site: Settings, store: Repositories, services: Background
) -> None:
    call = await stored(store)
    await (await answered(site, store)).close()
    carrier = await connect(address(site, call))
    assert await echoes(carrier)
    before = (await store.calls.session(call.session_id)).lease
    for actor in processes(services, "ray::CallSession"):
        actor.kill()
    await eventually(lambda: answers_again(carrier))
    after = (await store.calls.session(call.session_id)).lease
    assert before is not None
    assert after is not None
    assert before.actor != after.actor
    await carrier.close()
    await eventually(lambda: is_over(store, call))
    finished = await store.calls.session(call.session_id)
    assert (finished.status, finished.end_reason) == (CallStatus.COMPLETED, "hangup")
    again = await answered(site, store, within_s=180.0)
    await again.close()
