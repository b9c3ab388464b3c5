"""Passwords: argon2id, off the event loop, few at a time (one hash takes 64 MiB)."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_CHARS = 10
"""Length is the only rule for a new password (ASVS 6.2)."""


class Passwords:
    """Makes and checks password hashes. `close` waits for those under way."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
        self._nobody = self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether the password fits. For no account at all it takes as long, and says no."""
        fits = await asyncio.get_running_loop().run_in_executor(
            self._threads, self._fits, stored or self._nobody, password
        )
        return fits and stored is not None

    def close(self) -> None:
        self._threads.shutdown()

    def _fits(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
