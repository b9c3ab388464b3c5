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

from simulators.sealing import Sealing
from simulators.wire import Reply

SPLIT_GAP_S = 0.005
STRAYS = (0x00, 0xFF)


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


def misfit(kind: FaultKind, sealing: Sealing | None, *, is_tcp: bool) -> str:
    """Why a cable cannot have such a fault; empty: it can."""
    if kind in OF_CONNECTIONS and not is_tcp:
        return f"{kind}: a serial line has no connection"
    if kind is FaultKind.EXCEPTION and not (sealing and sealing.has_exceptions):
        return f"{kind}: only Modbus has exceptions"
    if kind is FaultKind.WRONG_UNIT and (sealing is None or sealing.unit_at is None):
        return f"{kind}: replies on this cable carry no unit"
    return ""


class Emission(msgspec.Struct, frozen=True):
    """Bytes that go on the wire `delay_s` after the request was heard."""

    delay_s: float
    data: bytes


class ActiveFault(msgspec.Struct):
    id: int
    fault: Fault
    left: int
    seen: int = 0


class FaultLayer:
    """The faults of one cable. `sealing`: how its protocol seals a frame; None: only blind faults."""

    def __init__(self, seed: int, sealing: Sealing | None) -> None:
        self.active: dict[int, ActiveFault] = {}
        self._random = Random(seed)  # noqa: S311 - repeatable, nothing secret
        self.sealing = sealing
        self._last_id = 0

    def inject(self, fault: Fault) -> int:
        """Its number, by which it is healed."""
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
        struck = [entry.fault for entry in list(self.active.values()) if self._strikes(entry, reply)]
        for fault in sorted(
            struck, key=lambda fault: _ORDER.index(fault.kind) if fault.kind in _ORDER else -1
        ):
            emissions = self._spoil(fault, reply, emissions)
        return emissions, [fault.kind.value for fault in struck]

    def _strikes(self, entry: ActiveFault, reply: Reply) -> bool:
        fault = entry.fault
        if fault.kind in OF_THE_LINE or fault.unit not in {None, reply.unit}:
            return False
        if not (reply.request if fault.kind in _ECHOES else reply.frame):
            return False
        entry.seen += 1
        if fault.every and entry.seen % fault.every:
            return False
        if not fault.every and self._random.random() >= fault.p:
            return False
        if fault.count:
            entry.left -= 1
            if entry.left == 0:
                del self.active[entry.id]
        return True

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
        if self.sealing is not None:
            changes |= {
                FaultKind.WRONG_UNIT: self.sealing.wrong_unit,
                FaultKind.WRONG_FUNCTION: self.sealing.wrong_function,
                FaultKind.SHORT: self.sealing.short_count,
            }
            if self.sealing.has_exceptions:
                changes[FaultKind.EXCEPTION] = partial(self.sealing.exception, code=fault.code)
        return changes[fault.kind](frame) if fault.kind in changes else frame

    def _clashed(self, frame: bytes) -> bytes:
        """Two units of one address answer at once: the line shows 1 where both do."""
        other = (
            self._random.randbytes(len(frame))
            if self.sealing is None
            else self.sealing.with_data(frame, lambda data: self._random.randbytes(len(data)))
        )
        return bytes(a & b for a, b in zip(frame, other, strict=True))

    def _with_bad_check(self, frame: bytes) -> bytes:
        place = len(frame) - 1 if self.sealing is None else self.sealing.spoil_at % len(frame)
        flipped = frame[place] ^ 1 << self._random.randrange(8)
        return frame[:place] + bytes([flipped]) + frame[place + 1 :]

    def _strays(self) -> bytes:
        return bytes(self._random.choice(STRAYS) for _ in range(self._random.randrange(1, 4)))

    def babble(self) -> bytes:
        """What a babbling unit says without being asked."""
        return self._random.randbytes(16)
