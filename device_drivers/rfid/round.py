"""One round of one antenna: an inventory, and more of them only while something is missing. Pure."""

from device_drivers.driver import Observation
from device_drivers.rfid.presence import Presence

INVENTORIES_MAX = 3
INPUT_MAX_BYTES = 10_240
"""Of one inventory. 200 tags with the usual EPC are 5 KB."""


class Round:
    """The round that a driver is in. A round that is never ended brought no answer."""

    def __init__(self, presence: Presence, antenna: int) -> None:
        self._presence = presence
        self._antenna = antenna
        self._seen: dict[str, int] = {}
        self._inventories = 0
        self._is_whole = True
        self._is_open = False

    def begin(self) -> None:
        """The first inventory is asked for."""
        if self._is_open:
            self._presence.forget(self._antenna)
        self._seen, self._inventories, self._is_whole, self._is_open = {}, 0, True, True

    def note(self, epc: bytes, rssi: int) -> None:
        """A tag was heard; of several times the best counts."""
        text = epc.hex().upper()
        self._seen[text] = max(rssi, self._seen.get(text, rssi))

    def spoil(self) -> None:
        """Something came through damaged or not at all: what was not heard is not missed for it."""
        self._is_whole = False

    def end(self) -> list[Observation] | None:
        """An inventory is over. What the round says, or None: listen once more."""
        self._inventories += 1
        if self._inventories < INVENTORIES_MAX and self._presence.wants_more(self._antenna, self._seen):
            return None
        self._is_open = False
        return self._presence.hear(self._antenna, self._seen, is_whole=self._is_whole)

    def lose(self) -> list[Observation]:
        """The reader says that the antenna is off."""
        self._is_open = False
        return self._presence.lose(self._antenna)
