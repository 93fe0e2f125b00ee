"""Which pool of the cluster a call gets its actor from. Knows neither Ray nor what a pool does, only whom to ask.

The own node's pool first, so that media stays on the host; then the pool that keeps an actor for the call; then others,
of two chosen by chance the one with more to give. Nothing global is asked for more often than every KNOWN_S.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from actors.call_session.pool import TAKEN, ActorLost, Lease, PoolStats, Refusal
from actors.call_session.pool_policy import DRAINING, FULL, SPEECH_TO_TEXT, STARTING
from models.errors import Conflict, NoCapacity

logger = logging.getLogger(__name__)

UNREACHABLE = "unreachable"
"""No pool answers: it is being restarted, or its node is gone."""
ASK_S = 1.5
RESTART_S = 3.0
"""A pool that died is back in so long; a caller who has answered waits for it."""
AGAIN_S = 0.2
KNOWN_S = 2.0
SHUN_S = 5.0
"""A pool that did not answer is passed over for so long, where there are others."""
MOST_OTHERS = 6
"""Pools asked besides the preferred ones: in a cluster so full that none of them has room, the rest has little."""

PRECEDENCE = (TAKEN, STARTING, UNREACHABLE, SPEECH_TO_TEXT, FULL, DRAINING)
"""Of several pools' reasons the one that counts: first those that time may mend."""
PASSING = {TAKEN, STARTING, UNREACHABLE}


class AskPool(Protocol):
    """Calls a pool's method. ActorLost: it is dead; TimeoutError: it does not answer in time."""

    async def __call__(self, pool: str, method: str, *arguments: object, within_s: float) -> Any:
        """The method's answer."""


@dataclass(frozen=True, slots=True)
class _Said:
    pool: str
    answer: Any


class Pools:
    """`known` lists the pools of the cluster, `own` is the one of this node, should it have one."""

    def __init__(self, ask: AskPool, known: Callable[[], Awaitable[Sequence[str]]], own: str) -> None:
        self._ask = ask
        self._known = known
        self._own = own
        self._names: Sequence[str] = ()
        self._listed_at: float | None = None
        self._shunned: dict[str, float] = {}

    async def lease(self, session_id: str, *, kept_at: str | None, by: str = "") -> Lease:
        """A warm actor that expects the call, kept for it at that pool or not; `by` tells those apart who ask for one.

        Raises NoCapacity; Conflict: the call is with an actor already.
        """
        give_up = _now() + RESTART_S
        is_first = True
        while True:
            said = await self._round((self._own, kept_at), "lease", session_id, by, everybody=not is_first)
            if said and isinstance(lease := said[-1].answer, Lease):
                return replace(lease, pool=said[-1].pool)
            refusal = _refusal(said)
            if refusal.reason not in PASSING or _now() + AGAIN_S > give_up:
                raise _error(refusal)
            is_first = False
            await asyncio.sleep(AGAIN_S)

    async def reserve(self, session_id: str, *, for_s: float, patience_s: float) -> str:
        """The pool that keeps an actor for the call from now on; raises NoCapacity."""
        began = _now()
        is_first = True
        while True:
            said = await self._round((self._own,), "reserve", session_id, for_s, everybody=not is_first)
            if said and said[-1].answer is None:
                return said[-1].pool
            refusal, left = _refusal(said), began + patience_s - _now()
            if refusal.reason == STARTING and left > 0:
                warming = next(each.pool for each in said if each.answer.reason == STARTING)
                answer = await self._say(warming, "reserve", session_id, for_s, left, within_s=left + ASK_S)
                if answer is None:
                    return warming
                raise _error(answer)
            if refusal.reason != UNREACHABLE or _now() + AGAIN_S > began + RESTART_S:
                raise _error(refusal)
            is_first = False
            await asyncio.sleep(AGAIN_S)

    async def check(self) -> None:
        """Return when a pool answers, full or not; raises NoCapacity."""
        said = await self._round((self._own,), "stats", everybody=False)
        if not said or isinstance(said[-1].answer, Refusal):
            raise _error(_refusal(said))

    async def tell(self, pool: str, method: str, *arguments: object) -> bool:
        """Say something to a pool that has no answer; False: it did not hear."""
        answer = await self._say(pool, method, *arguments)
        return not (isinstance(answer, Refusal) and answer.reason == UNREACHABLE)

    async def _round(
        self, preferred: Sequence[str | None], method: str, *arguments: object, everybody: bool
    ) -> list[_Said]:
        """Ask one pool after the other until one does not refuse; its answer is the last."""
        said: list[_Said] = []
        async for pool in self._in_order(preferred, everybody=everybody):
            said.append(_Said(pool, await self._say(pool, method, *arguments)))
            if not isinstance(said[-1].answer, Refusal):
                break
        return said

    async def _in_order(self, preferred: Sequence[str | None], *, everybody: bool) -> AsyncIterator[str]:
        known = await self._pools()
        trusted = [name for name in known if self._shunned.get(name, 0.0) <= _now()]
        among = known if everybody or not trusted else trusted
        first = [name for name in dict.fromkeys(preferred) if name is not None and name in among]
        for name in first:
            yield name
        others = [name for name in among if name not in first]
        for name in await self._spread(random.sample(others, min(len(others), MOST_OTHERS))):
            yield name

    async def _spread(self, names: list[str]) -> list[str]:
        """The same, the first two in the order of what they have to give."""
        if len(names) < 2:
            return names
        stats = await asyncio.gather(*(self._say(name, "stats") for name in names[:2]))
        idle = [each.idle if isinstance(each, PoolStats) else -1 for each in stats]
        return names if idle[0] >= idle[1] else [names[1], names[0], *names[2:]]

    async def _pools(self) -> Sequence[str]:
        if self._listed_at is None or _now() - self._listed_at > KNOWN_S:
            self._listed_at = _now()
            try:
                async with asyncio.timeout(ASK_S):
                    self._names = await self._known()
            except (ActorLost, TimeoutError) as error:
                logger.warning("the pools could not be listed", extra={"problem": str(error)})
        return self._names

    async def _say(self, pool: str, method: str, *arguments: object, within_s: float = ASK_S) -> Any:
        """The pool's answer, or a refusal in its name."""
        try:
            answer = await self._ask(pool, method, *arguments, within_s=within_s)
        except (ActorLost, TimeoutError) as error:
            logger.warning("a pool did not answer", extra={"pool": pool, "problem": str(error)})
            self._shunned[pool] = _now() + SHUN_S
            return Refusal(UNREACHABLE)
        self._shunned.pop(pool, None)
        return answer


def _refusal(said: Sequence[_Said]) -> Refusal:
    """What several pools' refusals come to."""
    refusals: list[Refusal] = [each.answer for each in said] or [Refusal(UNREACHABLE)]
    chosen = min(refusals, key=lambda refusal: PRECEDENCE.index(refusal.reason))
    return replace(chosen, retry_after_s=min(refusal.retry_after_s for refusal in refusals))


def _error(refusal: Refusal) -> Conflict | NoCapacity:
    if refusal.reason == TAKEN:
        return Conflict("Call is already connected")
    return NoCapacity("no call actor is free", reason=refusal.reason, retry_after_s=refusal.retry_after_s)


def _now() -> float:
    return asyncio.get_running_loop().time()
