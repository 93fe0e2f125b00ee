"""The door between an edge and a call; the edge here is a bare channel."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from actors.call_session.door import Attachment, Door
from actors.call_session.wire import Channel, Frame, Hello, Kind, count_to_payload, encode

pytestmark = pytest.mark.integration


Attend = Callable[[Attachment], Awaitable[None]]


@asynccontextmanager
async def a_connection(
    attend: Attend, repeats: int = 0
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """The edge's end of a call's connection, which has said HELLO."""
    door = Door(attend)
    await door.open("127.0.0.1")
    endpoint = door.arm("sess_1")
    reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
    writer.write(encode(Kind.HELLO, Hello(endpoint.token, "sample-rate=8000", repeats).to_payload()))
    async with asyncio.timeout(5):
        yield reader, writer
        writer.transport.abort()
        await door.settle("sess_1", 5.0)
    await door.close()


@asynccontextmanager
async def an_edge(attend: Attend, *, repeats: int = 0) -> AsyncIterator[Channel]:
    """The same, as a channel."""
    async with a_connection(attend, repeats) as ends:
        yield Channel(*ends)


class Heard:
    """A call that only listens, and what it made of it."""

    def __init__(self) -> None:
        self.messages: list[str | bytes] = []
        self.was_closed: bool | None = None
        self.over = asyncio.Event()
        self.media: Attachment | None = None

    async def attend(self, media: Attachment) -> None:
        """Until the messages end."""
        self.media = media
        async for message in media.inbound:
            self.messages.append(message)
        self.was_closed = media.is_closed()
        self.over.set()


async def test_a_call_gets_what_the_carrier_says_and_how_much_of_it_is_repeated() -> None:
    heard = Heard()
    async with an_edge(heard.attend, repeats=1) as edge:
        edge.send_all([Frame(Kind.TEXT, b"again"), Frame(Kind.BINARY, b"\x00")])
        edge.send(Kind.CLOSE, b"")
        await heard.over.wait()
    assert heard.messages == ["again", b"\x00"]
    assert heard.media is not None
    assert (heard.media.repeats, heard.media.query) == (1, {"sample-rate": "8000"})


async def test_when_the_carrier_has_gone_the_edge_says_so() -> None:
    heard = Heard()
    async with an_edge(heard.attend) as edge:
        edge.send(Kind.CLOSE, b"media ended")
        await heard.over.wait()
        assert await edge.receive() == Frame(Kind.CLOSE, b"over")
    assert heard.was_closed is True


@pytest.mark.parametrize("last", [b"", b"\x00\x00\x00\x01", b"GET / HTTP/1.1\r\n\r\n"])
async def test_an_edge_that_is_lost_says_nothing(last: bytes) -> None:
    heard = Heard()
    async with a_connection(heard.attend) as (_, writer):
        writer.write(last)
        writer.write_eof()
        await heard.over.wait()
    assert heard.was_closed is False


async def test_a_call_names_what_to_keep_and_what_is_settled() -> None:
    async def attend(media: Attachment) -> None:
        media.keep("the opening")
        media.settled(300)
        await media.send("hello")

    async with an_edge(attend) as edge:
        told = [await edge.receive() for _ in range(4)]
    assert told == [
        Frame(Kind.KEEP, b"the opening"),
        Frame(Kind.SETTLED, count_to_payload(300)),
        Frame(Kind.TEXT, b"hello"),
        Frame(Kind.CLOSE, b"over"),
    ]


async def test_telling_an_edge_that_is_gone_harms_nobody() -> None:
    heard = Heard()
    async with an_edge(heard.attend) as edge:
        edge.abort()
        await heard.over.wait()
    assert heard.media is not None
    heard.media.keep("the opening")
    heard.media.settled(1)
    with pytest.raises(ConnectionError):
        await heard.media.send("hello")


async def test_a_call_that_breaks_leaves_without_a_word_so_that_another_actor_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def attend(media: Attachment) -> None:
        raise RuntimeError("a bug")

    async with an_edge(attend) as edge:
        assert await edge.receive() is None
    assert [record.getMessage() for record in caplog.records] == ["an attachment broke"]
