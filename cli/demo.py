"""What `callboard up --demo` adds: simulated vendors as a child, and one phone call made through the public API.

Everything here is done as a customer would do it: REST for the account, agent, phone and call, Socket.IO to watch.
"""

import asyncio
import hashlib
import hmac
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import socketio

from cli.admin import make_admin
from cli.child import Child, Restart
from cli.embedded.ports import free_port
from cli.errors import StartFailed
from cli.terminal import Terminal
from models.settings import Settings

EMAIL = "demo@callboard.example.com"
CLINIC = "+918047491899"
CALLER = "+919876543210"
CREDITS_MICROS = 25_000_000
CALL_TIMEOUT_S = 240
ACCOUNT = {"apiKey": "demo-key", "apiToken": "demo-token", "sid": "callboard-demo", "subdomain": "api.in.exotel.com"}
AGENT = {
    "name": "Demo clinic",
    "config": {
        "prompt": "You answer the phone of a small clinic and book appointments. Ask for day, time, name and number.",
        "voice": {"provider": "espeak", "voiceId": "en-us+f2"},
        "language": "en",
        "llm": {"model": "gpt-4", "temperature": 0.2},
        "firstMessage": "Hello, this is the demo clinic. How can I help you today?",
        "sessionTimeout": 300,
    },
}


def demo_children(settings: Settings) -> tuple[Settings, tuple[Child, ...]]:
    """The simulated carrier and language model, and the settings that point to them where nothing real is set."""
    carrier, llm, tts = free_port(), free_port(), free_port()
    options = {
        "--carrier-port": carrier,
        "--llm-port": llm,
        "--tts-port": tts,
        "--account-sid": ACCOUNT["sid"],
        "--api-key": ACCOUNT["apiKey"],
        "--api-token": ACCOUNT["apiToken"],
        "--out": settings.callboard_data_dir / "demo",
    }
    child = Child(
        name="simulators",
        command=(sys.executable, "-m", "simulators", "serve", *(str(x) for pair in options.items() for x in pair)),
        setting="OPENAI_BASE_URL",
        place=f"carrier :{carrier}, scripted language model :{llm}",
        ready=lambda: _listens(llm),
        restart=Restart.ALWAYS,
    )
    found: dict[str, object] = {
        "exotel_base_url": f"http://127.0.0.1:{carrier}",
        "signup_credits_micros": CREDITS_MICROS,
    }
    if not settings.openai_api_key.get_secret_value():
        found |= {"openai_base_url": f"http://127.0.0.1:{llm}/v1", "openai_api_key": type(settings.secret_key)("demo")}
    return settings.model_copy(update=found), (child,)


async def run_demo(settings: Settings) -> None:
    """Show where everything is, then make one call and show it as it happens."""
    terminal = Terminal()
    password = _password(settings)
    terminal.banner(settings)
    terminal.note(f"  demo login {EMAIL} / {password}")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.port}/api/v1", timeout=20.0) as http:
        customer = await _log_in(http, password)
        await make_admin(settings, EMAIL)
        call = await _place_call(customer, await _agent(customer))
        await _watch(settings, customer, call, terminal)


@dataclass(frozen=True, slots=True)
class _Customer:
    """The API as the demo account uses it."""

    http: httpx.AsyncClient
    token: str

    async def ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        """The `data` of the answer; an error answer ends the demo with its message."""
        answer = await self.http.request(method, path, json=body, headers={"Authorization": f"Bearer {self.token}"})
        return _data(answer)


def _data(answer: httpx.Response) -> dict[str, Any]:
    content: dict[str, Any] = answer.json()
    if not content.get("success"):
        raise StartFailed(f"the demo's {answer.request.url.path}: {content['error']['message']}")
    data: dict[str, Any] = content["data"]
    return data


