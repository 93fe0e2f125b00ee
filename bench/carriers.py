"""The load generator of `bench/media_path.py`, in a process of its own: carriers that time their own frames' echo.

Reads {"urls": [...], "seconds": s, "frames_per_s": n} from standard input, prints {"sent", "latencies_ms"}.
"""

import asyncio
import base64
import json
import sys
import time
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

AUDIO_BYTES = 240
"""Makes a media message of about 430 bytes with its JSON around it."""
LAST_ECHO_S = 2.0


async def _main(order: dict[str, Any]) -> None:
    calls = [_call(url, order, phase=i / len(order["urls"])) for i, url in enumerate(order["urls"])]
    results = await asyncio.gather(*calls)
    latencies = [ms for _, heard in results for ms in heard]
    print(json.dumps({"sent": sum(sent for sent, _ in results), "latencies_ms": latencies}))


async def _call(url: str, order: dict[str, Any], *, phase: float) -> tuple[int, list[float]]:
    period_s = 1 / order["frames_per_s"]
    frames = int(order["seconds"] * order["frames_per_s"])
    latencies: list[float] = []
    async with connect(url, compression=None) as socket:
        await asyncio.sleep(1.0)  # every call is up before the first frame is counted
        listening = asyncio.create_task(_listen(socket, frames, latencies))
        start = time.perf_counter() + phase * period_s
        for n in range(frames):
            await asyncio.sleep(start + n * period_s - time.perf_counter())
            await socket.send(_frame(n, time.perf_counter()))
        await asyncio.wait([listening], timeout=LAST_ECHO_S)
        listening.cancel()
    return frames, latencies


async def _listen(socket: ClientConnection, frames: int, latencies: list[float]) -> None:
    for _ in range(frames):
        message = json.loads(await socket.recv())
        latencies.append((time.perf_counter() - message["at"]) * 1000)


def _frame(n: int, at: float) -> str:
    payload = base64.b64encode(bytes(AUDIO_BYTES)).decode()
    media = {"chunk": str(n), "timestamp": str(n * 20), "payload": payload}
    return json.dumps({"event": "media", "stream_sid": "bench", "at": at, "media": media})


if __name__ == "__main__":
    asyncio.run(_main(json.load(sys.stdin)))
