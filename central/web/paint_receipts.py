"""Paint receipts: a board says which change it has really drawn. Gathered, and written once a second."""

import asyncio
from collections import deque

import structlog
from msgspec import Struct
from sqlalchemy import Connection, delete, func, insert, select

from central.errors import StoreError
from central.store.database import Store
from central.web.schema import paint_receipt

KEPT = 20_000
WAITING_MAX = 2_000
WRITE_EVERY_S = 1.0

_log = structlog.get_logger(__name__)


class PaintReceipt(Struct, frozen=True):
    console: str
    user: str
    seq: int
    at_ms: int


class PaintReceipts:
    """Those not yet written; the oldest give way where more come in a second than `WAITING_MAX`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: deque[PaintReceipt] = deque(maxlen=WAITING_MAX)
        self._is_refused = False

    def note(self, receipt: PaintReceipt) -> None:
        self._waiting.append(receipt)

    async def run(self) -> None:
        """Writes until cancelled."""
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            await self.write()

    async def write(self) -> None:
        """What has gathered, in one transaction. A store that refuses them loses measurements only."""
        waiting = list(self._waiting)
        self._waiting.clear()
        if not waiting:
            return
        try:
            await self._store.write(lambda tx: _append(tx.conn, waiting))
        except StoreError as error:
            if not self._is_refused:
                _log.warning("paint_receipts_refused", lost=len(waiting), reason=str(error))
            self._is_refused = True
            return
        if self._is_refused:
            _log.info("paint_receipts_kept_again")
        self._is_refused = False


def _append(conn: Connection, receipts: list[PaintReceipt]) -> None:
    names = PaintReceipt.__struct_fields__
    conn.execute(
        insert(paint_receipt), [{name: getattr(receipt, name) for name in names} for receipt in receipts]
    )
    newest = conn.scalar(select(func.max(paint_receipt.c.id))) or 0
    conn.execute(delete(paint_receipt).where(paint_receipt.c.id <= newest - KEPT))