async def _log_in(http: httpx.AsyncClient, password: str) -> _Customer:
    """The demo account, made at the first run."""
    body = {"email": EMAIL, "password": password, "name": "Demo"}
    answer = await http.post("/auth/login", json=body)
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        answer = await http.post("/auth/signup", json=body)
    return _Customer(http, _data(answer)["tokens"]["access"])


async def _agent(customer: _Customer) -> str:
    """The demo agent's id; it answers the demo number."""
    agents = (await customer.ask("GET", f"/agents?search={AGENT['name']}"))["agents"]
    agent = agents[0] if agents else (await customer.ask("POST", "/agents", AGENT))["agent"]
    phones = (await customer.ask("GET", "/phones"))["phones"]
    if not phones:
        wanted = {"number": CLINIC, "country": "IN", "exotelConfig": ACCOUNT}
        phones = [(await customer.ask("POST", "/phones/import", wanted))["phone"]]
    await customer.ask("PUT", f"/phones/{phones[0]['_id']}/agent", {"agentId": agent["_id"]})
    identifier: str = agent["_id"]
    return identifier


async def _place_call(customer: _Customer, agent_id: str) -> dict[str, Any]:
    order = {"fromPhone": CLINIC, "toPhone": CALLER, "agentId": agent_id}
    call: dict[str, Any] = (await customer.ask("POST", "/calls/outbound", order))["call"]
    return call


async def _watch(settings: Settings, customer: _Customer, call: Mapping[str, Any], terminal: Terminal) -> None:
    """Print the transcript as the dashboard receives it, then what the call log holds."""
    ended = asyncio.Event()
    socket = socketio.AsyncClient()
    terminal.note("")
    terminal.heading(f"A simulated call  {call['sessionId']}")

    @socket.on("call:connected")  # type: ignore[untyped-decorator]
    async def _connected(_: dict[str, Any]) -> None:
        terminal.row("32", "answered", "", "")

    @socket.on("call:transcript")  # type: ignore[untyped-decorator]
    async def _line(line: dict[str, Any]) -> None:
        is_agent = line["role"] == "assistant"
        terminal.row("36" if is_agent else "33", "agent" if is_agent else "caller", line["text"], "")

    @socket.on("call:error")  # type: ignore[untyped-decorator]
    async def _error(data: dict[str, Any]) -> None:
        terminal.row("31", "fault", data["error"]["message"], "")

    @socket.on("call:ended")  # type: ignore[untyped-decorator]
    async def _ended(_: dict[str, Any]) -> None:
        ended.set()

    await socket.connect(f"http://127.0.0.1:{settings.port}", auth={"token": customer.token})
    try:
        await socket.emit("call:join", {"sessionId": call["sessionId"], "token": customer.token})
        async with asyncio.timeout(CALL_TIMEOUT_S):
            await ended.wait()
    except TimeoutError:
        terminal.error("the simulated call did not end in time; see the logs")
        return
    finally:
        await socket.disconnect()
    await _show_log(customer, call["_id"], settings, terminal)


async def _show_log(customer: _Customer, call_id: str, settings: Settings, terminal: Terminal) -> None:
    call = (await customer.ask("GET", f"/calls/{call_id}"))["call"]
    user = (await customer.ask("GET", "/auth/me"))["user"]
    terminal.row("32", call["status"], f"{call['durationSec']} s, {len(call['conversationHistory'])} turns", "")
    terminal.row("32", "cost", f"{call['costBreakdown']['total']:.6f} credits, {user['credits']:.6f} left", "")
    terminal.row("32", "log", f"GET /api/v1/calls/{call_id}", "")
    terminal.row("32", "recording", str(settings.callboard_data_dir / "recordings" / f"{call_id}.wav"), "")


def _password(settings: Settings) -> str:
    """The demo account's password: this installation's own, the same at every start."""
    return hmac.new(settings.secret_key.get_secret_value().encode(), b"demo login", hashlib.sha256).hexdigest()[:12]


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return False
    writer.close()
    return True
