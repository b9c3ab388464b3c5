"""A viewing: begun in the store before anything is shown, extended while it lasts, never removed."""

from sqlalchemy import Connection, insert, update

from central.board_model import Person
from central.patrol import queries
from central.patrol.desk import Desk
from central.store import audit
from central.store.database import Store, Transaction
from central.video.presented import PresentedTime
from central.video.schema import viewing


class Viewing:
    """One person's look into one room, for an alert or without one."""

    def __init__(self, store: Store, desk: Desk, person: Person, room: str, alert_id: str | None) -> None:
        self.presented = PresentedTime()
        self._store = store
        self._desk = desk
        self._person = person
        self._room = room
        self._alert_id = alert_id
        self._id = 0
        self._noted_ms = 0

    async def begin(self, now_ms: int) -> bool:
        """Write it down; False, and nothing written, where there is no such alert of this room."""
        return await self._store.write(lambda tx: self._begin(tx, now_ms))

    async def note(self, now_ms: int) -> None:
        """What was shown since the last note is written down, and counts for the alert."""
        total_ms = self.presented.total_ms
        await self._store.write(lambda tx: self._note(tx, total_ms, now_ms))

    def _begin(self, tx: Transaction, now_ms: int) -> bool:
        if self._alert_id is not None:
            alert = queries.find_alert(tx.conn, self._alert_id)
            if alert is None or alert.room != self._room:
                return False
        self._id = _insert(tx.conn, self._person, self._room, self._alert_id, now_ms)
        detail = {"viewing": self._id, "alert": self._alert_id}
        audit.record(
            tx.conn,
            who=self._person.id,
            what="video.viewed",
            object_id=self._room,
            at_ms=now_ms,
            detail=detail,
        )
        return True

    def _note(self, tx: Transaction, total_ms: int, now_ms: int) -> None:
        tx.conn.execute(
            update(viewing).where(viewing.c.id == self._id).values(until_ms=now_ms, presented_ms=total_ms)
        )
        added_ms = total_ms - self._noted_ms
        if self._alert_id is not None and added_ms:
            self._desk.viewed(tx, self._alert_id, self._person.id, added_ms, now_ms)
        self._noted_ms = total_ms


def _insert(conn: Connection, person: Person, room: str, alert_id: str | None, now_ms: int) -> int:
    values = {
        "person_id": person.id,
        "person_name": person.name,
        "room": room,
        "alert_id": None if alert_id is None else int(alert_id),
        "from_ms": now_ms,
        "until_ms": now_ms,
        "presented_ms": 0,
    }
    inserted = conn.execute(insert(viewing).values(values).returning(viewing.c.id))
    return int(inserted.scalar_one())
