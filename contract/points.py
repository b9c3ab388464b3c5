"""What a point can be and say. Wire words: the values here stand in rows, configs and on the board."""

import hashlib
from collections.abc import Iterable
from enum import StrEnum


class PointType(StrEnum):
    DOOR = "door"
    """A door contact: `closed` or `open`."""
    LOCK = "lock"
    """The lock of a cabinet slot: `closed` or `open`."""
    ITEM = "item"
    """The item sensor of a cabinet slot: `present` or `absent`."""
    PICTURE = "picture"
    """A camera's picture: `ok`, `covered`, `dark` or `lost`."""
    TAMPER = "tamper"
    """A contact that tells of hands on a device: `quiet` or `tripped`."""
    READER = "reader"
    """A reader of officers' cards: `paired`, or `unpaired` while it has no secure channel to us."""
    MODEM = "modem"
    """A modem for short messages: `registered` in its network, or `unregistered`."""


REST_VALUE: dict[PointType, str] = {
    PointType.DOOR: "closed",
    PointType.LOCK: "closed",
    PointType.ITEM: "present",
    PointType.PICTURE: "ok",
    PointType.TAMPER: "quiet",
    PointType.READER: "paired",
    PointType.MODEM: "registered",
}

VALUES: dict[PointType, tuple[str, ...]] = {
    PointType.DOOR: ("closed", "open"),
    PointType.LOCK: ("closed", "open"),
    PointType.ITEM: ("present", "absent"),
    PointType.PICTURE: ("ok", "covered", "dark", "lost"),
    PointType.TAMPER: ("quiet", "tripped"),
    PointType.READER: ("paired", "unpaired"),
    PointType.MODEM: ("registered", "unregistered"),
}

SECURITY_TYPES = frozenset({PointType.DOOR, PointType.LOCK, PointType.ITEM, PointType.TAMPER})
"""Points whose change may travel the live lane past a backlog."""


class Quality(StrEnum):
    GOOD = "good"
    STALE = "stale"
    COMM_FAIL = "comm_fail"
    DEVICE_ERROR = "device_error"
    LINE_OPEN = "line_open"
    LINE_SHORT = "line_short"
    TAMPER = "tamper"
    DISABLED = "disabled"
    SIMULATED = "simulated"


class Clock(StrEnum):
    """What an edge knows of its wall clock when it writes a row."""

    SYNCED = "synced"
    FREE = "free"
    STEPPED = "stepped"


def state_digest(states: Iterable[tuple[str, str, str]]) -> str:
    """Hex SHA-256 over every (point, value, quality), sorted by point: one number for "all is as I said"."""
    digest = hashlib.sha256()
    for state in sorted(states):
        digest.update("\0".join(state).encode() + b"\n")
    return digest.hexdigest()
