"""What the points propose and the journal makes durable: rows to be written, states to be kept with them."""

from typing import Any

import msgspec

from contract.ids import PointId
from contract.points import Quality
from edge.clock import Stamp


class Draft(msgspec.Struct, frozen=True):
    """A row that has no number yet. `is_urgent`: flush at once, a person may be waiting for it."""

    kind: str
    stamp: Stamp
    point: PointId | None = None
    data: dict[str, Any] = {}
    is_urgent: bool = True


class PointMemory(msgspec.Struct, frozen=True):
    """What is known of a point, kept in the journal so that a restart neither invents nor loses a change.

    `value` is empty until the first good reading. `counter` is the module's count at the last row.
    `is_ajar`: of this opening `lock.ajar` has been told.
    """

    value: str = ""
    quality: Quality = Quality.STALE
    since: int = 0
    counter: int | None = None
    is_ajar: bool = False


class Proposal(msgspec.Struct, frozen=True):
    """Rows, and the memories that are true once these rows are durable. Empty: nothing new."""

    stamp: Stamp
    drafts: list[Draft]
    memories: dict[PointId, PointMemory]

    def __bool__(self) -> bool:
        return bool(self.drafts or self.memories)
