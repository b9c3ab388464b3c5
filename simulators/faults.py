"""What can go wrong between a device and its cable: one layer, seeded, told nothing but the reply. Pure.

Every row of the fault list is somewhere: those of the wire here, those of the line itself in cable.py, those
of a device among its acts, those of the world as moves and values of a point. A test holds the table against
the kinds, moves, acts and values there are.

| row of the fault list | injected by |
|---|---|
| check error, single or a burst | `check`, `count` 1 or 3 |
| no reply, once, thrice, for ever | `lost`, `count` 1, 3, 0 |
| late reply | `late`, `ms` |
| another unit, function, count | `wrong_unit`, `wrong_function`, `short` |
| echo, whole or split | `echo`, `echo_split` |
| noise | `noise_before`, `noise_after` |
| partial frame, frame in bytes | `partial`, `split` |
| address clash | `clash` |
| baud mismatch | `garbage`; by itself where the driver's speed differs from the cable's |
| stuck bus, babbling unit | `stuck_low`, `stuck_high`, `babble` |
| exceptions | `exception`, `code` |
| port unplugged, new node, TCP dropped, half open | `unplugged`, `dropped`, `half_open` |
| module restart | act `restart` |
| counter wrap | act `preset` |
| contact bounce, chatter, pulses | moves `bounce`, `chatter`, `pulses` |
| contact held open | value `open` |
| wire cut, shorted | values `cut`, `short`; acts `cut`, `short` |
| wire bridged, drifting, humming | acts `bridge`, `drift`, `hum` |
| magnet | value `tripped` |
| lock without reply, cooling, stuck busy | acts `answer no pulse`, `cool down`, `hang after pulses` |
| lock opened by key, jammed, failed | acts `key`, `jam`, `fail` |
| RFID flicker, duplicate, burst, antenna off | acts `flicker`, `duplicate`, `burst`, `antenna off` |
| OSDP restart, wrong key, busy | acts `reboot`, `wrong key`, `busy` |
| MQTT | the broker is no simulator: killed and started by the tests |
"""

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from random import Random

import msgspec

from simulators.errors import BadValue
from simulators.sealing import Sealing
from simulators.wire import Reply

SPLIT_GAP_S = 0.005
STRAYS = (0x00, 0xFF)
ACTIVE_MAX = 32
"""So many faults a cable has at once, and no more."""


class FaultKind(StrEnum):
    CHECK = "check"
    LOST = "lost"
    LATE = "late"
    WRONG_UNIT = "wrong_unit"
    WRONG_FUNCTION = "wrong_function"
    SHORT = "short"
    ECHO = "echo"
    ECHO_SPLIT = "echo_split"
    NOISE_BEFORE = "noise_before"
    NOISE_AFTER = "noise_after"
    PARTIAL = "partial"
    SPLIT = "split"
    CLASH = "clash"
    GARBAGE = "garbage"
    EXCEPTION = "exception"
    STUCK_LOW = "stuck_low"
    STUCK_HIGH = "stuck_high"
    BABBLE = "babble"
    UNPLUGGED = "unplugged"
    DROPPED = "dropped"
    HALF_OPEN = "half_open"


OF_THE_LINE = frozenset(
    {
        FaultKind.STUCK_LOW,
        FaultKind.STUCK_HIGH,
        FaultKind.BABBLE,
        FaultKind.UNPLUGGED,
        FaultKind.DROPPED,
        FaultKind.HALF_OPEN,
    }
)
"""Faults that strike the whole cable at once, whatever is said on it."""
OF_CONNECTIONS = frozenset({FaultKind.DROPPED, FaultKind.HALF_OPEN})
"""Faults that a serial line cannot have."""
OF_SEALED_FRAMES = frozenset({FaultKind.WRONG_FUNCTION, FaultKind.SHORT, FaultKind.CLASH})
_ECHOES = frozenset({FaultKind.ECHO, FaultKind.ECHO_SPLIT})
_ORDER = (FaultKind.LOST, FaultKind.SPLIT, FaultKind.LATE, FaultKind.ECHO, FaultKind.ECHO_SPLIT)
"""What is done to a reply last, whichever fault came first: its bytes are spoilt before they are delayed, and
an adapter's echo comes before them, or alone.
"""


