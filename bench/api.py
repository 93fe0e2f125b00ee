"""The REST API over a million call logs: lists with every filter, placing calls, logging in.

    python -m bench.api [--calls 1000000] [--http-requests 200] [--keep NAME]

Everything is the real thing, two replicas behind the ingress, but the carrier, which answers on loopback. `MONGODB_URL`
measures that server instead of the embedded engine. The database is a new one and dropped at the end; `--keep` names
one that stays and whose calls are found again the next time.
Target on a quiet machine: p99 of less than 100 ms for every list of an indexed filter.
"""

import argparse
import asyncio
import os
import platform
import time
import uuid
from functools import partial

import httpx
from pymongo import MongoClient

from bench import call_logs, call_queries
from bench.api_load import Client, seed_tenant
from bench.stack import running
from cli.embedded.ports import free_port
from cli.serve_child import serve_child
from models.settings import Settings
from simulators.caller import HangUp, Script
from simulators.carrier import Carrier, Plan
from simulators.exotel_calls import Outcome
from stores.mongo import connect, database
from stores.repositories import Repositories

NOBODY = Plan(Script((HangUp(),)), outcome=Outcome.NO_ANSWER, dial_s=0.05, ring_s=0.05)
UNLIMITED = {"limit_auth_per_ip": 0, "limit_api_per_user": 0, "limit_outbound_per_user": 0}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--http-requests", type=int, default=200)
    parser.add_argument("--keep", metavar="NAME")
    options = parser.parse_args()
    began, carrier_port = time.monotonic(), free_port()
    chosen = UNLIMITED | {
        "mongodb_database": options.keep or f"callboard_bench_{uuid.uuid4().hex[:8]}",
        "exotel_base_url": f"http://127.0.0.1:{carrier_port}",
        "call_slots": 1,
        "serve_replicas": 2,
    }
    with running(
        partial(serve_child, local_ray=True),
        partial(_seed, options.calls),
        **chosen,
    ) as (settings, _):
        try:
            _loaded("before the first request")
            asyncio.run(call_queries.measure(settings, options.http_requests))
            asyncio.run(_over_http(settings, carrier_port, options.http_requests))
        finally:
            if not options.keep:
                with MongoClient[dict[str, object]](settings.mongodb_url) as client:
                    client.drop_database(settings.mongodb_database)
    _loaded(f"at the end, after {time.monotonic() - began:.0f} s in all")


def _seed(calls: int, settings: Settings) -> None:
    with MongoClient[dict[str, object]](settings.mongodb_url) as client:
        print(f"{os.cpu_count()} cores, {platform.machine()}; MongoDB {client.server_info()['version']}")
        found = client[settings.mongodb_database]["calls"].estimated_document_count()
    if found >= calls:
        print(f"{found} calls are there")
        return
    seeded = call_logs.seed(settings.mongodb_url or "", settings.mongodb_database, calls)
    size = f"{seeded.raw_bytes / 1e9:.2f} GB, {seeded.stored_bytes / 1e9:.2f} GB on disk"
    print(f"{calls} calls made in {seeded.took_s:.0f} s: {size}", flush=True)
    asyncio.run(_finish_seeding(settings))


async def _finish_seeding(settings: Settings) -> None:
    began = time.monotonic()
    async with connect(settings) as client:
        await Repositories.over(database(client, settings)).create_indexes()
        stats = await database(client, settings).command("collStats", "calls")
    sizes = ", ".join(f"{name} {size / 1e6:.0f} MB" for name, size in stats["indexSizes"].items())
    print(f"indexes made in {time.monotonic() - began:.0f} s: {sizes}", flush=True)
    await seed_tenant(settings)


async def _over_http(settings: Settings, carrier_port: int, times: int) -> None:
    base = f"http://127.0.0.1:{settings.port}/api/v1"
    async with Carrier(NOBODY, port=carrier_port) as carrier, httpx.AsyncClient(base_url=base, timeout=60.0) as http:
        client = Client(http)
        await client.log_in()
        await client.lists(times)
        await client.outbound(carrier, times)
        await client.logins(max(20, times // 4))
        await client.figures()


def _loaded(when: str) -> None:
    print(f"load average {os.getloadavg()[0]:.1f} {when}", flush=True)


if __name__ == "__main__":
    main()
