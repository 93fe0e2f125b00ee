"""Handlers whose clients have gone, on a virtual clock."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from serve_app.finishing import Finishing
from tests.virtual_time import virtual


class Work:
    """An application that takes a second."""

    def __init__(self, error: Exception | None = None) -> None:
        self.done = 0
        self.error = error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(1)
        self.done += 1
        if self.error is not None:
            raise self.error


async def nothing() -> Message:
    return {}


async def nowhere(message: Message) -> None:
    raise AssertionError(message)


async def asked(work: Work, kind: str = "http") -> None:
    await Finishing(work)({"type": kind}, nothing, nowhere)


@virtual
@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_it_goes_on_when_the_wait_for_it_is_cancelled(kind: str) -> None:
    work = Work()
    waiting = asyncio.create_task(asked(work, kind))
    await asyncio.sleep(0.5)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert work.done == 0
    await asyncio.sleep(1)
    assert work.done == 1


@virtual
async def test_the_wait_ends_with_it_and_has_its_errors() -> None:
    work = Work(KeyError("no"))
    with pytest.raises(KeyError):
        await asked(work)
    assert work.done == 1
