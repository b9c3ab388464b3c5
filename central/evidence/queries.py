"""Queries of the evidence: what the store knows of each chain, its rows and checkpoints page by page."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, func, select

from central.evidence import certificates
from central.evidence.chains import Ahead, Outline, Skip, StoredRow
from central.evidence.checkpoints import Checkpoint, Key
from central.ingest.schema import edge_cursor, live_row
from central.store.schema import audit, event
from central.trust.schema import checkpoint, edge_key

PAGE = 4_096
BEFORE_ALL = -(2**62)
READMITTED = "edge.readmitted"
SKIPPED = "chain.skipped"

ChainId = tuple[str, int]


class _Readmitted(Struct):
    """Where an edge's chain ended, when another journal was admitted."""

    was: int
    was_seq: int
    was_hash: str


class _Skipped(Struct):
    epoch: int
    first: int
    last: int
    hash: str


def keys(conn: Connection, authority: bytes | None) -> dict[str, Key]:
    """Every key that ever spoke for an edge, by public. `authority` (PEM), if known, judges certificates."""
    found = {}
    for row in conn.execute(select(edge_key)):
        fault = None
        if authority is not None:
            pem = row.certificate.encode()
            fault = certificates.fault(pem, authority, row.edge, row.public, row.from_ms)
        found[row.public] = Key(row.edge, row.public, row.revoked_ms, fault)
    return found


def outlines(conn: Connection, edge: str | None) -> list[Outline]:
    """Every chain of the store, or of one edge, as of one moment, by edge and epoch."""
    ends, skips = _ends(conn), _skips(conn)
    counts = {(row[0], row[1]): (row[2], row[3]) for row in conn.execute(_per_chain(event))}
    signed = {(row[0], row[1]): row[2] for row in conn.execute(_per_chain(checkpoint))}
    ahead, forked = _live_rows(conn)
    found = []
    for chain_id in sorted({*ends, *counts, *signed, *ahead, *forked}):
        if edge is not None and chain_id[0] != edge:
            continue
        last, count = counts.get(chain_id, (0, 0))
        found.append(
            Outline(
                *chain_id,
                last=last,
                count=count,
                end=ends.get(chain_id),
                skips=tuple(skips[chain_id]),
                signed=signed.get(chain_id, 0),
                ahead=tuple(ahead[chain_id]),
                forked=forked[chain_id],
            )
        )
    return found


def rows_after(conn: Connection, chain_id: ChainId, after: int, last: int) -> list[StoredRow]:
    """A page of the rows beyond `after`, up to `last`."""
    columns = (event.c.seq, event.c.hash, event.c.point, event.c.row)
    here = (*_of(event, chain_id), event.c.seq > after, event.c.seq <= last)
    found = conn.execute(select(*columns).where(*here).order_by(event.c.seq).limit(PAGE))
    return [StoredRow(*row) for row in found]


def checkpoints_between(conn: Connection, chain_id: ChainId, first: int, last: int) -> list[Checkpoint]:
    here = (*_of(checkpoint, chain_id), checkpoint.c.seq.between(first, last))
    return [Checkpoint(*row) for row in conn.execute(select(checkpoint).where(*here))]


def checkpoint_beside(conn: Connection, chain_id: ChainId, seq: int, *, is_after: bool) -> Checkpoint | None:
    """The nearest: at or after `seq`, or before it."""
    where = checkpoint.c.seq >= seq if is_after else checkpoint.c.seq < seq
    order = checkpoint.c.seq.asc() if is_after else checkpoint.c.seq.desc()
    found = select(checkpoint).where(*_of(checkpoint, chain_id), where).order_by(order).limit(1)
    row = conn.execute(found).one_or_none()
    return Checkpoint(*row) if row else None


def keys_with_certificates(conn: Connection, publics: Collection[str]) -> list[dict[str, Any]]:
    """The keys' rows with their certificates, oldest first."""
    found = select(edge_key).where(edge_key.c.public.in_(publics)).order_by(edge_key.c.id)
    return [dict(row._mapping) for row in conn.execute(found)]  # noqa: SLF001


def _per_chain(table: Any) -> Any:
    chain_id = (table.c.edge, table.c.epoch)
    return select(*chain_id, func.max(table.c.seq), func.count()).group_by(*chain_id)


def _of(table: Any, chain_id: ChainId) -> tuple[ColumnElement[bool], ...]:
    return table.c.edge == chain_id[0], table.c.epoch == chain_id[1]


def _ends(conn: Connection) -> dict[ChainId, tuple[int, str]]:
    """By its cursor for the present chain of an edge, by the audit for those it was taken off."""
    ends: dict[ChainId, tuple[int, str]] = {}
    said = select(audit.c.object, audit.c.detail).where(audit.c.what == READMITTED).order_by(audit.c.id)
    for name, detail in conn.execute(said):
        was = msgspec.json.decode(detail, type=_Readmitted)
        ends[name, was.was] = (was.was_seq, was.was_hash)
    for row in conn.execute(select(edge_cursor)):
        ends[row.edge, row.epoch] = (row.seq, row.hash)
    return ends


def _skips(conn: Connection) -> dict[ChainId, list[Skip]]:
    skips: dict[ChainId, list[Skip]] = defaultdict(list)
    said = select(audit.c.object, audit.c.detail).where(audit.c.what == SKIPPED).order_by(audit.c.id)
    for name, detail in conn.execute(said):
        gone = msgspec.json.decode(detail, type=_Skipped)
        skips[name, gone.epoch].append(Skip(gone.first, gone.last, gone.hash))
    return skips


def _live_rows(conn: Connection) -> tuple[dict[ChainId, list[Ahead]], dict[ChainId, int]]:
    """Those that wait for the log, and how many the log contradicted."""
    ahead: dict[ChainId, list[Ahead]] = defaultdict(list)
    forked: dict[ChainId, int] = defaultdict(int)
    columns = (live_row.c.edge, live_row.c.epoch, live_row.c.seq, live_row.c.hash, live_row.c.forked)
    for edge, epoch, seq, hash_, is_forked in conn.execute(select(*columns)):
        if is_forked:
            forked[edge, epoch] += 1
        else:
            ahead[edge, epoch].append(Ahead(seq, hash_))
    return ahead, forked