class Fault(msgspec.Struct, frozen=True):
    """Which replies are struck: those of `unit` (None: of all), with chance `p`, or every `every`-th.

    `count`: so many, 0: until healed. `ms`: how much later. `code`: of a Modbus exception.
    """

    kind: FaultKind
    unit: int | None = None
    p: float = 1.0
    every: int = 0
    count: int = 0
    ms: float = 600.0
    code: int = 4


def why_not(fault: Fault, sealing: Sealing | None, *, is_network: bool) -> str:
    """Why a fault would strike nothing on a cable, or not what it says; empty: it can."""
    if fault.kind in OF_THE_LINE and (
        fault.unit is not None or fault.p < 1 or fault.every > 1 or fault.count
    ):
        return "strikes the whole line; it takes no unit, chance or count"
    if fault.kind in OF_CONNECTIONS and not is_network:
        return "this is a serial line, it has no connection"
    if fault.kind in OF_SEALED_FRAMES and sealing is None:
        return "how this cable's protocol builds a frame is not known here"
    if fault.kind is FaultKind.WRONG_UNIT and (sealing is None or sealing.unit_at is None):
        return "no reply of this cable's protocol names its unit"
    if fault.kind is FaultKind.EXCEPTION and not (sealing and sealing.has_exceptions):
        return "this cable's protocol has no exceptions"
    return ""


class Emission(msgspec.Struct, frozen=True):
    """Bytes that go on the wire `delay_s` after the request was heard."""

    delay_s: float
    data: bytes


def _place(kind: FaultKind) -> int:
    """When a fault is applied to a reply: those of its bytes first."""
    return _ORDER.index(kind) if kind in _ORDER else -1


class ActiveFault(msgspec.Struct):
    id: int
    fault: Fault
    left: int
    seen: int = 0


