"""How much room the journal has, and what follows from it. Pure: bytes in, states and rows out.

    ENOUGH
    LOW      the row disk.low, once; rows are forgotten a day after their receipt instead of thirty
    SHORT    also: telemetry is not kept any more, but counted; the row telemetry.shed when there is room
    full     the journal said so: the reserve is let go, and what still finds no room waits for it

Telemetry is that on which no security hangs, and there is little of it: what a modem says of its network and
of the messages that it sent. Doors, locks, items, tamper contacts, readers, cards, pictures and whatever the
edge says of itself are never shed.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from contract.points import PointType
from contract.rows import EdgeKind
from edge.proposals import Draft, Proposal

LOW_BYTES = 256 * 2**20
SHORT_BYTES = 32 * 2**20
LOW_SHARE = 10
SHORT_SHARE = 40
"""On a small disk, a tenth of it is low and a fortieth short."""
BACK_AT = 2
"""So many times a threshold have to be free before it counts as passed upwards."""

TELEMETRY_KINDS = frozenset({EdgeKind.SMS_REPORT.value})
TELEMETRY_TYPES = frozenset({PointType.MODEM.value})


class Room(IntEnum):
    """Less is worse."""

    SHORT = 0
    LOW = 1
    ENOUGH = 2


class DiskWatch:
    """What was seen of the disk. A row counts as told when the caller says that it is durable."""

    def __init__(self, *, was_low: bool) -> None:
        """`was_low`: an earlier start told of it, and not of its end."""
        self.room = Room.ENOUGH
        self._is_low_told = was_low

    def see(self, free_bytes: int, total_bytes: int, *, is_full: bool) -> None:
        """`free_bytes`: what a process like ours may still write."""
        room = Room.ENOUGH
        thresholds = (
            (Room.LOW, min(LOW_BYTES, total_bytes // LOW_SHARE)),
            (Room.SHORT, min(SHORT_BYTES, total_bytes // SHORT_SHARE)),
        )
        for worse, least in thresholds:
            if free_bytes < least * (BACK_AT if self.room <= worse else 1):
                room = worse
        self.room = Room.SHORT if is_full else room

    def row(self, free_bytes: int) -> tuple[EdgeKind, dict[str, int]] | None:
        """What is to be told of it now, if anything."""
        is_low = self.room is not Room.ENOUGH
        if is_low is self._is_low_told:
            return None
        return EdgeKind.DISK_LOW if is_low else EdgeKind.DISK_ENOUGH, {"free_mb": free_bytes // 2**20}

    def told(self, kind: EdgeKind) -> None:
        """A row of that kind is durable."""
        self._is_low_told = kind is EdgeKind.DISK_LOW


class Shedding:
    """Takes telemetry out of proposals and counts it. `types`: each point's type."""

    def __init__(self, types: Mapping[str, str]) -> None:
        self.rows = 0
        self._telemetry = frozenset(point for point, kind in types.items() if kind in TELEMETRY_TYPES)
        self._refused: dict[str, tuple[str, dict[str, Any]]] = {}
        """The last row that each point was refused: it is proposed again at every poll, and counts once."""

    def sift(self, proposal: Proposal) -> Proposal:
        """What of it is kept. Points whose row is shed stay as they were known: their state comes later."""
        shed = [draft for draft in proposal.drafts if self._is_telemetry(draft)]
        if not shed:
            return proposal
        for draft in shed:
            self._count(draft)
        points = {draft.point for draft in shed}
        return Proposal(
            proposal.stamp,
            [draft for draft in proposal.drafts if not self._is_telemetry(draft)],
            {point: memory for point, memory in proposal.memories.items() if point not in points},
        )

    def told(self, rows: int) -> None:
        """So many were told of in a row that is durable."""
        self.rows -= rows
        self._refused.clear()

    def _is_telemetry(self, draft: Draft) -> bool:
        return draft.kind in TELEMETRY_KINDS or draft.point in self._telemetry

    def _count(self, draft: Draft) -> None:
        said = (draft.kind, draft.data)
        if draft.point is None or draft.kind in TELEMETRY_KINDS:
            self.rows += 1
        elif self._refused.get(draft.point) != said:
            self._refused[draft.point] = said
            self.rows += 1
