"""Looks after the cluster, round by round: what `policy.py` decides is done through a `Cluster`. Knows no Ray.

Nothing depends on a round being on time: pools lend actors by themselves, and a keeper that died is started again.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol, TypeVar

from actors.cluster.policy import Admission, Load, Node, Nodes, Wanted, wanted

logger = logging.getLogger(__name__)

ROUND_S = 1.0
ANSWER_S = 2.0
"""What anything in a round may take; who is slower is asked again in the next one, and holds up nobody for longer."""

_T = TypeVar("_T")


class Unreachable(Exception):
    """A pool, a worker or the cluster's own books do not answer."""


class Cluster(Protocol):
    """What there is and what can be done about it. Pools go by their node's key. All raise Unreachable."""

    async def nodes(self) -> list[Node]:
        """The nodes that are alive and take calls."""

    async def pools(self) -> list[str]:
        """The nodes that have a pool, dead nodes' included."""

    async def load(self, pool: str) -> Load:
        """A pool now."""

    async def start(self, node: Node) -> None:
        """Start the node's pool, unless it has one."""

    async def replace(self, node: Node) -> None:
        """Start the node's pool in place of the one it has, whose calls go on."""

    async def drain(self, pool: str) -> None:
        """Let no further call into a pool."""

    async def close(self, pool: str) -> None:
        """End a pool and every call actor it has left."""

    async def admit(self, pool: str, is_admitting: bool) -> None:
        """Tell a pool whether there is room for calls elsewhere."""

    async def listening(self) -> list[bool | None]:
        """Of each speech-to-text worker whether it would take another call; None: it is late."""

    async def has_autoscaler(self) -> bool:
        """Whether somebody adds nodes when they are asked for."""

    async def ask_for(self, nodes: int) -> None:
        """Ask for so many nodes in all; replaces what was asked for before."""


class Keeper:
    """One for the cluster. `idle_min` are the call actors to keep warm; `node_slots` is what a new node offers."""

    def __init__(
        self, cluster: Cluster, *, idle_min: int, node_slots: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._cluster = cluster
        self._idle_min = idle_min
        self._node_slots = node_slots
        self._clock = clock
        self._nodes = Nodes()
        self._admission = Admission()
        self._asked: int | None = None

    async def run(self) -> None:
        """Round after round, for ever."""
        while True:
            try:
                await self.round()
            except Unreachable as error:
                logger.warning("the cluster could not be looked at", extra={"problem": str(error)})
            await asyncio.sleep(ROUND_S)

    async def round(self) -> None:
        """Look at everything once and do what is due."""
        nodes, pools = await _within(self._cluster.nodes()), await _within(self._cluster.pools())
        answers, loads = await asyncio.gather(self._answers(), self._loads(nodes, pools))
        await self._replace(nodes, pools)
        self._admission.hear(answers, self._clock())
        await _each(self._admission.to_tell(loads), self._tell)
        await _each(self._nodes.to_drain_again(loads), self._cluster.drain)
        if await _within(self._cluster.has_autoscaler()):
            await self._fit(nodes, loads)

    async def _answers(self) -> list[bool | None]:
        try:
            return await _within(self._cluster.listening())
        except Unreachable:
            return [None]

    async def _loads(self, nodes: list[Node], pools: list[str]) -> dict[str, Load]:
        """The pools of nodes that are alive, as far as they answer."""
        alive = [node.key for node in nodes if node.key in set(pools)]
        found = await asyncio.gather(*(self._load(pool) for pool in alive))
        return {pool: load for pool, load in zip(alive, found, strict=True) if load is not None}

    async def _load(self, pool: str) -> Load | None:
        try:
            return await _within(self._cluster.load(pool))
        except Unreachable as error:
            logger.warning("a pool does not answer", extra={"node": pool, "problem": str(error)})
            return None

    async def _replace(self, nodes: list[Node], pools: list[str]) -> None:
        """Start pools that are missing, forget those of dead nodes."""
        gone = self._nodes.to_forget(nodes, pools)
        await asyncio.gather(
            _each(gone, self._cluster.close), _each(self._nodes.to_start(nodes, pools), self._cluster.start)
        )
        for pool in gone:
            logger.warning("a node is gone, and its pool with it", extra={"node": pool})

    async def _tell(self, pool: str) -> None:
        await self._cluster.admit(pool, self._admission.is_open)
        self._admission.told(pool)

    async def _fit(self, nodes: list[Node], loads: dict[str, Load]) -> None:
        """Ask for as many nodes as the calls need, and let go of those they do not."""
        need = wanted(loads.values(), idle_min=self._idle_min, node_slots=self._node_slots)
        await self._ask(need)
        back = self._nodes.to_bring_back(loads, need)
        await _each([node for node in nodes if node.key == back], self._cluster.replace)
        await _each(self._nodes.to_close({k: v for k, v in loads.items() if k != back}), self._cluster.close)
        retiring = self._nodes.to_retire(loads, need, self._clock())
        await _each([retiring] if retiring else [], self._cluster.drain)

    async def _ask(self, need: Wanted) -> None:
        if need.nodes != self._asked:
            await _within(self._cluster.ask_for(need.nodes))
            self._asked = need.nodes
            logger.info("nodes asked for", extra={"nodes": need.nodes, "slots": need.slots})


async def _within(work: Awaitable[_T]) -> _T:
    try:
        async with asyncio.timeout(ANSWER_S):
            return await work
    except TimeoutError as error:
        raise Unreachable("it takes too long") from error


async def _each(things: Iterable[_T], do: Callable[[_T], Awaitable[None]]) -> None:
    """Do it to all of them at once; one that fails is for the next round."""

    async def one(thing: _T) -> None:
        try:
            await _within(do(thing))
        except Unreachable as error:
            logger.warning("a step of a round failed", extra={"step": do.__name__, "problem": str(error)})

    await asyncio.gather(*(one(thing) for thing in things))
