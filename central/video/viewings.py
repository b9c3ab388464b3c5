"""A viewing: begun in the store before anything is shown, extended while it lasts, never removed."""

from sqlalchemy import Connection, insert, update

from central.board_model import Person
from central.patrol import queries
from central.patrol.desk import Desk
from central.patrol.states import TERMINAL
from central.store import audit
from central.store.database import Store, Transaction
from central.video.presented import PresentedTime
from central.video.schema import viewing


class Viewing:
    """One person's look into one room, and the alert that is its reason.

    `counts`: what is shown counts for the alert. Of several at a time of one purpose, one counts.
    """

    def __init__(self, store: Store, desk: Desk, person: Person, room: str, alert_id: str) -> None:
        self.presented = PresentedTime()
        self.counts = True
        self._store = store
        self._desk = desk
        self._person = person
        self._room = room
        self._alert_id = alert_id
        self._id = 0
        self._noted_ms = 0

    @property
    def purpose(self) -> tuple[str, str]:
        """Who looks, for which alert."""
        return self._person.id, self._alert_id

    async def begin(self, now_ms: int) -> bool:
        """Write it down; False, and nothing written, where there is no such alert of this room."""
        return await self._store.write(lambda tx: self._begin(tx, now_ms))

    async def note(self, now_ms: int) -> None:
        """What was shown since the last note is written down, and counts for the alert if it may."""
        total_ms = self.presented.total_ms
        counts = self.counts
        await self._store.write(lambda tx: self._note(tx, total_ms, now_ms, counts=counts))

    def _begin(self, tx: Transaction, now_ms: int) -> bool:
        alert = queries.find_alert(tx.conn, self._alert_id)
        if alert is None or alert.room != self._room:
            return False
        self._alert_id = alert.id  # "05" is no other alert than "5"
        self._id = _insert(tx.conn, self._person, self._room, self._alert_id, now_ms)
        audit.record(
            tx.conn,
            who=self._person.id,
            what="video.viewed",
            object_id=self._room,
            at_ms=now_ms,
            reason=f"alert {self._alert_id}",
            detail={"viewing": self._id},
        )
        return True

    def _note(self, tx: Transaction, total_ms: int, now_ms: int, *, counts: bool) -> None:
        tx.conn.execute(
            update(viewing).where(viewing.c.id == self._id).values(until_ms=now_ms, presented_ms=total_ms)
        )
        added_ms = total_ms - self._noted_ms
        if counts and added_ms and self._is_open(tx):
            self._desk.viewed(tx, self._alert_id, self._person.id, added_ms, now_ms)
        self._noted_ms = total_ms

    def _is_open(self, tx: Transaction) -> bool:
        """A saved review says how much was seen for it; looking on adds nothing."""
        alert = queries.find_alert(tx.conn, self._alert_id)
        return alert is not None and alert.state not in TERMINAL


def _insert(conn: Connection, person: Person, room: str, alert_id: str, now_ms: int) -> int:
    values = {
        "person_id": person.id,
        "person_name": person.name,
        "room": room,
        "alert_id": int(alert_id),
        "from_ms": now_ms,
        "until_ms": now_ms,
        "presented_ms": 0,
    }
    inserted = conn.execute(insert(viewing).values(values).returning(viewing.c.id))
    return int(inserted.scalar_one())
