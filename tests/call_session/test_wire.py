import asyncio

import pytest

from actors.call_session.wire import MAX_FRAME_BYTES, BrokenFrame, Frame, Hello, Kind, encode, read


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
