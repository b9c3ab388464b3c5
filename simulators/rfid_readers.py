"""Readers of dossier tags at the far end of a cable: an M100 module, or UHFReader18 readers on one line.

A tag is heard while its point, an item, is present. What the firmware of an M100 cannot know it does not say:
with its antenna off it reports "no tag", as the real one would.
"""

import random
from collections.abc import Iterator, Mapping, Sequence

from device_drivers.errors import DriverError
from device_drivers.rfid_m100 import codec as m100
from device_drivers.rfid_uhf18 import codec as uhf18
from simulators.errors import UnknownAct
from simulators.plant import Plant
from simulators.wire import Reply

FLICKER_P = 0.2
BURST_TAGS = 200
NEAR_DBM = -45
FAR_DBM = -70
TAGS_A_FRAME = 8
_ZERO_DBM = 160
"""The byte by which a UHFReader18 reader would tell 0 dBm; the family names no unit."""
ACTS = ("antenna off", "antenna on", "flicker", "burst", "duplicate", "steady")


class TagReader:
    """What the antennas of one reader hear: by antenna, EPC (hex) to point. `references` are always there.

    Acts: `flicker` lets each inventory miss a tag at p 0.2, `duplicate` lets every antenna hear the others'
    tags faintly, `steady` ends both; `burst` carries 200 strangers past, for one inventory.
    """

    def __init__(
        self,
        antennas: Mapping[int, Mapping[str, str]],
        plant: Plant,
        references: Sequence[str] = (),
        seed: int = 0,
    ) -> None:
        self._antennas = antennas
        self._plant = plant
        self._references = references
        self._random = random.Random(seed)  # noqa: S311 a simulator repeats itself
        self._off: set[int] = set()
        self._flickers = False
        self._duplicates = False
        self._has_burst = False

    @property
    def acts(self) -> tuple[str, ...]:
        """`antenna off` is all of them, `antenna off antenna:2` the one."""
        single = [f"antenna {state} antenna:{n}" for n in self._antennas for state in ("off", "on")]
        return (*ACTS, *(single if len(self._antennas) > 1 else ()))

    def act(self, act: str) -> None:
        """Do one of `acts`. Raises UnknownAct."""
        if act not in self.acts:
            raise UnknownAct(f"{act}: a reader knows {', '.join(self.acts)}")
        if act.startswith("antenna"):
            _, state, *which = act.split()
            antennas = {int(name.removeprefix("antenna:")) for name in which} or set(self._antennas)
            self._off = self._off | antennas if state == "off" else self._off - antennas
        elif act == "burst":
            self._has_burst = True
        else:
            self._flickers = act == "flicker" or (self._flickers and act != "steady")
            self._duplicates = act == "duplicate" or (self._duplicates and act != "steady")

    def is_off(self, antenna: int) -> bool:
        return antenna in self._off or antenna not in self._antennas

    def inventory(self, antenna: int) -> list[tuple[bytes, int]]:
        """Each tag that answers now, and how strongly (dBm)."""
        if self.is_off(antenna):
            return []
        heard = [(epc, dbm) for epc, dbm in self._in_reach(antenna) if not self._is_missed()]
        if self._has_burst:
            self._has_burst = False
            heard += [(f"E200{'0' * 16}{n:04X}", FAR_DBM) for n in range(BURST_TAGS)]
        return [(bytes.fromhex(epc), dbm) for epc, dbm in heard]

    def _in_reach(self, antenna: int) -> Iterator[tuple[str, int]]:
        yield from ((epc, NEAR_DBM) for epc in self._references)
        for place, tags in self._antennas.items():
            if place == antenna or self._duplicates:
                dbm = NEAR_DBM if place == antenna else FAR_DBM
                present = [epc for epc, point in tags.items() if self._plant.is_active(point)]
                yield from ((epc, dbm) for epc in present)

    def _is_missed(self) -> bool:
        return self._flickers and self._random.random() < FLICKER_P


