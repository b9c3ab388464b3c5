"""How a reader stands with us, and when libosdp is to try it again. Pure: `now_s` is monotonic."""

from enum import StrEnum

SILENT_S = 8.0
"""No sound reply for so long: nobody is there. libosdp asks once a second by then."""
UNPAIRED_S = 3.0
"""Answering, but with no secure channel: a reader that restarts is paired again well before."""
REST_FIRST_S = 0.5
REST_CAP_S = 4.0
"""Less than SILENT_S, so that a reader with a wrong key is heard often enough."""


class Standing(StrEnum):
    PAIRED = "paired"
    """Online in a secure channel."""
    UNPAIRED = "unpaired"
    """It answers, and cannot prove that it has the key."""
    SILENT = "silent"


class Pairing:
    """Of one reader. Nothing is said of it before it is paired, or has been waited for."""

    def __init__(self, now_s: float) -> None:
        self._heard_s = self._paired_s = now_s

    def heard(self, now_s: float) -> None:
        """A sound reply of it was on the line, whatever it said."""
        self._heard_s = now_s

    def standing(self, now_s: float, *, is_paired: bool) -> Standing | None:
        """None while it cannot be told yet."""
        if now_s - self._heard_s > SILENT_S:
            self._paired_s = now_s
            return Standing.SILENT
        if is_paired:
            self._paired_s = now_s
            return Standing.PAIRED
        return Standing.UNPAIRED if now_s - self._paired_s > UNPAIRED_S else None


class Rest:
    """libosdp leaves a reader that fails alone for 300 s. We let it rest for moments, then ask for it anew.

    The waits double, so that a dead reader costs its line little; they begin anew once it is online.
    """

    def __init__(self) -> None:
        self._wait_s = REST_FIRST_S
        self._until_s: float | None = None
        self.is_resetting = False
        """libosdp was asked to forget the reader, and has not done so yet."""

    def failed(self, now_s: float) -> None:
        """The library has put it offline; of its own accord, unless it was asked to."""
        if self._until_s is None and not self.is_resetting:
            self._until_s = now_s + self._wait_s
            self._wait_s = min(2 * self._wait_s, REST_CAP_S)

    def online(self) -> None:
        self._wait_s = REST_FIRST_S

    def is_over(self, now_s: float) -> bool:
        """True once a rest: it is to be reset now."""
        if self._until_s is None or now_s < self._until_s:
            return False
        self._until_s = None
        self.is_resetting = True
        return True
