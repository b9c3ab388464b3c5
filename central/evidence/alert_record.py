"""What the store has of one alert: what people did about it, and which rows of the edge it is about."""

import sys
from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Table, or_, select

from central.errors import Refused
from central.evidence import queries
from central.evidence.checkpoints import Checkpoint
from central.evidence.queries import ChainId
from central.ingest.schema import live_row
from central.patrol.schema import alert, alert_event, review, room_session
from central.settings import RoomSettings, StationSettings
from central.store.schema import audit, event
from central.video.schema import viewing
from contract import chain
from contract.errors import ContractError
from contract.ids import EdgeId, Epoch
from contract.rows import decode_row

Rows = list[dict[str, Any]]
PEOPLE = (alert, room_session, alert_event, review, viewing, audit, live_row)
"""Tables of the record, as the store has them; of `live_row` those that the log contradicted."""


class Segment(Struct, frozen=True):
    """A piece of one chain: from the row after `seq`, whose hash is known, to a row that the edge signed.

    `mine`: the rows that the alert is about.
    """

    chain_id: ChainId
    seq: int
    hash: str
    mine: frozenset[int]
    checkpoints: list[Checkpoint]

    @property
    def last(self) -> int:
        return self.checkpoints[-1].seq


class AlertRecord(Struct, frozen=True):
    """`tables`: by name, rows as the store has them."""

    number: int
    station: str
    room: str
    tables: dict[str, Rows]
    segments: list[Segment]
    keys: Rows


def read(conn: Connection, number: int, stations: tuple[StationSettings, ...]) -> AlertRecord:
    """Raises Refused: no such alert, rows that still wait for the log, or that no signature covers."""
    told = _of(conn, alert, alert.c.id == number)
    if not told:
        raise Refused("evidence.no_alert", f"there is no alert {number}")
    (found,) = told
    (session,) = _of(conn, room_session, room_session.c.id == found["session_id"])
    station, room = _place(stations, found["room"])
    waiting = select(live_row.c.seq).where(live_row.c.alert_id == number, live_row.c.forked.is_(False))
    if conn.execute(waiting).first():
        raise Refused(
            "evidence.chain_pending",
            f"rows of alert {number} still wait for their edge's log (链待核): export it when that has come",
        )
    about = or_(
        audit.c.reason == f"alert {number}",
        (audit.c.what == "evidence.exported") & (audit.c.object == f"{number}"),
    )
    tables = {
        "alert": [found],
        "room_session": [session],
        "alert_event": _of(conn, alert_event, alert_event.c.alert_id == number),
        "review": _of(conn, review, review.c.alert_id == number),
        "viewing": _of(conn, viewing, viewing.c.alert_id == number),
        "audit": _of(conn, audit, about),
        "live_row": _of(conn, live_row, live_row.c.alert_id == number),
    }
    points = (*room.doors, *([room.camera] if room.camera else []))
    by_chain: dict[ChainId, set[int]] = {}
    for epoch, seq in _rows_of(conn, station.edge, points, session):
        by_chain.setdefault((station.edge, epoch), set()).add(seq)
    segments = [_segment(conn, chain_id, seqs) for chain_id, seqs in sorted(by_chain.items())]
    if not segments:
        raise Refused("evidence.no_rows", f"the store has no row of {room.id} in the time of alert {number}")
    publics = {checkpoint.public for segment in segments for checkpoint in segment.checkpoints}
    keys = queries.keys_with_certificates(conn, publics)
    return AlertRecord(number, found["station"], found["room"], tables, segments, keys)


def rows_in(conn: Connection, segment: Segment) -> Iterator[dict[str, Any]]:
    """Every row of a segment, page by page."""
    after = segment.seq
    edge, epoch = segment.chain_id
    while True:
        columns = (event.c.seq, event.c.row, event.c.hash, event.c.received_ms)
        here = (
            event.c.edge == edge,
            event.c.epoch == epoch,
            event.c.seq > after,
            event.c.seq <= segment.last,
        )
        page = conn.execute(select(*columns).where(*here).order_by(event.c.seq).limit(queries.PAGE)).all()
        for seq, raw, hash_, received_ms in page:
            yield {
                "edge": edge, "epoch": epoch, "seq": seq, "bytes": raw, "hash": hash_,
                "received_ms": received_ms, "is_of_alert": int(seq in segment.mine),
            }  # fmt: skip
        if len(page) < queries.PAGE:
            return
        after = page[-1].seq


def _of(conn: Connection, table: Table, where: Any) -> Rows:
    found = conn.execute(select(table).where(where).order_by(*table.primary_key))
    return [dict(row._mapping) for row in found]  # noqa: SLF001


def _place(stations: tuple[StationSettings, ...], room_id: str) -> tuple[StationSettings, RoomSettings]:
    for station in stations:
        for room in station.rooms:
            if room.id == room_id:
                return station, room
    raise Refused("evidence.no_room", f"stations.toml has no room {room_id}: which points are its own?")


def _rows_of(
    conn: Connection, edge: str, points: tuple[str, ...], session: dict[str, Any]
) -> Iterator[tuple[int, int]]:
    """The rows of a room in the time of a session, by the clock that the patrol goes by: epoch, seq."""
    until_ms = session["ended_ms"] or sys.maxsize
    columns = (event.c.epoch, event.c.seq, event.c.received_ms, event.c.row)
    here = (event.c.edge == edge, event.c.point.in_(points), event.c.received_ms >= session["started_ms"])
    found = select(*columns).where(*here).order_by(event.c.id).execution_options(yield_per=queries.PAGE)
    for epoch, seq, received_ms, raw in conn.execute(found):
        try:
            at_ms = decode_row(raw).at
        except ContractError as error:
            raise Refused(
                "evidence.not_sound", f"{edge}, epoch {epoch}, row {seq} is no row: {error}"
            ) from error
        if session["started_ms"] <= min(at_ms, received_ms) <= until_ms:
            yield epoch, seq


def _segment(conn: Connection, chain_id: ChainId, mine: set[int]) -> Segment:
    """From the last signed row before the first of them to the first signed row after the last."""
    first, last = min(mine), max(mine)
    end = queries.checkpoint_beside(conn, chain_id, last, is_after=True)
    if end is None:
        raise Refused(
            "evidence.unsigned",
            f"no signature of edge {chain_id[0]} covers row {last}: what is not signed proves nothing",
        )
    before = queries.checkpoint_beside(conn, chain_id, first, is_after=False)
    if before is not None:
        seq, hash_ = before.seq, before.hash
    elif first == 1:
        seq, hash_ = 0, chain.anchor(EdgeId(chain_id[0]), Epoch(chain_id[1])).hex()
    else:
        found = queries.rows_after(conn, chain_id, first - 2, first - 1)
        if not found:
            edge, epoch = chain_id
            raise Refused("evidence.not_sound", f"{edge}, epoch {epoch}, row {first - 1} is missing")
        seq, hash_ = found[0].seq, found[0].hash
    checkpoints = queries.checkpoints_between(conn, chain_id, seq, end.seq)
    return Segment(chain_id, seq, hash_, frozenset(mine), sorted(checkpoints, key=lambda one: one.seq))
