"""Keeps the broker's lists as the store is, where nobody is there to write them: an edge's former key ends by
itself, with the first message of its successor.
"""

import asyncio
from collections.abc import Callable, Iterable

import structlog

from central.errors import CentralError
from central.store.database import Store, Transaction
from central.trust import broker_files
from central.trust.keyring import Keyring

PAUSE_S = 60.0
"""At least so long between two lists, because each starts the broker anew."""

log = structlog.get_logger()


class ListKeeper:
    """Looks at its start, and when woken."""

    def __init__(
        self,
        store: Store,
        keyring: Keyring,
        edges: Iterable[str],
        clock: Callable[[], int],
        *,
        pause_s: float = PAUSE_S,
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._edges = set(edges)
        self._clock = clock
        self._pause_s = pause_s
        self._ended = asyncio.Event()
        self._ended.set()

    def wake(self) -> None:
        """A key has ended."""
        self._ended.set()

    async def run(self) -> None:
        """Works until cancelled. What cannot be written now is tried at the next end or start."""
        while True:
            await self._ended.wait()
            self._ended.clear()
            try:
                await self._store.write(self._write)
            except (CentralError, OSError) as error:
                log.warning("broker_lists_not_written", detail=str(error)[:200])
            await asyncio.sleep(self._pause_s)

    def _write(self, tx: Transaction) -> None:
        keyring = self._keyring
        authority = keyring.authority()
        broker_files.write_both(keyring.folder, tx.conn, authority, self._edges, self._clock())
