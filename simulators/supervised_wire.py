"""A contact with resistors at its end, as the analogue input at the other end of its wire sees it.

5 V over 4k7, 4k7 in the loop and another 4k7 that a closed contact bridges. The wire of `<room>.door` is the
point `<room>.wire`, where the plant has one; a hand at the module can do to it what it can do in the cable.
"""

from simulators.plant import Plant

VOLTS = {"short": 0.0, "closed": 2.5, "open": 10 / 3, "cut": 5.0}
FULL_SCALE_VOLTS = 10.0
DRIFT_STEP = 0.02
HUM_VOLTS = 0.04
HANDS = ("cut", "short", "bridge", "drift", "hum", "mend")
"""What can be done to a wire: `bridge` holds the contact closed, `drift` adds 2 % to the voltage, `hum` lays
a mains cable beside it.
"""


class SupervisedWire:
    """One wire with its contact. Without a point nothing is connected: the pull-up holds the input high."""

    def __init__(self, contact: str | None, plant: Plant) -> None:
        self._contact = contact
        self._plant = plant
        self._done = ""
        self._drift = 0.0
        self._hum = 0.0

    def handle(self, hand: str) -> None:
        """One of HANDS."""
        if hand == "mend":
            self._done, self._drift, self._hum = "", 0.0, 0.0
        elif hand == "drift":
            self._drift += DRIFT_STEP
        elif hand == "hum":
            self._hum = HUM_VOLTS
        else:
            self._done = hand

    def raw(self) -> int:
        """The module's reading, 0-65535 for 0-10 V."""
        self._hum = -self._hum
        volts = VOLTS[self._state()] * (1 + self._drift) + self._hum
        return max(0, min(0xFFFF, round(0xFFFF * volts / FULL_SCALE_VOLTS)))

    def _state(self) -> str:
        if self._contact is None:
            return "cut"
        wire = self._contact.rpartition(".")[0] + ".wire"
        state = self._plant.value(wire) if wire in self._plant.points else "sound"
        for broken in (self._done, state):
            if broken in {"cut", "short"}:
                return broken
        is_open = self._plant.is_active(self._contact) and self._done != "bridge"
        return "open" if is_open else "closed"
