"""The way to the ledger's writers, for call actors and Serve replicas: the account's shard, asked until it answers."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar

import ray
from ray.exceptions import RayError, RayTaskError

from actors.billing.shards import writer_of
from models.document import Id
from models.errors import CallboardError, CreditUnavailable
from models.ledger import Entry
from models.settings import Settings

PATIENCE_S = 12.0
"""A writer that died is back in one to three seconds, more on a busy machine."""
PAUSE_S = 0.2

T = TypeVar("T")

logger = logging.getLogger(__name__)


class LedgerClient:
    """Satisfies `services.credit.Credit`. Asking again is harmless, whatever became of the question before."""

    def __init__(self, settings: Settings) -> None:
        self._namespace = settings.ray_namespace
        self._shards = settings.billing_shards
        self._writers: dict[str, Any] = {}

    async def hold(self, organization_id: Id, call_id: Id, now: datetime) -> None:
        """See Credit."""
        await self._ask(organization_id, lambda writer: writer.hold.remote(organization_id, call_id, now))

    async def extend(self, organization_id: Id, call_id: Id, total_micros: int, now: datetime) -> bool:
        """See Credit."""
        return await self._ask(
            organization_id, lambda writer: writer.extend.remote(organization_id, call_id, total_micros, now)
        )

    async def close(self, organization_id: Id, call_id: Id, cost_micros: int, now: datetime) -> None:
        """See Credit."""
        await self._ask(organization_id, lambda writer: writer.close.remote(organization_id, call_id, cost_micros, now))

    async def top_up(
        self, organization_id: Id, key: str, amount_micros: int, *, reason: str, by: Id | None, now: datetime
    ) -> Entry:
        """See Credit."""
        return await self._ask(
            organization_id,
            lambda writer: writer.top_up.remote(organization_id, key, amount_micros, reason=reason, by=by, now=now),
        )

    async def refund(
        self, organization_id: Id, key: str, call_id: Id, amount_micros: int, *, reason: str, by: Id, now: datetime
    ) -> Entry:
        """See Credit."""
        return await self._ask(
            organization_id,
            lambda writer: writer.refund.remote(
                organization_id, key, call_id, amount_micros, reason=reason, by=by, now=now
            ),
        )

    async def _ask(self, organization_id: Id, question: Callable[[Any], Awaitable[T]]) -> T:
        """The answer; an error of ours comes as itself. Raises CreditUnavailable when nobody answers in time.

        Ray asks a writer that died again by itself; this asks when Ray gives up, or knows no writer yet.
        """
        name = writer_of(organization_id, self._shards)
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    try:
                        return await self._asked(name, question)
                    except (RayError, ValueError):
                        self._writers.pop(name, None)
                    await asyncio.sleep(PAUSE_S)
        except TimeoutError as error:
            logger.warning("a ledger writer does not answer", extra={"writer": name})
            raise CreditUnavailable("The credit ledger is busy, try again") from error

    async def _asked(self, name: str, question: Callable[[Any], Awaitable[T]]) -> T:
        if name not in self._writers:
            # Asks Ray's control plane, which blocks.
            self._writers[name] = await asyncio.to_thread(ray.get_actor, name, self._namespace)
        try:
            return await question(self._writers[name])
        except RayTaskError as error:
            if isinstance(error.cause, CallboardError):
                raise error.cause from error
            raise
