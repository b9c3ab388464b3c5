"""A lock board as its firmware sees it, whatever frames it speaks: hooks, item sensors, pulses, and what
can go wrong with them. No I/O and no clock.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum

import msgspec

from simulators.plant import Plant, rest_value

TELL_CHANGES = "tell changes"
BOARD_ACTS = ("answer no pulse", "cool down", "hang after pulses", TELL_CHANGES, "restore")
"""What a hand can do to a whole board. One that hangs misses the next request. `restore` ends all acts."""
LOCK_ACTS = ("key", "jam", "fail")
"""And to a lock. `key`: it is opened by its key. Told to open, a lock that is jammed or failed stays closed;
the board says of the one that it opened, of the other that it did not.
"""


class Said(StrEnum):
    """What a board says of a pulse. It need not be so."""

    OPENED = "opened"
    FAILED = "failed"
    COOLING = "cooling"
    """Refused: too soon after other pulses."""
    NOTHING = "nothing"


class _Doings(msgspec.Struct):
    """What the acts have brought about."""

    is_mute: bool = False
    is_cooling: bool = False
    does_hang: bool = False
    is_hanging: bool = False
    stuck: dict[int, str] = {}
    told: tuple[bool, ...] | None = None
    """The locks as it last told of them unasked; None while it tells nothing unasked."""


class LockBoard:
    """Lock n (from 1) is the plant's point `locks[n - 1]`, sensor n `items[n - 1]`.

    `open_lock` gets the point whose lock takes its pulse, or its key.
    """

    def __init__(
        self,
        locks: Sequence[str],
        plant: Plant,
        open_lock: Callable[[str], None],
        *,
        items: Sequence[str] = (),
    ) -> None:
        self.locks = tuple(locks)
        self.items = tuple(items)
        self._plant = plant
        self._open_lock = open_lock
        self._doings = _Doings()

    @property
    def acts(self) -> tuple[str, ...]:
        of_locks = (f"{act} lock:{n}" for n in range(1, len(self.locks) + 1) for act in LOCK_ACTS)
        return (*BOARD_ACTS, *of_locks)

    def act(self, act: str) -> None:
        """Do one of `acts`."""
        name, _, lock = act.partition(" lock:")
        match name:
            case "answer no pulse":
                self._doings.is_mute = True
            case "cool down":
                self._doings.is_cooling = True
            case "hang after pulses":
                self._doings.does_hang = True
            case "tell changes":
                self._doings.told = self.closed()
            case "restore":
                self._doings = _Doings()
            case "key":
                self._open_lock(self.locks[int(lock) - 1])
            case _:
                self._doings.stuck[int(lock)] = name

    def hears(self) -> bool:
        """Whether the board takes this request in."""
        is_hanging, self._doings.is_hanging = self._doings.is_hanging, False
        return not is_hanging

    def pulse(self, lock: int) -> Said:
        """Drive a lock, 0: all of them, as far as the acts let it."""
        doings = self._doings
        if doings.is_cooling:
            return Said.COOLING
        asked = [lock] if lock else list(range(1, len(self.locks) + 1))
        stuck = {n for n in asked if n in doings.stuck or n > len(self.locks)}
        for n in asked:
            if n not in stuck:
                self._open_lock(self.locks[n - 1])
        doings.is_hanging = doings.does_hang
        if doings.is_mute:
            return Said.NOTHING
        return Said.OPENED if all(doings.stuck.get(n) == "jam" for n in stuck) else Said.FAILED

    def closed(self) -> tuple[bool, ...]:
        """Every lock: whether its hook is in."""
        return tuple(self._is_at_rest(point) for point in self.locks)

    def seen(self) -> tuple[bool, ...]:
        """Every item sensor: whether it sees something."""
        return tuple(self._is_at_rest(point) for point in self.items)

    def moved(self) -> list[int]:
        """Locks to be told of unasked, because they moved since. None unless the board tells at all."""
        before = self._doings.told
        if before is None:
            return []
        self._doings.told = now = self.closed()
        return [
            n for n, (was, is_closed) in enumerate(zip(before, now, strict=True), 1) if was is not is_closed
        ]

    def _is_at_rest(self, point: str) -> bool:
        return self._plant.value(point) == rest_value(point)
