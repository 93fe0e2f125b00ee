"""`python -m simulators` as a user starts it."""

import asyncio
import json
import signal
import socket
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from tests.simulators.platform_peer import Peer
from tests.simulators.test_carrier import close_soon

pytestmark = pytest.mark.integration

REPOSITORY = Path(__file__).resolve().parents[2]


async def simulators(*arguments: str) -> asyncio.subprocess.Process:
    """Start one command."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulators", *arguments, cwd=REPOSITORY, stdout=PIPE, stderr=PIPE
    )


async def line_of(process: asyncio.subprocess.Process) -> dict[str, Any]:
    """The next line of its standard output."""
    assert process.stdout is not None
    return dict(json.loads(await asyncio.wait_for(process.stdout.readline(), 20)))


async def test_serve_says_its_ports_takes_a_call_and_stops_on_a_signal(tmp_path: Path) -> None:
    process = await simulators("serve", "--out", str(tmp_path), "--answer-ms", "200", "--llm-first-token-ms", "1")
    try:
        ready = await line_of(process)
        async with openai.AsyncOpenAI(base_url=ready["llmUrl"], api_key="any") as client:
            completion = await client.chat.completions.create(
                model="gpt-4", messages=[{"role": "user", "content": "hello"}]
            )
        assert completion.choices[0].message.content == "How can I help you today?"
        async with Peer(close_soon) as peer, httpx.AsyncClient(auth=("demo-key", "demo-token")) as client:
            form = {"From": "+1", "CallerId": "+2", "StreamUrl": peer.media_url, "StreamType": "bidirectional"}
            url = f"{ready['carrierUrl']}/v1/Accounts/{ready['accountSid']}/Calls/connect.json"
            assert (await client.post(url, data=form)).status_code == 200
            ended = await line_of(process)
        assert ended["event"] == "ended"
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 0
    assert len(await asyncio.to_thread(Path(ended["recording"]).read_bytes)) > 1_000
    report = json.loads(await asyncio.to_thread(Path(ended["report"]).read_text))
    assert report["endReason"] == "platform"


async def test_dial_in_prints_its_report() -> None:
    async with Peer(close_soon) as peer:
        process = await simulators("dial-in", "--webhook", f"{peer.url}/incoming", "--from", "+1", "--to", "+2")
        report = await line_of(process)
        await process.communicate()
    assert (process.returncode, report["endReason"], report["from"]) == (0, "platform", "+1")


async def test_dial_in_says_when_nobody_takes_the_call() -> None:
    async with Peer(close_soon) as peer:
        process = await simulators("dial-in", "--webhook", f"{peer.url}/deaf", "--from", "+1", "--to", "+2")
        await process.communicate()
    assert process.returncode == 1


async def test_a_port_in_use_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        process = await simulators("serve", "--llm-port", port)
        _, errors = await process.communicate()
    assert process.returncode == 1
    assert errors.decode().count("\n") == 1
    assert port in errors.decode()
