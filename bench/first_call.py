"""How long a caller waits: from the end of their speech to the first byte of the agent's answer at the carrier.

    python -m bench.first_call [--turns 30] [--llm-ms 300] [--tts-ms 150]

Everything is the real thing but the vendors, whose simulators answer over loopback with the delays given: 300 ms to the
language model's first token and 150 ms to the voice's first byte. Target: p50 of 1,100 ms or less with those.
"""

import argparse
import asyncio
import os
import statistics
from collections.abc import Sequence

import httpx
from pydantic import SecretStr

from bench.stack import running
from cli.embedded.ports import free_port
from cli.serve_child import serve_child
from models.settings import Settings
from simulators.behaviour import Behaviour, Series
from simulators.caller import HangUp, Say, Script, WaitForAgent
from simulators.carrier import Carrier, Plan
from simulators.llm import LlmServer
from simulators.report import CallReport
from simulators.tts import TtsServer

ACCOUNT = {"apiKey": "demo-key", "apiToken": "demo-token", "sid": "demo", "subdomain": "api.in.exotel.com"}
NUMBERS = ("+918047491899", "+919876543210")
TURNS_PER_CALL = 10
SENTENCES = (
    "hello i would like to book an appointment",
    "tuesday please",
    "three in the afternoon",
    "how much does it cost",
    "my name is maria",
    "what are your opening hours",
    "i have a question",
    "yes please",
    "can i change it to thursday",
    "no thank you",
)
AGENT = {
    "name": "Bench",
    "config": {
        "prompt": "You book appointments for a clinic.",
        "voice": {"provider": "elevenlabs", "voiceId": "en-us+f2"},
        "language": "en",
        "llm": {"model": "gpt-4"},
        "firstMessage": "Hello, how can I help you today?",
    },
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=30)
    parser.add_argument("--llm-ms", type=float, default=300.0)
    parser.add_argument("--tts-ms", type=float, default=150.0)
    options = parser.parse_args()
    carrier, llm, tts = free_port(), free_port(), free_port()
    vendors = {
        "call_pool_size": 2,
        "signup_credits_micros": 10_000_000,
        "exotel_base_url": f"http://127.0.0.1:{carrier}",
        "openai_base_url": f"http://127.0.0.1:{llm}/v1",
        "openai_api_key": SecretStr("bench"),
        "elevenlabs_base_url": f"http://127.0.0.1:{tts}",
        "elevenlabs_api_key": SecretStr("bench"),
    }
    with running(lambda settings: serve_child(settings, local_ray=True), **vendors) as (settings, _):
        print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores before the first call")
        reports = asyncio.run(_calls(settings, (carrier, llm, tts), options))
    _print(reports, options)


async def _calls(settings: Settings, ports: tuple[int, int, int], options: argparse.Namespace) -> list[CallReport]:
    """As many calls, one after the other, as the turns need."""
    carrier_port, llm_port, tts_port = ports
    pace = Series(Behaviour(options.llm_ms / 1000, 60.0))
    async with (
        LlmServer(port=llm_port, behaviours=pace),
        TtsServer(port=tts_port, behaviours=Series(Behaviour(options.tts_ms / 1000))),
        Carrier(Plan(_script(0), dial_s=0.1, ring_s=0.1), port=carrier_port) as carrier,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.port}/api/v1", timeout=30.0) as http,
    ):
        agent_id = await _set_up(http)
        for start in range(0, options.turns, TURNS_PER_CALL):
            carrier.plans.add(Plan(_script(min(TURNS_PER_CALL, options.turns - start)), dial_s=0.1, ring_s=0.1))
            await _one_call(http, carrier, agent_id)
        return [call.report for call in carrier.calls.values() if call.report is not None]


async def _set_up(http: httpx.AsyncClient) -> str:
    body = {"email": "bench@example.com", "password": "a long password"}
    token = (await _post(http, "/auth/signup", body))["tokens"]["access"]
    http.headers["Authorization"] = f"Bearer {token}"
    agent_id: str = (await _post(http, "/agents", AGENT))["agent"]["_id"]
    await _post(http, "/phones/import", {"number": NUMBERS[0], "country": "IN", "exotelConfig": ACCOUNT})
    return agent_id


async def _one_call(http: httpx.AsyncClient, carrier: Carrier, agent_id: str) -> None:
    order = {"fromPhone": NUMBERS[0], "toPhone": NUMBERS[1], "agentId": agent_id}
    sid = (await _post(http, "/calls/outbound", order))["call"]["exotelCallSid"]
    async with asyncio.timeout(300):
        await carrier.calls[sid].ended.wait()


async def _post(http: httpx.AsyncClient, path: str, body: object) -> dict[str, dict[str, str]]:
    answer = await http.post(path, json=body)
    answer.raise_for_status()
    data: dict[str, dict[str, str]] = answer.json()["data"]
    return data


def _script(turns: int) -> Script:
    said = [step for text in SENTENCES[:turns] for step in (WaitForAgent(), Say(text))]
    return Script((*said, WaitForAgent(), HangUp()))


def _print(reports: Sequence[CallReport], options: argparse.Namespace) -> None:
    replies = [reply for report in reports for reply in report.replies]
    waits = sorted(reply.arrived_s * 1000 for reply in replies if reply.arrived_s is not None)
    gaps = sum(len(report.gaps) for report in reports)
    violations = sum(len(report.violations) for report in reports)
    cuts = statistics.quantiles(waits, n=20)
    print(f"{len(waits)} of {len(replies)} turns answered; vendors {options.llm_ms:g} + {options.tts_ms:g} ms")
    print(f"  end of speech to first reply byte, ms: p50 {cuts[9]:.0f}  p95 {cuts[18]:.0f}  max {waits[-1]:.0f}")
    print(f"  gaps in the agent's speech {gaps}, chunk rule violations {violations}")
    print(f"  load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
