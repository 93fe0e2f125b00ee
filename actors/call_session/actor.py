"""The Ray actor of one call at a time: a door for its media, a driver for its life. No rule of a call is here."""

import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import ray

from actors import metrics
from actors.call_session.door import Attachment, Door, Endpoint
from actors.call_session.pool import Health
from actors.speech_to_text.answers import worker_names
from models.call import Call
from models.errors import Conflict
from models.settings import Settings

if TYPE_CHECKING:
    from actors.call_session.driver import CallParts

CALL_DRIVER = "actors.call_session.driver:CallDriver"
SHUTDOWN = "shutdown"


class Driver(Protocol):
    """One call's life, as `driver.CallDriver` lives it."""

    async def run(self, media: Attachment) -> None:
        """Until the call is over and its log is final; a call that was answered before is gone on with.

        Whatever is raised leaves the call open: the edge gives it to another actor, as after a crash.
        """

    def end(self, reason: str) -> None:
        """Somebody with the right to do so ends the call."""

    def snapshot(self) -> dict[str, object]:
        """What the call is doing."""


class CallSession:
    """`driver` is the import path of what makes a Driver of a call and its parts; only benchmarks bring their own."""

    def __init__(self, settings: Settings, driver: str = CALL_DRIVER) -> None:
        # Replicas and pools import this file for the class alone; vendors' SDKs are loaded only where calls run.
        from actors.call_session.parts import Workshop

        metrics.export()
        module, _, name = driver.partition(":")
        self._make_driver: Callable[[Call, CallParts], Driver] = getattr(importlib.import_module(module), name)
        listening = [ray.get_actor(name, settings.ray_namespace) for name in worker_names(settings.stt_workers)]
        self._workshop = Workshop(settings, listening)
        self._door = Door(self._attend)
        self._driver: Driver | None = None
        self._session_id: str | None = None

    async def warm(self) -> None:
        """Load everything slow and open the door; the pool lends nobody before this returns."""
        await self._workshop.warm_up()
        await self._door.open(ray.util.get_node_ip_address())  # type: ignore[no-untyped-call]

    async def begin(self, session_id: str) -> Endpoint:
        """Expect this call's media; raises Conflict while another call is here."""
        return self._door.arm(session_id)

    async def settle(self, session_id: str, within_s: float) -> Health:
        """Answers once this call has left the actor, or the time is up."""
        await self._door.settle(session_id, within_s)
        return await self.health()

    async def end(self, session_id: str, reason: str) -> bool:
        """End this call; False: it is not here."""
        if self._driver is None or self._session_id != session_id:
            return False
        self._driver.end(reason)
        return True

    async def leave(self, within_s: float) -> None:
        """End whatever call is here and wait for its log to be final, or for the time to be up."""
        session_id = self._session_id
        if session_id is not None and await self.end(session_id, SHUTDOWN):
            await self._door.settle(session_id, within_s)

    async def snapshot(self) -> dict[str, object]:
        """What the actor and its call are doing."""
        return {"session_id": self._door.session_id, "call": self._driver.snapshot() if self._driver else None}

    async def health(self) -> Health:
        """For the pool."""
        return Health(self._door.session_id, _rss_bytes())

    async def _attend(self, attachment: Attachment) -> None:
        call = await self._workshop.call(attachment.session_id)
        if call.lease is None or call.lease.actor != ray.get_runtime_context().get_actor_name():
            raise Conflict("the call has gone to another actor")  # what is written here would be in its name
        try:
            self._driver = self._make_driver(call, self._workshop.parts(call, attachment.query))
            self._session_id = attachment.session_id
            await self._driver.run(attachment)
        finally:
            self._driver = self._session_id = None


def _rss_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
