import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from actors.call_session.wire import (
    MAX_FRAME_BYTES,
    MAX_UNREAD_BYTES,
    BrokenFrame,
    Channel,
    Frame,
    Hello,
    Kind,
    count_from_payload,
    count_to_payload,
    encode,
    read,
)


def a_reader(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


async def test_frames_come_out_as_they_went_in_and_in_order() -> None:
    frames = [Frame(Kind.TEXT, "grüß dich".encode()), Frame(Kind.BINARY, bytes(range(256))), Frame(Kind.CLOSE, b"")]
    reader = a_reader(b"".join(encode(frame.kind, frame.payload) for frame in frames))
    assert [await read(reader) for _ in frames] == frames
    assert await read(reader) is None


@pytest.mark.parametrize("cut", [1, 4, 5, 9])
async def test_a_stream_that_ends_inside_a_frame_is_over(cut: int) -> None:
    assert await read(a_reader(encode(Kind.TEXT, b"hello")[:cut])) is None


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"GET / HTTP/1.1\r\n", id="another protocol"),
        pytest.param((MAX_FRAME_BYTES + 1).to_bytes(4, "big") + b"\x02", id="too long"),
        pytest.param((0).to_bytes(4, "big") + b"\x02", id="no room for its kind"),
        pytest.param((1).to_bytes(4, "big") + b"\x09", id="unknown kind"),
    ],
)
async def test_anything_else_is_a_broken_frame(data: bytes) -> None:
    with pytest.raises(BrokenFrame):
        await read(a_reader(data))


async def test_the_largest_frame_passes_and_one_more_byte_does_not() -> None:
    assert await read(a_reader(encode(Kind.TEXT, bytes(MAX_FRAME_BYTES - 1)))) is not None
    with pytest.raises(BrokenFrame):
        await read(a_reader(encode(Kind.TEXT, bytes(MAX_FRAME_BYTES))))


def test_hello_carries_the_token_and_the_carriers_query() -> None:
    hello = Hello("t0ken", "sample-rate=16000&x=1")
    assert Hello.from_payload(hello.to_payload()) == hello


def test_any_bytes_make_a_hello_with_some_token() -> None:
    assert Hello.from_payload(b"\xff\xfe").query == ""


def test_a_token_is_not_shown() -> None:
    assert "s3cret" not in repr(Hello("s3cret"))


def test_hello_says_how_many_messages_are_repeated() -> None:
    hello = Hello("t0ken", "sample-rate=8000", 41)
    assert Hello.from_payload(hello.to_payload()) == hello


@pytest.mark.parametrize("repeats", [b"", b"-1", b"x", b"1.5", "²".encode(), b"\xff"])
def test_what_is_no_number_of_repeats_is_none(repeats: bytes) -> None:
    assert Hello.from_payload(b"t0ken\n\n" + repeats).repeats == 0


@pytest.mark.parametrize("count", [0, 1, 300, 2**32 - 1])
def test_a_count_comes_out_as_it_went_in(count: int) -> None:
    assert count_from_payload(count_to_payload(count)) == count


@pytest.mark.parametrize("payload", [b"", b"\x01", b"12345"])
def test_what_is_no_count_is_a_broken_frame(payload: bytes) -> None:
    with pytest.raises(BrokenFrame):
        count_from_payload(payload)


@asynccontextmanager
async def two_ends() -> AsyncIterator[tuple[Channel, Channel]]:
    """The two ends of one TCP connection."""
    accepted: asyncio.Queue[Channel] = asyncio.Queue()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accepted.put(Channel(reader, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    here = Channel(*await asyncio.open_connection(*server.sockets[0].getsockname()[:2]))
    there = await accepted.get()
    yield here, there
    here.abort()
    there.abort()
    server.close()


async def test_many_at_once_arrive_in_order_before_what_follows_however_much_they_are() -> None:
    many = [Frame(Kind.TEXT, bytes([n]) * (MAX_FRAME_BYTES // 2)) for n in range(8)]
    assert sum(len(frame.payload) for frame in many) > MAX_UNREAD_BYTES
    async with two_ends() as (here, there):
        here.send_all(many)
        assert here.send(Kind.BINARY, b"and this")
        arrived = [await there.receive() for _ in range(len(many) + 1)]
    assert arrived == [*many, Frame(Kind.BINARY, b"and this")]


async def test_a_peer_that_does_not_read_is_cut() -> None:
    async with two_ends() as (here, _):
        sent = 0
        while here.send(Kind.BINARY, bytes(MAX_FRAME_BYTES - 1)):
            sent += 1
            assert sent < 100
        assert await here.receive() is None


async def test_a_connection_let_go_without_a_word_ends_without_close() -> None:
    async with two_ends() as (here, there):
        here.abort()
        assert await there.receive() is None
