"""Hashing a password takes long and a lot of processor; nobody else may feel it."""

import asyncio
import os
import sys
import threading

import pytest

from services.passwords import AT_ONCE, NICENESS, Passwords

pytestmark = pytest.mark.integration


async def test_only_the_right_password_has_the_hash() -> None:
    passwords = Passwords()
    stored = await passwords.hash("a long password")
    given = {"a long password": stored, "another": stored, "a long password ": stored, "": None}
    assert [await passwords.is_right(text, hashed) for text, hashed in given.items()] == [True, False, False, False]
    assert not await passwords.is_right("a long password", "no hash at all")


@pytest.mark.skipif(sys.platform != "linux", reason="a thread has no priority of its own")
async def test_hashing_gives_way_to_everything_else() -> None:
    passwords = Passwords()
    hashing = [asyncio.create_task(passwords.hash("a long password")) for _ in range(AT_ONCE)]
    await asyncio.sleep(0)
    threads = [thread.native_id or 0 for thread in threading.enumerate() if thread.name.startswith("passwords")]
    assert len(threads) >= AT_ONCE
    await asyncio.gather(*hashing)
    assert {os.getpriority(os.PRIO_PROCESS, thread) for thread in threads} == {NICENESS}
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == 0
