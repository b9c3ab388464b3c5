"""A centre's store, patrol and clock, told by a test what an edge says and what time it is."""

from central.board_model import Board, Cabinet, Room, Station
from central.patrol import queries
from central.patrol.clockwork import Clockwork
from central.patrol.supervision import Supervision
from central.store.database import Change, Store
from tests.support.county import RULES, STATIONS, T0, Journal, take

DOORS = {"liuxu__int1__door": "closed", "liuxu__inq1__door": "closed", "liuxu__lawyer__door": "closed"}
SLOTS = {
    "liuxu__cab1__s01__lock": "closed",
    "liuxu__cab1__s01__item": "present",
    "liuxu__cab1__s02__lock": "closed",
    "liuxu__cab1__s02__item": "absent",
}
PICTURES = {"liuxu__int1__picture": "ok", "liuxu__inq1__picture": "ok"}
WHOLE = DOORS | SLOTS | PICTURES


class Centre:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.journal = Journal()
        self.supervision = Supervision()
        self.clockwork = Clockwork(store, STATIONS, RULES, self.supervision, lambda: T0)
        self.now_ms = T0
        self.changes: list[Change] = []
        store.listener = self.changes.extend

    async def hear(self, *sent, now_ms: int = T0, mono_s: float = 0.0) -> None:
        outcome = await self.store.write(lambda tx: take(tx, *sent, now_ms=now_ms))
        for edge, heard in outcome.heard.items():
            if heard is not None:
                self.supervision.heard(edge, mono_s)

    async def rows(self, *kinds_and_points: tuple[str, str], **data) -> None:
        first = self.journal.seq + 1
        for kind, point in kinds_and_points:
            self.journal.write(kind, point, at=T0, **data)
        await self.hear(self.journal.batch(first))

    async def board(self) -> Board:
        return await self.store.read(lambda conn: queries.snapshot(conn, STATIONS))

    async def room(self, room_id: str = "liuxu.int1") -> Room:
        return next(room for room in (await self.board()).rooms if room.id == room_id)

    async def cabinet(self) -> Cabinet:
        return (await self.board()).cabinets[0]

    async def station(self) -> Station:
        return (await self.board()).stations[0]

    async def faults(self) -> list[tuple[str, str | None, str]]:
        return [(fault.kind, fault.point, fault.detail) for fault in (await self.board()).faults]
