"""How much of a room a viewer was really shown: camera time between pictures that were drawn. Pure."""

GAP_MAX_MS = 1_000
"""A longer step from one drawn picture to the next is time that was not seen."""
SENT_KEPT = 64


class PresentedTime:
    """Of one viewing. A picture counts only if it was sent to this viewer, and only forwards in time."""

    def __init__(self) -> None:
        self.total_ms = 0
        self._sent: dict[int, int] = {}
        self._last_ms: int | None = None

    def sent(self, seq: int, camera_ms: int) -> None:
        """A picture is on its way to the viewer."""
        self._sent[seq] = camera_ms
        if len(self._sent) > SENT_KEPT:
            del self._sent[next(iter(self._sent))]

    def presented(self, seq: int) -> None:
        """The viewer says that this picture is on the screen."""
        camera_ms = self._sent.pop(seq, None)
        if camera_ms is None:
            return
        if self._last_ms is not None and 0 < camera_ms - self._last_ms <= GAP_MAX_MS:
            self.total_ms += camera_ms - self._last_ms
        self._last_ms = camera_ms