class M100Line:
    """The one module of a line, as unit 1; `reader` has antenna 1."""

    def __init__(self, reader: TagReader, unit: int = 1) -> None:
        self._reader = reader
        self._unit = unit

    def hear(self, received: bytes, now_s: float) -> tuple[list[Reply], int]:
        del now_s  # as fast as the wire
        commands, used = m100.split_commands(received)
        return [reply for command in commands for reply in self._replies(command)], used

    def describe(self, frame: bytes) -> str:
        told = []
        for part in m100.decode(frame).frames:
            code = m100.decode_error(part)
            if part.type == m100.COMMAND:
                told.append("inventory" if part.command == m100.INVENTORY else f"command {part.command:02X}")
            elif code is not None:
                told.append(f"error {code:02X}, {m100.ERRORS.get(code, 'unknown')}")
            else:
                told.append(_described(part))
        return "; ".join(told) or f"no frame: {frame[:16].hex(' ')}"

    def acts(self) -> dict[int, tuple[str, ...]]:
        return {self._unit: self._reader.acts}

    def act(self, unit: int, act: str) -> None:
        if unit != self._unit:
            raise UnknownAct(f"there is no unit {unit} on this line")
        self._reader.act(act)

    def _replies(self, command: m100.Frame) -> list[Reply]:
        request = m100.encode(command)
        if command.command != m100.INVENTORY:
            return [Reply(self._unit, request, m100.encode_error(m100.BAD_COMMAND))]
        heard = self._reader.inventory(1)
        frames = [m100.encode_tag(m100.Tag(epc, dbm)) for epc, dbm in heard]
        return [Reply(self._unit, request, f) for f in frames or [m100.encode_error(m100.NO_TAG)]]


class Uhf18Line:
    """Readers on one line, by address. An antenna that is off is told, and ends the inventory."""

    def __init__(self, readers: Mapping[int, TagReader]) -> None:
        self._readers = readers

    def hear(self, received: bytes, now_s: float) -> tuple[list[Reply], int]:
        del now_s  # the scan time is not simulated
        commands, used = uhf18.split_commands(received)
        replies = []
        for command in commands:
            reader = self._readers.get(command.address)
            if reader is not None:
                replies += self._replies(command, reader)
        return replies, used

    def describe(self, frame: bytes) -> str:
        commands, _ = uhf18.split_commands(frame)
        if commands and len(frame) in (uhf18.COMMAND_MIN_BYTES, uhf18.COMMAND_MAX_BYTES):
            where = f"port {commands[0].port}" if commands[0].port else "its antenna"
            return f"reader {commands[0].address}: inventory at {where}"
        told = [
            f"reader {reply.address}: {uhf18.STATUSES.get(reply.status, f'status {reply.status:02X}')}"
            + (f", {reply.data.hex().upper()}" if reply.data else "")
            for reply in uhf18.decode(frame).replies
        ]
        return "; ".join(told) or f"no frame: {frame[:16].hex(' ')}"

    def acts(self) -> dict[int, tuple[str, ...]]:
        return {address: reader.acts for address, reader in self._readers.items()}

    def act(self, unit: int, act: str) -> None:
        if unit not in self._readers:
            raise UnknownAct(f"there is no unit {unit} on this line")
        self._readers[unit].act(act)

    def _replies(self, command: uhf18.Command, reader: TagReader) -> list[Reply]:
        request = uhf18.encode_inventory(command.address, command.port, command.scan_ms)
        return [
            Reply(command.address, request, uhf18.encode_reply(uhf18.Reply(command.address, 1, status, data)))
            for status, data in _answer(command.port, reader)
        ]


def _answer(port: int, reader: TagReader) -> Iterator[tuple[int, bytes]]:
    """Status and data of each frame."""
    antenna = port or 1
    if reader.is_off(antenna):
        yield uhf18.ANTENNA_OFF, b""
        return
    tags = [uhf18.Tag(epc, max(0, dbm + _ZERO_DBM)) for epc, dbm in reader.inventory(antenna)]
    for at in range(0, len(tags), TAGS_A_FRAME):
        yield uhf18.MORE, uhf18.encode_tags(tags[at : at + TAGS_A_FRAME], port)
    yield (uhf18.COMPLETE, uhf18.encode_tags((), port)) if tags else (uhf18.NO_TAG, b"")


def _described(part: m100.Frame) -> str:
    try:
        tag = m100.decode_tag(part)
    except DriverError:
        return f"reply to command {part.command:02X}"
    return f"tag {tag.epc.hex().upper()}, {tag.rssi} dBm"