class FaultLayer:
    """The faults of one cable. `sealing`: how its protocol seals a frame; None: only blind faults.

    `is_network`: it is a TCP port, with connections that can fail.
    """

    def __init__(self, seed: int, sealing: Sealing | None, *, is_network: bool = False) -> None:
        self.active: dict[int, ActiveFault] = {}
        self._random = Random(seed)  # noqa: S311 - repeatable, nothing secret
        self._sealing = sealing
        self._is_network = is_network
        self._last_id = 0

    def why_not(self, fault: Fault) -> str:
        """Why it would strike nothing here; empty: it can."""
        return why_not(fault, self._sealing, is_network=self._is_network)

    def inject(self, fault: Fault) -> int:
        """Its number, by which it is healed. Raises BadValue if it would strike nothing, or is too many."""
        if why := self.why_not(fault):
            raise BadValue(f"{fault.kind.value}: {why}")
        if len(self.active) >= ACTIVE_MAX:
            raise BadValue(f"{ACTIVE_MAX} faults are active on this cable; heal some first")
        self._last_id += 1
        self.active[self._last_id] = ActiveFault(self._last_id, fault, fault.count)
        return self._last_id

    def heal(self, number: int | None = None) -> None:
        """End one fault, or all."""
        if number is None:
            self.active.clear()
        else:
            self.active.pop(number, None)

    def has(self, kind: FaultKind) -> bool:
        return any(entry.fault.kind is kind for entry in self.active.values())

    def transmit(self, reply: Reply) -> tuple[list[Emission], list[str]]:
        """What goes on the wire for a reply, and the kinds of the faults that struck it.

        Of a reply that is none only the echo of its request can be heard.
        """
        emissions = [Emission(0.0, reply.frame)] if reply.frame else []
        hit = [entry for entry in list(self.active.values()) if self._strikes(entry, reply)]
        struck: list[str] = []
        for entry in sorted(hit, key=lambda entry: _place(entry.fault.kind)):
            spoilt = self._spoil(entry.fault, reply, emissions)
            if spoilt != emissions:  # else: a byte less of no data, half of one byte
                struck.append(entry.fault.kind.value)
                self._count(entry)
            emissions = spoilt
        return emissions, struck

    def _strikes(self, entry: ActiveFault, reply: Reply) -> bool:
        fault = entry.fault
        if fault.kind in OF_THE_LINE or fault.unit not in {None, reply.unit}:
            return False
        if not (reply.request if fault.kind in _ECHOES else reply.frame):
            return False
        entry.seen += 1
        if fault.every and entry.seen % fault.every:
            return False
        return bool(fault.every) or self._random.random() < fault.p

    def _count(self, entry: ActiveFault) -> None:
        if entry.fault.count:
            entry.left -= 1
            if entry.left == 0:
                del self.active[entry.id]

    def _spoil(self, fault: Fault, reply: Reply, emissions: list[Emission]) -> list[Emission]:
        match fault.kind:
            case FaultKind.LOST:
                return []
            case FaultKind.LATE:
                return [Emission(e.delay_s + fault.ms / 1_000, e.data) for e in emissions]
            case FaultKind.ECHO:
                return [Emission(0.0, reply.request), *emissions]
            case FaultKind.ECHO_SPLIT:
                half = len(reply.request) // 2
                later = [Emission(e.delay_s + SPLIT_GAP_S, e.data) for e in emissions]
                return [
                    Emission(0.0, reply.request[:half]),
                    Emission(SPLIT_GAP_S, reply.request[half:]),
                    *later,
                ]
            case FaultKind.SPLIT:
                return [
                    Emission(e.delay_s + n * SPLIT_GAP_S, bytes([byte]))
                    for e in emissions
                    for n, byte in enumerate(e.data)
                ]
            case _:
                return [Emission(e.delay_s, self._changed(fault, e.data)) for e in emissions]

    def _changed(self, fault: Fault, frame: bytes) -> bytes:
        changes: dict[FaultKind, Callable[[bytes], bytes]] = {
            FaultKind.CHECK: self._with_bad_check,
            FaultKind.NOISE_BEFORE: lambda whole: self._strays() + whole,
            FaultKind.NOISE_AFTER: lambda whole: whole + self._strays(),
            FaultKind.PARTIAL: lambda whole: whole[: self._random.randrange(1, max(2, len(whole)))],
            FaultKind.CLASH: self._clashed,
            FaultKind.GARBAGE: lambda whole: self._random.randbytes(self._random.randrange(3 * len(whole))),
        }
        if self._sealing is not None:
            changes |= {
                FaultKind.WRONG_UNIT: self._sealing.wrong_unit,
                FaultKind.WRONG_FUNCTION: self._sealing.wrong_function,
                FaultKind.SHORT: self._sealing.short_count,
            }
            if self._sealing.has_exceptions:
                changes[FaultKind.EXCEPTION] = partial(self._sealing.exception, code=fault.code)
        if fault.kind not in changes:
            return frame
        try:
            return changes[fault.kind](frame)
        except (IndexError, ValueError):
            return frame  # another fault has left too little of it

    def _clashed(self, frame: bytes) -> bytes:
        """Two units of one address answer at once: the line shows 1 where both do."""
        other = (
            self._random.randbytes(len(frame))
            if self._sealing is None
            else self._sealing.with_data(frame, lambda data: self._random.randbytes(len(data)))
        )
        return bytes(a & b for a, b in zip(frame, other, strict=True))

    def _with_bad_check(self, frame: bytes) -> bytes:
        place = len(frame) - 1 if self._sealing is None else self._sealing.spoil_at % len(frame)
        flipped = frame[place] ^ 1 << self._random.randrange(8)
        return frame[:place] + bytes([flipped]) + frame[place + 1 :]

    def _strays(self) -> bytes:
        return bytes(self._random.choice(STRAYS) for _ in range(self._random.randrange(1, 4)))

    def babble(self) -> bytes:
        """What a babbling unit says without being asked."""
        return self._random.randbytes(16)
