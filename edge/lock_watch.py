"""What a lock's openings and closings mean beside its level: forced, ajar, jammed. Pure, `now_ns` monotonic.

    opened, and no command of ours explains it                 its row says `forced`
    opened, and one may or may not: the bus was silent         its row says `perhaps_forced`
    open for AJAR_S, as far as it was seen in this run         lock.ajar, once an opening
    told to open, and seen closed all the time until JAM_S     lock.jammed, once a command

A command explains one opening, up to EXPLAINED_S after it was sent. When the lock opened is known only to be
after it was last seen closed: of what a silent bus kept from us for longer, nobody knows. Commands are not
remembered over a restart: an opening that is found after one counts as forced.
"""

from contract.ids import PointId
from contract.rows import EdgeKind

AJAR_S = 30.0
JAM_S = 3.0
EXPLAINED_S = 5.0


class LockWatch:
    """All locks of an edge. What was told is for the caller to remember."""

    def __init__(self, ajar_s: float = AJAR_S, jam_s: float = JAM_S) -> None:
        self._ajar_ns = int(ajar_s * 1e9)
        self._jam_ns = int(jam_s * 1e9)
        self._commanded: dict[PointId, int] = {}
        self._awaited: set[PointId] = set()
        self._opened: dict[PointId, int] = {}
        self._closed: dict[PointId, int] = {}

    def command(self, lock: PointId, now_ns: int) -> None:
        """The lock has just been told to open."""
        self._commanded[lock] = now_ns
        self._awaited.add(lock)

    def explain(self, lock: PointId, now_ns: int) -> dict[str, bool]:
        """What its row says of an opening that is seen now."""
        commanded = self._commanded.get(lock)
        explained_ns = int(EXPLAINED_S * 1e9)
        if commanded is None or commanded + explained_ns < self._closed.get(lock, 0):
            return {"forced": True}
        return {"perhaps_forced": True} if now_ns > commanded + explained_ns else {}

    def told_open(self, lock: PointId) -> None:
        """The row of an opening is durable: the command that explains it explains no other."""
        self._commanded.pop(lock, None)
        self._awaited.discard(lock)

    def see(
        self, lock: PointId, *, is_open: bool, is_ajar: bool, now_ns: int
    ) -> tuple[EdgeKind, dict[str, int]] | None:
        """A reading, and what there is to tell of it. `is_ajar`: that was told of this opening."""
        if not is_open:
            self._opened.pop(lock, None)
            seen_ns = max(self._closed.get(lock, now_ns), self._commanded.get(lock, 0))
            self._closed[lock] = now_ns
            if now_ns - seen_ns > self._jam_ns:
                self._awaited.discard(lock)  # a silent bus: it may have opened, and been closed again
            waited_ns = now_ns - self._commanded.get(lock, now_ns)
            if lock in self._awaited and waited_ns >= self._jam_ns:
                return EdgeKind.LOCK_JAMMED, {"wait_s": waited_ns // 1_000_000_000}
            return None
        self._awaited.discard(lock)
        open_ns = now_ns - self._opened.setdefault(lock, now_ns)
        if open_ns >= self._ajar_ns and not is_ajar:
            return EdgeKind.LOCK_AJAR, {"open_s": open_ns // 1_000_000_000}
        return None

    def told_jammed(self, lock: PointId) -> None:
        """The row that says so is durable."""
        self._awaited.discard(lock)
