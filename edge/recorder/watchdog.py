"""When a camera's process is to be ended, when its picture is lost, how long to wait before a new one. Pure.

It counts its caller's ticks, not seconds: a supervisor that was itself held up blames no camera.
"""

TICK_S = 0.25
PACKET_PATIENCE_TICKS = 6
"""1.5 s without a packet: libav may be stuck where no timeout of its own helps."""
START_PATIENCE_TICKS = 24
"""6 s from the process's start to its first packet: connecting, and waiting for a key frame."""
LOST_TICKS = 12
"""3 s without a picture; for the very first one, as long as a process may take to its first packet."""
REPORT_TICKS = 4

BACKOFF_FIRST_S = 0.1
BACKOFF_CAP_S = 5.0


class Watchdog:
    """Of one camera, over all its processes."""

    def __init__(self) -> None:
        self._has_begun = False
        self._silent = 0
        self._patience = START_PATIENCE_TICKS
        self._blind = LOST_TICKS - START_PATIENCE_TICKS
        self._failures = 0

    def started(self) -> None:
        """A new process begins. Nothing is counted before the first: the machine may be slow to start."""
        self._has_begun = True
        self._silent = 0
        self._patience = START_PATIENCE_TICKS

    def arrived(self, *, is_decodable: bool) -> None:
        """Packets came, and whether there is a picture in them."""
        self._silent = 0
        self._patience = PACKET_PATIENCE_TICKS
        if is_decodable:
            self._blind = 0
            self._failures = 0

    def tick(self) -> None:
        if self._has_begun:
            self._silent += 1
            self._blind += 1

    @property
    def is_hung(self) -> bool:
        """The process is to be ended."""
        return self._silent >= self._patience

    @property
    def is_lost(self) -> bool:
        """There has been no picture for so long that it must be said."""
        return self._blind >= LOST_TICKS

    @property
    def is_lost_due(self) -> bool:
        """Lost, and it is time to say so (again): once a second."""
        return self.is_lost and (self._blind - LOST_TICKS) % REPORT_TICKS == 0

    def ended(self, jitter: float) -> float:
        """Seconds to wait before the next process, doubling up to a cap. `jitter`: 0 to 1, even chance."""
        delay_s: float = min(BACKOFF_FIRST_S * 2.0 ** min(self._failures, 10), BACKOFF_CAP_S)
        self._failures += 1
        return delay_s * (0.5 + jitter / 2)
