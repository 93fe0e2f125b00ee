"""What the benchmarks of a conversation share: the whole product, its vendors' simulators, and one call after another.

Everything is the real thing but the vendors, whose simulators answer over loopback with the delays given. Callers,
carrier and vendors live in the benchmark's own process.
"""

import argparse
import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
from pydantic import SecretStr

from bench.stack import Join, nobody, nothing, running
from cli.background import Background
from cli.embedded.ports import free_port
from cli.serve_child import serve_child
from models.call import Call, Turn
from models.settings import Settings
from simulators.behaviour import Behaviour, Series
from simulators.caller import Script, rehearsed
from simulators.carrier import Carrier, Plan
from simulators.dialogue import reply_to
from simulators.llm import LlmServer
from simulators.report import CallReport
from simulators.tts import Speaker, TtsServer, espeak
from simulators.words import Stored
from stores.mongo import connect, database
from stores.repositories import Repositories

ACCOUNT = {"apiKey": "demo-key", "apiToken": "demo-token", "sid": "demo", "subdomain": "api.in.exotel.com"}
NUMBERS = ("+918047491899", "+919876543210")
VOICES = ("en-us+m3", "en-us+f2", "en-us+m1", "en-us+f4", "en-us+m2", "en-us+f1", "en-us+m4", "en-us+f3")
"""The callers'; the demonstration Whisper has heard all of them."""
AGENT: Mapping[str, Any] = {
    "prompt": "You book appointments for a clinic.",
    "voice": {"provider": "elevenlabs", "voiceId": "en-us+f2"},
    "language": "en",
    "llm": {"model": "gpt-4"},
    "firstMessage": "Hello, how can I help you today?",
    "sessionTimeout": 900,
}
Says = Callable[[Sequence[Mapping[str, object]]], str]
"""What the language model answers to a chat of `role` and `content`."""
_CALL_S = 900.0
_LOG_S = 30.0
"""How long after the carrier hung up a log may take to be final."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the vendors are: to the first token and byte, and tokens per second after that."""

    llm_ms: float = 300.0
    tts_ms: float = 150.0
    llm_rate: float = 60.0

    def __str__(self) -> str:
        return f"vendors {self.llm_ms:g} + {self.tts_ms:g} ms"

    @property
    def llm(self) -> Behaviour:
        """A language model's request."""
        return Behaviour(self.llm_ms / 1000, self.llm_rate)

    @property
    def tts(self) -> Behaviour:
        """A voice's request."""
        return Behaviour(self.tts_ms / 1000)


USUAL = Pace()


def arguments(description: str | None) -> argparse.ArgumentParser:
    """A benchmark's parser, with the vendors' pace in it."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--llm-ms", type=float, default=USUAL.llm_ms, help="to the language model's first token")
    parser.add_argument("--tts-ms", type=float, default=USUAL.tts_ms, help="to the voice's first byte")
    parser.add_argument("--llm-rate", type=float, default=USUAL.llm_rate, help="tokens per second; inf: at once")
    return parser


def pace_of(options: argparse.Namespace) -> Pace:
    """The pace the options ask for."""
    return Pace(options.llm_ms, options.tts_ms, options.llm_rate)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the product expects its vendors."""

    carrier: int = field(default_factory=free_port)
    llm: int = field(default_factory=free_port)
    tts: int = field(default_factory=free_port)


@dataclass(frozen=True, slots=True)
class Product:
    """A deployed product."""

    settings: Settings
    children: Background
    ports: Ports


@contextmanager
def product(join: Join = nobody, /, **chosen: object) -> Iterator[Product]:
    """The product, set to the simulators, without limits of requests, until the context is left; `join`: see stack."""
    ports = Ports()
    base: dict[str, object] = {
        "call_slots": 2,
        "signup_credits_micros": 1_000_000_000,
        "limit_api_per_user": 0,
        "limit_outbound_per_user": 0,
        "exotel_base_url": f"http://127.0.0.1:{ports.carrier}",
        "openai_base_url": f"http://127.0.0.1:{ports.llm}/v1",
        "openai_api_key": SecretStr("bench"),
        "elevenlabs_base_url": f"http://127.0.0.1:{ports.tts}",
        "elevenlabs_api_key": SecretStr("bench"),
    }
    application = partial(serve_child, local_ray=True)
    with running(application, nothing, join, **(base | chosen)) as (settings, children):
        print(f"{load()} before the first call")
        yield Product(settings, children, ports)


def load() -> str:
    """The machine's load, for the reader of a table."""
    return f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


