"""Password hashes: argon2id (RFC 9106, second recommended option), in threads so that no request waits."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

AT_ONCE = 1
"""Each takes 64 MiB and some tens of milliseconds of four cores; more at a time only make every login slower."""
NICENESS = 10
"""A hash keeps four threads busy, and a fair share of two cores would leave the event loop a fraction of one: with two
replicas hashing, a request takes 2.5 times as long (p99: 4 times), and 1.05 times (1.5 times) when hashes give way.
"""

T = TypeVar("T")


class Passwords:
    """One object per process."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passwords", initializer=_give_way)
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        """The hash to store, with its own salt and parameters inside."""
        return await self._aside(lambda: self._hasher.hash(password))

    async def is_right(self, password: str, stored: str | None) -> bool:
        """Whether the password has this hash. None (no such user) takes as long, so time tells nobody who exists."""
        if stored is None:
            self._nobodys = self._nobodys or await self.hash("")
        expected = stored or self._nobodys or ""
        return await self._aside(lambda: self._verify(expected, password)) and stored is not None

    async def _aside(self, work: Callable[[], T]) -> T:
        """Not on the event loop's thread; waits while `AT_ONCE` others are at it."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerifyMismatchError, InvalidHashError):
            return False


def _give_way() -> None:
    """Let this thread, and those argon2 starts from it, run when no other wants to; only Linux has it per thread."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
