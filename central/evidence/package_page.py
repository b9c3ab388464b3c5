"""The page of an evidence package, for people: what it is, how to check it by hand, the alert's rows.

One plain file, Chinese first: no script, nothing that is loaded from elsewhere, every value escaped.
"""

from datetime import UTC, datetime, timedelta, timezone
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from central.evidence.alert_record import AlertRecord
from contract.rows import decode_row

TEMPLATE = Path(__file__).with_name("package.html")
HERE = timezone(timedelta(hours=8))
"""China has one time zone; the instants in the database are UTC."""


def page(record: AlertRecord, who: str, reason: str, now_ms: int, rows: list[dict[str, Any]]) -> str:
    """`rows`: the alert's own, as many as are shown."""
    (alert,) = record.tables["alert"]
    mine = sum(len(segment.mine) for segment in record.segments)
    carried = sum(segment.last - segment.seq for segment in record.segments)
    values = {
        "alert": record.number,
        "station": record.station,
        "room": record.room,
        "state": alert["state"],
        "result": alert["result"] or "-",
        "exported": instant(now_ms),
        "who": who,
        "reason": reason,
        "mine": mine,
        "shown": len(rows),
        "carried": carried,
        "events": _table(record.tables["alert_event"], ("server_ms", "kind", "to_state", "actor", "reason")),
        "reviews": _table(
            record.tables["review"],
            ("reviewed_ms", "reviewer_name", "live", "viewed_ms", "result", "checklist", "notes"),
        ),
        "viewings": _table(record.tables["viewing"], ("from_ms", "person_name", "presented_ms")),
        "rows": "\n".join(_row(row) for row in rows),
    }
    html = {"events", "reviews", "viewings", "rows"}
    safe = {name: value if name in html else escape(str(value)) for name, value in values.items()}
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(safe)


def instant(ms: int) -> str:
    """To the millisecond, with its offset."""
    moment = datetime.fromtimestamp(ms // 1_000, UTC).astimezone(HERE)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{ms % 1_000:03} +08:00"


def _row(stored: dict[str, Any]) -> str:
    row = decode_row(stored["bytes"])
    data = " ".join(f"{name}={value}" for name, value in sorted(row.data.items()))
    cells = (
        stored["epoch"], row.seq, instant(row.at), row.clock, instant(stored["received_ms"]),
        row.kind, row.point or "", data, stored["hash"],
    )  # fmt: skip
    return _cells(cells)


def _table(rows: list[dict[str, Any]], names: tuple[str, ...]) -> str:
    return "\n".join(_cells(tuple(_value(name, row[name]) for name in names)) for row in rows)


def _value(name: str, value: Any) -> Any:
    is_instant = name in {"server_ms", "reviewed_ms", "from_ms"}
    return instant(value) if is_instant else "" if value is None else value


def _cells(values: tuple[Any, ...]) -> str:
    return "<tr>" + "".join(f"<td>{escape(str(value))}</td>" for value in values) + "</tr>"