@dataclass(frozen=True, slots=True)
class Conversation:
    """A finished call from both sides: what the carrier heard and what the log holds."""

    report: CallReport
    call: Call
    clock_s: float
    """The wall's clock less the monotonic one."""

    def at(self, turn: Turn) -> float:
        """When a turn was committed, on the report's clock."""
        stamped = self.written_at(turn)
        final_ms = turn.timings.final_text_ms if turn.role == "user" else None
        return stamped if final_ms is None else min(stamped, self.report.origin + final_ms / 1000)

    def written_at(self, turn: Turn) -> float:
        """When a turn was put down in the log, on the report's clock."""
        return turn.timestamp.timestamp() - self.clock_s

    @property
    def stored(self) -> list[Stored]:
        """The caller's turns."""
        return [Stored(turn.content, self.at(turn)) for turn in self.call.turns if turn.role == "user"]

    @property
    def agent_turns(self) -> list[Turn]:
        """The agent's."""
        return [turn for turn in self.call.turns if turn.role == "assistant"]


class World:
    """The product with its vendors and one customer. Behaviours of `llm` and `tts` may be changed at any time."""

    def __init__(
        self, *, carrier: Carrier, llm: LlmServer, tts: TtsServer, http: httpx.AsyncClient, stores: Repositories
    ):
        self.carrier = carrier
        self.llm = llm
        self.tts = tts
        self.stores = stores
        self._http = http
        self._ordering = asyncio.Lock()

    async def sign_up(self) -> None:
        """A new account with one phone."""
        body = {"email": "bench@example.com", "password": "a long password"}
        token = (await self._post("/auth/signup", body))["tokens"]["access"]
        self._http.headers["Authorization"] = f"Bearer {token}"
        await self._post("/phones/import", {"number": NUMBERS[0], "country": "IN", "exotelConfig": ACCOUNT})

    async def agent(self, **config: object) -> str:
        """A new agent's id; `config` replaces parts of AGENT, in the API's names."""
        made = await self._post("/agents", {"name": "Bench", "config": {**AGENT, **config}})
        identifier: str = made["agent"]["_id"]
        return identifier

    async def call(self, agent_id: str, script: Script) -> Conversation:
        """One call from the order to the final log. Raises TimeoutError when there is no end to it."""
        await rehearsed(script)  # so that nobody is late for the first word
        held = self.carrier.calls[await self.place(agent_id, script)]
        async with asyncio.timeout(_CALL_S):
            await held.ended.wait()
        if held.report is None:
            raise RuntimeError(f"the call was not answered: {held.state.status}")
        logged = await self._final(held.state.sid)
        return Conversation(held.report, logged, time.time() - time.monotonic())

    async def calls(self, orders: Sequence[tuple[str, Script]], *, at_once: int) -> list[Conversation]:
        """One call per order of an agent and a script; the results in the orders' order."""
        slots = asyncio.Semaphore(at_once)

        async def one(agent_id: str, script: Script) -> Conversation:
            async with slots:
                return await self.call(agent_id, script)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(agent_id, script)) for agent_id, script in orders]
        return [task.result() for task in tasks]

    async def place(self, agent_id: str, script: Script) -> str:
        """Order a call and return the carrier's id of it. Raises httpx.HTTPError when the product does not take it.

        One at a time, because the carrier hands out its plans in the orders' order.
        """
        order = {"fromPhone": NUMBERS[0], "toPhone": NUMBERS[1], "agentId": agent_id}
        async with self._ordering:
            self.carrier.plans.add(Plan(script, dial_s=0.1, ring_s=0.1))
            sid: str = (await self._post("/calls/outbound", order))["call"]["exotelCallSid"]
        return sid

    async def _final(self, sid: str) -> Call:
        async with asyncio.timeout(_LOG_S):
            while (call := await self.stores.calls.by_carrier(sid)).ended_at is None:  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.1)
        return call

    async def _post(self, path: str, body: object) -> dict[str, dict[str, str]]:
        answer = await self._http.post(path, json=body)
        answer.raise_for_status()
        data: dict[str, dict[str, str]] = answer.json()["data"]
        return data


@asynccontextmanager
async def world(
    product: Product, pace: Pace, *, answer: Says = reply_to, speaker: Speaker = espeak
) -> AsyncIterator[World]:
    """Vendors at the ports the product was told, and a customer of it, until the context is left."""
    settings, ports = product.settings, product.ports
    idle = Plan(Script(()), dial_s=0.1, ring_s=0.1)
    async with (
        LlmServer(answer, port=ports.llm, behaviours=Series(pace.llm)) as llm,
        TtsServer(port=ports.tts, behaviours=Series(pace.tts), speaker=speaker) as tts,
        Carrier(idle, port=ports.carrier) as carrier,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.port}/api/v1", timeout=30.0) as http,
        connect(settings) as client,
    ):
        stores = Repositories.over(database(client, settings))
        made = World(carrier=carrier, llm=llm, tts=tts, http=http, stores=stores)
        await made.sign_up()
        yield made
