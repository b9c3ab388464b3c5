"""Driver `modbus_di`: the inputs of a Modbus I/O module, with counters where one frame holds both."""

import struct
from typing import Literal

from device_drivers.driver import Answer, Observation, Read, Sight
from device_drivers.errors import UnaskedFrame, WrongUnit
from device_drivers.modbus import frame
from device_drivers.modbus.profile import Profile

Framing = Literal["rtu", "mbap"]


class ModbusDi:
    """One module. Holds its transaction number and tables made from the profile, nothing else."""

    kind = "modbus_di"

    def __init__(self, profile: Profile, unit: int, framing: Framing) -> None:
        address, count = profile.span()
        function = profile.level.function
        self._unit = unit
        self._function = function
        self._is_mbap = framing == "mbap"
        self._transaction = 0
        self._pdu = frame.read_request(function, address, count)
        self._rtu_request = frame.rtu_frame(unit, self._pdu)
        self._byte_count = frame.data_bytes(function, count)
        self._words = struct.Struct(f">{count}H") if function in frame.WORD_FUNCTIONS else None
        self._level_at = profile.level.address - address
        self._level_words = profile.level_words
        self._counters_at = _counter_places(profile, address)
        self._channels = tuple(f"di:{n}" for n in range(profile.inputs))
        overhead = frame.MBAP_HEADER_BYTES if self._is_mbap else frame.RTU_OVERHEAD_BYTES
        self._read = Read(
            name="inputs",
            unit=unit,
            channels=self._channels,
            request_bytes=overhead + len(self._pdu),
            reply_bytes=overhead + 2 + self._byte_count,
        )

    def reads(self) -> tuple[Read, ...]:
        return (self._read,)

    def encode(self, read: Read) -> bytes:  # noqa: ARG002 - there is one read
        if not self._is_mbap:
            return self._rtu_request
        self._transaction = (self._transaction + 1) & 0xFFFF
        return frame.mbap_frame(self._transaction, self._unit, self._pdu)

    def reply_length(self, read: Read, received: bytes) -> int | None:  # noqa: ARG002 - there is one read
        return frame.mbap_reply_length(received) if self._is_mbap else frame.rtu_reply_length(received)

    def decode(self, read: Read, reply: bytes) -> Answer:  # noqa: ARG002 - there is one read
        data = frame.reply_data(self._content(reply), self._function, self._byte_count)
        if self._words is None:
            return self._observations(int.from_bytes(data, "little"), None)
        words = self._words.unpack(data)
        level = 0
        for n in range(self._level_words):
            level |= words[self._level_at + n] << 16 * n
        return self._observations(level, words)

    def _content(self, reply: bytes) -> bytes:
        """The PDU, if unit and transaction are those of the request."""
        if self._is_mbap:
            transaction, unit, pdu = frame.mbap_content(reply)
            if transaction != self._transaction or unit != self._unit:
                raise UnaskedFrame(f"transaction {transaction}, unit {unit}")
            return pdu
        unit, pdu = frame.rtu_content(reply)
        if unit != self._unit:
            raise WrongUnit(unit)
        return pdu

    def _observations(self, level: int, words: tuple[int, ...] | None) -> list[Sight]:
        if words is None or not self._counters_at:
            return [Observation(name, bool(level >> n & 1)) for n, name in enumerate(self._channels)]
        return [
            Observation(name, bool(level >> n & 1), words[high] << 16 | words[low])
            for n, (name, (high, low)) in enumerate(zip(self._channels, self._counters_at, strict=True))
        ]


def _counter_places(profile: Profile, first: int) -> tuple[tuple[int, int], ...]:
    """For each input the places of its high and low word within the read; empty without counters."""
    counters = profile.counters
    if counters is None:
        return ()
    start = counters.address - first
    if counters.word_order == "high_first":
        return tuple((start + 2 * n, start + 2 * n + 1) for n in range(profile.inputs))
    return tuple((start + 2 * n + 1, start + 2 * n) for n in range(profile.inputs))
