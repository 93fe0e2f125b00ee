"""Calls on several nodes: placed one by one, and found where they are carried."""

import asyncio
import contextlib
import time
from dataclasses import dataclass
from typing import Any

import httpx
import psutil

from models.call import Call, CallStatus, SessionId
from stores.repositories import Repositories
from tests.integration.nodes.machines import Cluster
from tests.integration.product.customer import CALLER, Customer

PATIENCE_S = 25.0
LOOK_S = 0.1


@dataclass(frozen=True)
class Way:
    """How a live call is carried: the node of its actor, and that of the replica its carrier is connected to."""

    session_id: str
    actor: str
    actor_node: str
    replica_node: str


class Office:
    """A customer with one number, and the store that says what became of the calls."""

    def __init__(self, customer: Customer, phone: dict[str, Any], agent_id: str, repositories: Repositories) -> None:
        self.customer = customer
        self._order = {"fromPhone": phone["number"], "toPhone": CALLER, "agentId": agent_id}
        self._stores = repositories

    async def call(self) -> Call:
        """Dial one caller and wait until the two are connected; refused or not understood, dial again."""
        give_up = time.monotonic() + PATIENCE_S
        while True:
            with contextlib.suppress(httpx.HTTPError):
                answer = await self.customer.ask("POST", "/calls/outbound", self._order)
                if answer.status_code == httpx.codes.CREATED:
                    break
            assert time.monotonic() < give_up, answer.text
            await asyncio.sleep(LOOK_S)
        return await self._connected(answer.json()["data"]["call"]["sessionId"])

    async def stored(self, session_id: str) -> Call:
        """The call as it is in the store."""
        return await self._stores.calls.session(SessionId(session_id))

    async def over(self, session_id: str, within_s: float) -> Call:
        """The call, once its log is final."""
        async with asyncio.timeout(within_s):
            while (call := await self.stored(session_id)).ended_at is None:  # noqa: ASYNC110 - another process
                await asyncio.sleep(LOOK_S)
        return call

    async def moved(self, way: Way, within_s: float) -> Call:
        """The call, once another actor has it."""
        async with asyncio.timeout(within_s):
            while True:
                call = await self.stored(way.session_id)
                if call.lease is not None and call.lease.actor != way.actor:
                    return call
                await asyncio.sleep(LOOK_S)

    async def _connected(self, session_id: str) -> Call:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                call = await self.stored(session_id)
                if call.status is CallStatus.IN_PROGRESS and call.lease is not None:
                    return call
                await asyncio.sleep(LOOK_S)

    async def end(self, session_id: str) -> None:
        """Have a call ended, and its log closed."""
        answer = await self.customer.ask("POST", f"/calls/{session_id}/end", {"reason": "user_requested"})
        assert answer.status_code == httpx.codes.OK, answer.text
        await self.over(session_id, PATIENCE_S)

    async def held(self) -> float:
        """The customer's credit that is set aside."""
        held: float = (await self.customer.get("GET", "/billing/balance"))["balance"]["held"]
        return held


def way_of(call: Call, cluster: Cluster) -> Way:
    """How the call is carried now."""
    assert call.lease is not None
    actor = cluster.actors[call.lease.actor]
    doors = _listening(actor["pid"]) - {actor["port"]}  # any replica may be at Ray's, to ask the actor something
    ends = {each.laddr for each in _connections(actor["pid"]) if each.laddr.port in doors}
    for replica in cluster.replicas:
        if any(each.raddr in ends for each in _connections(replica["pid"])):
            return Way(
                call.session_id, call.lease.actor, cluster.name_of(actor["node"]), cluster.name_of(replica["node"])
            )
    raise AssertionError("no replica is connected to the call's actor")


def _connections(pid: int) -> list[Any]:
    """Of a process that is gone, none: the cluster's books may still have it."""
    try:
        found = psutil.Process(pid).net_connections("tcp")
    except psutil.NoSuchProcess:
        return []
    return [each for each in found if each.status == psutil.CONN_ESTABLISHED and each.raddr]


def _listening(pid: int) -> set[int]:
    found = psutil.Process(pid).net_connections("tcp")
    return {each.laddr.port for each in found if each.status == psutil.CONN_LISTEN}
