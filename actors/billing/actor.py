"""The Ray actor that writes one shard of the accounts.

It keeps nothing: killed at any moment, it is started again and goes on, and what was asked of it is asked again.
"""

import os
from typing import Any

import ray

from actors import metrics
from actors.billing.rating import Prices, hold_step
from actors.billing.shards import writer_name
from actors.billing.writer import LedgerWriter
from models.settings import Settings
from stores.mongo import connect, database
from stores.repositories import Repositories

LOGICAL_CPU = 0.01


class LedgerActor(LedgerWriter):
    """A writer in a process of its own."""

    def __init__(self, settings: Settings) -> None:
        metrics.export()
        self._client = connect(settings)
        stores = Repositories.over(database(self._client, settings))
        super().__init__(stores.ledger, stores.holds, hold_step(Prices.of(settings)))

    async def ready(self) -> int:
        """Answers once the database does: the writer's process id."""
        await self._client.admin.command("ping")
        return os.getpid()


def start(settings: Settings) -> list[Any]:
    """Handles of all writers, started now or running already. They outlive whoever started them."""
    options: dict[str, Any] = {
        "namespace": settings.ray_namespace,
        "get_if_exists": True,
        "lifetime": "detached",
        "max_restarts": -1,
        "max_task_retries": -1,  # whatever was asked may be asked again
        "num_cpus": LOGICAL_CPU,
    }
    writers = ray.remote(LedgerActor)
    return [writers.options(name=writer_name(n), **options).remote(settings) for n in range(settings.billing_shards)]
