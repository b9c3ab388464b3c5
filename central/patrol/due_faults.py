"""Faults that time brings: a permission that begins or ends, a certificate that will not last."""

from sqlalchemy import Connection, func, select

from central.board_model import FaultKind
from central.commanding.schema import maintenance
from central.patrol.edge_faults import OVERRUN_MS, Verdict, Window, of_certificate, of_permission
from central.patrol.places import Places
from central.patrol.schema import edge_link, fault
from central.trust.schema import edge_key

KINDS: tuple[FaultKind, ...] = ("maintenance", "certificate_expires")


def due(conn: Connection, places: Places, now_ms: int) -> list[tuple[str, Verdict]]:
    """Verdicts, by edge, that are not yet as the faults stand."""
    windows, says_so, expiries = _windows(conn, now_ms), _in_maintenance(conn), _expiries(conn)
    stands = {
        (row.kind, row.station): row.detail
        for row in conn.execute(select(fault).where(fault.c.kind.in_(KINDS), fault.c.cleared_ms.is_(None)))
    }
    return [
        (edge, verdict)
        for edge, station in places.station_of_edge.items()
        for verdict in (
            of_permission(windows.get(edge, []), now_ms, says_so=edge in says_so),
            of_certificate(expiries.get(edge), now_ms),
        )
        if stands.get((verdict.kind, station.id)) != verdict.detail
    ]


def windows_of(conn: Connection, edge: str) -> list[Window]:
    """Every permission that this edge ever had."""
    query = select(maintenance).where(maintenance.c.edge == edge)
    return [_window(row.from_ms, row.until_ms, row.ended_ms, row.who) for row in conn.execute(query)]


def _windows(conn: Connection, now_ms: int) -> dict[str, list[Window]]:
    """Permissions that run, or ended just now."""
    query = select(maintenance).where(maintenance.c.until_ms > now_ms - OVERRUN_MS)
    found: dict[str, list[Window]] = {}
    for row in conn.execute(query):
        window = _window(row.from_ms, row.until_ms, row.ended_ms, row.who)
        found.setdefault(row.edge, []).append(window)
    return found


def _window(from_ms: int, until_ms: int, ended_ms: int | None, who: str) -> Window:
    return Window(from_ms, until_ms if ended_ms is None else min(until_ms, ended_ms), who)


def _in_maintenance(conn: Connection) -> set[str]:
    return set(conn.scalars(select(edge_link.c.edge).where(edge_link.c.in_maintenance)))


def _expiries(conn: Connection) -> dict[str, int]:
    """Of each edge, when the certificate that it uses ends: the old one, until a new one has spoken."""
    is_good = edge_key.c.superseded_ms.is_(None) & edge_key.c.revoked_ms.is_(None)
    query = select(edge_key.c.edge, func.min(edge_key.c.expires_ms)).where(is_good).group_by(edge_key.c.edge)
    return {edge: expires_ms for edge, expires_ms in conn.execute(query)}  # noqa: C416 - rows into a dict
