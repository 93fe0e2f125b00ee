"""Password hashes: argon2id (RFC 9106, second recommended option), in threads so that no request waits."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

AT_ONCE = 2
"""Each takes 64 MiB and some tens of milliseconds of all cores; more at a time only make every login slower."""


class Passwords:
    """One object per process."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        """The hash to store, with its own salt and parameters inside."""
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def is_right(self, password: str, stored: str | None) -> bool:
        """Whether the password has this hash. None (no such user) takes as long, so time tells nobody who exists."""
        if stored is None:
            self._nobodys = self._nobodys or await self.hash("")
        async with self._slots:
            return await asyncio.to_thread(self._verify, stored or self._nobodys or "", password) and stored is not None

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerifyMismatchError, InvalidHashError):
            return False
