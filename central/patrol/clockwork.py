"""What time alone makes happen: silence, 漏巡, the end of a room's session or of a permission.

Due instants are columns, and outlast a restart. What is judged by a monotonic clock in memory begins anew
with it: how long an edge has been silent, and how long its log has stood still (`ingest/log_watch.py`).
"""

import asyncio
from collections.abc import Callable
from functools import partial

import structlog
from sqlalchemy import Connection, select

from central.errors import StoreUnavailable
from central.patrol import due_faults, edge_words
from central.patrol import stations as links
from central.patrol.places import Places
from central.patrol.scene import Scene
from central.patrol.schema import LIVE, alert, edge_link, room_session
from central.patrol.states import State
from central.patrol.supervision import Supervision
from central.settings import Rules, StationSettings
from central.store.database import Store, Transaction

TICK_S = 1.0

log = structlog.get_logger()


class Clockwork:
    """Ticks each second, and when an edge has been silent for too long."""

    def __init__(
        self,
        store: Store,
        stations: tuple[StationSettings, ...],
        rules: Rules,
        supervision: Supervision,
        wall_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._places = Places(stations)
        self._rules = rules
        self._supervision = supervision
        self._wall_ms = wall_ms
        self._is_store_lost = False

    async def run(self) -> None:
        """Works each second until cancelled."""
        loop = asyncio.get_running_loop()
        self._supervision.expect(await self._store.read(_online_edges), loop.time())
        while True:
            try:
                await self.tick(self._wall_ms(), loop.time())
                self._is_store_lost = False
                wait_s = self._supervision.wait_s(loop.time(), TICK_S)
            except StoreUnavailable as error:
                if not self._is_store_lost:
                    self._is_store_lost = True
                    log.error("clockwork_stopped", detail=str(error)[:200])  # noqa: TRY400 - its text says it
                wait_s = TICK_S
            await asyncio.sleep(wait_s)

    async def tick(self, now_ms: int, mono_s: float) -> None:
        """Everything that is due at this instant."""
        silent = self._supervision.silent(mono_s)
        is_due = bool(silent) or await self._store.read(partial(self._is_due, now_ms))
        if is_due:
            await self._store.write(lambda tx: self._settle(tx, silent, now_ms))
        for edge in silent:
            self._supervision.left(edge)
            log.warning("station_lost", edge=edge)

    def _is_due(self, now_ms: int, conn: Connection) -> bool:
        return bool(rooms_due(conn, now_ms) or due_faults.due(conn, self._places, now_ms))

    def _settle(self, tx: Transaction, silent: list[str], now_ms: int) -> None:
        scene = Scene(tx, self._places, self._rules)
        for edge in silent:
            links.lose(scene, edge, now_ms)
        for edge, verdict in due_faults.due(tx.conn, self._places, now_ms):
            edge_words.apply(scene, edge, verdict, now_ms)
        for room_id in rooms_due(tx.conn, now_ms):
            if room_id in self._places.rooms:
                now = scene.room_with_due(room_id, now_ms)
                for use in (*now.patrol.passed(now_ms), *now.patrol.lapsed(now_ms)):
                    scene.show_alert(use)
                scene.show_room(room_id)
        scene.write_back()


def rooms_due(conn: Connection, now_ms: int) -> list[str]:
    """Rooms where a session is to end or an alert to lapse."""
    sessions = select(room_session.c.room).where(LIVE, room_session.c.due_ms <= now_ms)
    alerts = select(alert.c.room).where(
        alert.c.state.in_([State.UNACK, State.RTN_UNACK]), alert.c.lapse_at_ms <= now_ms
    )
    return list(conn.scalars(sessions.union(alerts)))


def _online_edges(conn: Connection) -> list[str]:
    return list(conn.scalars(select(edge_link.c.edge).where(edge_link.c.state == "online")))
