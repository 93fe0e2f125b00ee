"""A receiver of webhooks that can be down, slow or lead elsewhere, and keeps every request as it came, byte by byte.

It listens at 127.0.0.2: a product that may send there and nowhere else on loopback has its guard on for the rest.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from models.settings import REPOSITORY

HOST = "127.0.0.2"
VERIFY = REPOSITORY / "docs" / "examples" / "verify_webhook.py"
VERIFY_S = 60.0
AT_ONCE = 200
"""Requests that are verified by one process."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What requests are answered from now on, and after how long."""

    status: int = 200
    delay_s: float = 0.0
    location: str | None = None

    def head(self) -> bytes:
        """The whole response; it has no body."""
        moved = "" if self.location is None else f"Location: {self.location}\r\n"
        return f"HTTP/1.1 {self.status} Said\r\n{moved}Content-Length: 0\r\n\r\n".encode()


@dataclass(frozen=True)
class Received:
    """One request. `at` is the wall's clock in seconds; `status` what it was, or would have been, answered."""

    at: float
    head: bytes
    body: bytes
    status: int

    @cached_property
    def headers(self) -> dict[str, str]:
        """By their names in lower case."""
        return _headers(self.head)

    @cached_property
    def message(self) -> dict[str, Any]:
        """The body, read."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def id(self) -> str:
        """Of the event: the same when it is sent again."""
        return self.headers["x-webhook-id"]

    @property
    def is_taken(self) -> bool:
        """Whether the receiver has said that it has it."""
        return self.status < 300


@dataclass
class Receiver:
    """Up while `up` lasts, at the same port each time. `got` are the requests in the order they came."""

    answers: Answers = field(default_factory=Answers)
    got: list[Received] = field(default_factory=list)
    host: str = HOST
    port: int = 0

    @property
    def url(self) -> str:
        """Where it is, once it was up."""
        return f"http://{self.host}:{self.port}/hook"

    @asynccontextmanager
    async def up(self) -> AsyncIterator[str]:
        """Listening until the context is left; then nobody is there, and connections are gone."""
        tasks: set[asyncio.Task[None]] = set()

        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(self._serve(reader, writer))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        server = await asyncio.start_server(begin, self.host, self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self.url
        finally:
            server.close()
            leaving = list(tasks)
            for task in leaving:
                task.cancel()
            await asyncio.gather(*leaving, return_exceptions=True)
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await self._answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the sender has closed the connection
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(int(_headers(head)["content-length"]))
        answers = self.answers
        self.got.append(Received(time.time(), head, body, answers.status))
        await asyncio.sleep(answers.delay_s)
        writer.write(answers.head())
        await writer.drain()


def _headers(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:-2]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


async def verified(got: Sequence[Received], secret: str) -> int:
    """How many requests the script that customers are given calls genuine; raises RuntimeError with its other words."""
    with tempfile.TemporaryDirectory(prefix="callboard-") as directory:
        files = [Path(directory) / f"{number}.http" for number in range(len(got))]
        for file, request in zip(files, got, strict=True):
            file.write_bytes(request.head + request.body)
        lots = [files[start : start + AT_ONCE] for start in range(0, len(files), AT_ONCE)]
        return sum([await _verified(lot, secret) for lot in lots])


async def _verified(files: Sequence[Path], secret: str) -> int:
    # -I: nothing of ours can be imported.
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(VERIFY), *map(str, files),
        env={**os.environ, "WEBHOOK_SECRET": secret},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(VERIFY_S):
        output, errors = await process.communicate()
    if errors:
        raise RuntimeError(errors.decode())
    return sum(line.endswith(": genuine") for line in output.decode().splitlines())
