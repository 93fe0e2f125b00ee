"""`callboard up`: MongoDB, Redis, Ray and Serve as children, until Ctrl-C."""

import asyncio
import contextlib
import signal
from collections.abc import Callable
from urllib.parse import urlsplit

from cli.child import Child
from cli.data_dir import claim
from cli.demo import demo_children, run_demo
from cli.embedded.mongodb import mongodb_answers, mongodb_child, mongodb_url
from cli.embedded.ports import is_free
from cli.embedded.ray import ray_answers, ray_child
from cli.embedded.redis import redis_answers, redis_child, redis_url
from cli.errors import StartFailed
from cli.secrets import with_secrets
from cli.serve_child import serve_child
from cli.supervisor import Supervisor
from cli.terminal import Terminal
from models.settings import Settings

OK = 0
REFUSED = 2


Application = Callable[..., Child]
"""Makes the child that serves the product: `(settings, *, local_ray)`."""


def up(settings: Settings, *, demo: bool, application: Application = serve_child) -> int:
    """Run everything until a signal; returns the exit status."""
    terminal = Terminal()
    try:
        asyncio.run(_until_signal(_Run(settings, terminal, demo=demo, application=application)))
    except StartFailed as failure:
        terminal.error(str(failure))
        return REFUSED
    terminal.note("Stopped.")
    return OK


class _Run:
    """One run on one data directory."""

    def __init__(self, settings: Settings, terminal: Terminal, *, demo: bool, application: Application) -> None:
        data_dir = settings.callboard_data_dir.resolve()
        self._settings = settings.model_copy(update={"callboard_data_dir": data_dir})
        self._data_dir = data_dir
        self._terminal = terminal
        self._demo = demo
        self._application = application

    async def __call__(self) -> None:
        if not is_free(self._settings.host, self._settings.port):
            raise StartFailed(f"port {self._settings.port} is in use: stop what uses it, or set PORT")
        with claim(self._data_dir) as lock:
            self._settings = with_secrets(self._settings)
            self._terminal.heading("Callboard is starting")
            async with Supervisor(self._data_dir / "logs", self._terminal, lock=lock) as supervisor:
                await self._start(supervisor)
                if self._demo:
                    await supervisor.until(run_demo(self._settings))
                else:
                    self._terminal.banner(self._settings)
                await supervisor.wait()

    async def _start(self, supervisor: Supervisor) -> None:
        await self._start_mongodb(supervisor)
        await self._start_redis(supervisor)
        local_ray = await self._start_ray(supervisor)
        if self._demo:
            self._settings, simulators = demo_children(self._settings)
            await _start_each(supervisor, simulators)
        await supervisor.start(self._application(self._settings, local_ray=local_ray))

    async def _start_mongodb(self, supervisor: Supervisor) -> None:
        if given := self._settings.mongodb_url:
            await self._reach("mongodb", "MONGODB_URL", given, answers=await mongodb_answers(given))
            return
        await supervisor.start(mongodb_child(self._data_dir))
        self._fill(mongodb_url=mongodb_url(self._data_dir))

    async def _start_redis(self, supervisor: Supervisor) -> None:
        if given := self._settings.redis_url:
            await self._reach("redis", "REDIS_URL", given, answers=await redis_answers(given))
            return
        await supervisor.start(redis_child(self._data_dir))
        self._fill(redis_url=redis_url(self._data_dir))

    async def _start_ray(self, supervisor: Supervisor) -> bool:
        if given := self._settings.ray_address:
            await self._reach("ray", "RAY_ADDRESS", given, answers=given == "auto" or await ray_answers(given))
            return False
        child, address = ray_child(self._settings)
        await supervisor.start(child)
        self._fill(ray_address=address)
        return True

    async def _reach(self, name: str, setting: str, url: str, *, answers: bool) -> None:
        if not answers:
            raise StartFailed(f"{name} does not answer at {without_password(url)}: check {setting}")
        self._terminal.external(name, without_password(url))

    def _fill(self, **found: str) -> None:
        self._settings = self._settings.model_copy(update=found)


async def _start_each(supervisor: Supervisor, children: tuple[Child, ...]) -> None:
    for child in children:
        await supervisor.start(child)


async def _until_signal(run: _Run) -> None:
    """Run until SIGINT, SIGTERM or SIGHUP; a second one does not hurry the orderly stop."""
    task = asyncio.ensure_future(run())
    told = False

    def stop() -> None:
        nonlocal told
        if not told:
            told = True
            task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def without_password(url: str) -> str:
    """The address for people and logs."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url
    return parts._replace(netloc="***@" + parts.netloc.rpartition("@")[2]).geturl()
