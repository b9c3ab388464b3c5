"""A row: the unit of evidence. Kept, sent, hashed and stored as the same bytes.

Canonical form: JSON, keys sorted, no spaces, UTF-8, integers only. A row that is not in this form
is refused, because two spellings of one content would be two hashes.
"""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from contract import limits
from contract.errors import Malformed, NotCanonical, TooLarge
from contract.ids import PointIdText, SeqNumber
from contract.points import Clock

WITHOUT_NUL = r"^[^\x00]*\Z"
"""Every database of ours keeps such a text; PostgreSQL keeps no NUL."""

Text = Annotated[str, Meta(pattern=WITHOUT_NUL, max_length=limits.TEXT_MAX_CHARS)]
Scalar = bool | int | Text | None
Data = Annotated[dict[Text, Scalar], Meta(max_length=limits.ROW_DATA_MAX_KEYS)]


class EdgeKind(StrEnum):
    """Kinds of rows that speak of the edge itself. A point's rows are `{type}.{value}`: see `point_kind`."""

    STARTED = "edge.started"
    STOPPED = "edge.stopped"
    CONFIG_CHANGED = "config.changed"
    CLOCK_STEPPED = "clock.stepped"
    JOURNAL_DAMAGED = "journal.damaged"
    JOURNAL_TOUCHED = "journal.touched"
    """`data`: `verdict`, `row`. Somebody else wrote into the journal's file while we had it open."""
    TELEMETRY_SHED = "telemetry.shed"
    """`data`: `rows`. So many rows that no security hangs on were not kept, for want of disk."""
    DISK_LOW = "disk.low"
    """`data`: `free_mb`. Little room is left; `disk.enough` ends it."""
    DISK_ENOUGH = "disk.enough"
    CENTRE_FORKED = "centre.forked"
    """`data`: `seq`, `hash`. The centre receipted a row that is not ours: nothing is forgotten any more."""
    CENTRE_ROLLED_BACK = "centre.rolled_back"
    """`data`: `seq`, `receipted`. The centre asks for rows it had receipted: its store is an older one."""
    KEY_RENEWED = "key.renewed"
    """`data`: `key`. From here on another key signs."""
    MAINTENANCE_BEGAN = "maintenance.began"
    """`data`: `permission`, `for_s`. By the centre's leave, which ends by itself."""
    MAINTENANCE_ENDED = "maintenance.ended"
    """`data`: `permission`, `why`: `over`, `told`, `restart`."""
    COMMAND_ACCEPTED = "command.accepted"
    """`data`: `id`, `action`. Written before it is carried out, so that it is carried out once at most."""
    COMMAND_DONE = "command.done"
    """`data`: `id`, what came of it."""
    COMMAND_FAILED = "command.failed"
    """`data`: `id`, `why`. Tried, and it did not come about."""
    COMMAND_REFUSED = "command.refused"
    """`data`: `id`, `why`: `expired`, `session`, `unknown_point`, `arguments`, `not_permitted`, `busy`.
    Not tried."""
    COMMAND_ABANDONED = "command.abandoned"
    """`data`: `id`. Accepted before a restart: not known whether it was carried out, and not tried again."""
    POINT_QUALITY = "point.quality"
    """`data`: `quality`, `was`. Has a point; changes no value."""
    POINT_BASELINE = "point.baseline"
    """`data`: `value`. The first good reading since the journal began: a state, not a change."""
    POINT_PULSE = "point.pulse"
    """`data`: `count`, `window_ms`. Changes and returns that only the module's counter saw, or its latch
    (`latched`: one or more). `uncertain`: the module was silent in that time, and may have restarted.
    """
    LOCK_AJAR = "lock.ajar"
    """`data`: `open_s`. A lock that stands open for too long; once an opening."""
    LOCK_JAMMED = "lock.jammed"
    """`data`: `wait_s`. Told to open, and closed all the same."""
    CARD_READ = "card.read"
    """`data`: `bits`, `card` (hex). A card was held to a reader."""
    SMS_REPORT = "sms.report"
    """`data`: `to`, `reference`, `state`. What became of a short message: `sent` when the network took it
    (with `part` of `parts`), then what it says of each reference: `delivered`, `pending`, `failed`."""


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fact. `at` is wall time in ms, `mono` the boot's monotonic clock in ns, `boot` the boot's id."""

    seq: SeqNumber
    kind: Annotated[str, Meta(pattern=r"^[a-z_]+\.[a-z_]+\Z", max_length=64)]
    at: Annotated[int, Meta(ge=0, lt=2**53)]
    mono: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    boot: Annotated[str, Meta(pattern=r"^[0-9a-f-]{1,36}\Z")]
    clock: Clock
    point: PointIdText | None
    data: Data


_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder(Row)


def point_kind(point_type: str, value: str) -> str:
    """The kind of a point's change, such as `door.open`."""
    return f"{point_type}.{value}"


def encode_row(row: Row) -> bytes:
    """Canonical bytes of a row. Raises TooLarge where a reader would refuse it."""
    raw = _encoder.encode(row)
    if len(raw) > limits.ROW_MAX_BYTES:
        raise TooLarge(f"row {row.seq}: {len(raw)} bytes, limit {limits.ROW_MAX_BYTES}")
    return raw


def decode_row(raw: bytes) -> Row:
    """A row from its bytes. Raises TooLarge, Malformed or NotCanonical."""
    if len(raw) > limits.ROW_MAX_BYTES:
        raise TooLarge(f"row of {len(raw)} bytes, limit {limits.ROW_MAX_BYTES}")
    try:
        row = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"row: {error}") from error
    if _encoder.encode(row) != raw:
        raise NotCanonical(f"row {row.seq} is not in canonical form")
    return row
