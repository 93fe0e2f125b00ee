"""Recordings that outlive the actor which began them."""

import wave
from pathlib import Path

import pytest

from actors.call_session.recorder import PATCH_S, Recorder

RATE = 8000


def sound(seconds: float, value: int = 1) -> bytes:
    return value.to_bytes(2, "little") * round(seconds * RATE)


def caller_side(path: Path) -> list[int]:
    """The caller's samples, one of each 100 ms."""
    with wave.open(str(path)) as file:
        frames = file.readframes(file.getnframes())
    return [int.from_bytes(frames[at : at + 2], "little") for at in range(0, len(frames), 4 * RATE // 10)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "call.wav"


def test_a_recording_whose_actor_died_plays_up_to_the_last_moments(path: Path) -> None:
    dead = Recorder(path, RATE)
    for _ in range(35):
        dead.add_caller(sound(0.1))
    assert len(caller_side(path)) >= 35 - PATCH_S * 10
    dead.close()
    assert len(caller_side(path)) == 35


def test_the_next_actor_mends_the_length_and_goes_on(path: Path) -> None:
    dead = Recorder(path, RATE)
    dead.add_caller(sound(0.5))
    with wave.open(str(path)) as file:
        assert file.getnframes() == 0
    again = Recorder(path, RATE, goes_on_at_s=0.5)
    again.add_caller(sound(0.2, value=2))
    again.close()
    assert caller_side(path) == [1, 1, 1, 1, 1, 2, 2]
    dead.close()


def test_a_gap_is_silence_so_that_times_stay_right(path: Path) -> None:
    first = Recorder(path, RATE)
    first.add_caller(sound(0.3))
    first.close()
    again = Recorder(path, RATE, goes_on_at_s=0.5)
    again.add_caller(sound(0.1, value=2))
    again.close()
    assert caller_side(path) == [1, 1, 1, 0, 0, 2]


def test_sound_that_is_there_already_is_not_written_again(path: Path) -> None:
    first = Recorder(path, RATE)
    first.add_caller(sound(0.5))
    first.close()
    again = Recorder(path, RATE, goes_on_at_s=0.3)
    again.add_agent(sound(0.4, value=9), starts_in_s=0.0)
    again.add_caller(sound(0.1, value=2))
    again.add_caller(sound(0.2, value=2))
    again.close()
    assert caller_side(path) == [1, 1, 1, 1, 1, 2]
    with wave.open(str(path)) as file:
        frames = file.readframes(file.getnframes())
    assert frames[2] == 0
    assert frames[-2] == 9


def test_on_another_node_what_came_before_is_silence(path: Path) -> None:
    again = Recorder(path, RATE, goes_on_at_s=0.2)
    again.add_caller(sound(0.1))
    again.close()
    assert caller_side(path) == [0, 0, 1]


@pytest.mark.parametrize("content", [b"", b"no recording at all", b"RIFF" + bytes(60)])
def test_what_is_no_recording_is_replaced(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    again = Recorder(path, RATE, goes_on_at_s=0.0)
    again.add_caller(sound(0.2))
    again.close()
    assert caller_side(path) == [1, 1]
