"""Frames spoilt so that they still look sound: a byte changed, the check made to fit again. Pure.

One line a protocol: where unit, function, length and check stand in a reply. Layouts are those of the device
families' sheets; checks are computed here and not by the drivers' codecs, so that an error in one of them
does not excuse the other.
"""

from collections.abc import Callable

import msgspec

Check = Callable[[bytes], bytes]


class Sealing(msgspec.Struct, frozen=True):
    """Where things stand in a protocol's replies; negative places count from the end.

    `check` of everything from `check_from` to itself stands at `check_at`, `tail_bytes` follow it.
    `lengths`: (place, bytes) of each length field, most significant byte first.
    `unit_step`: what makes the next unit's address of a unit's.
    """

    function_at: int
    data_at: int
    unit_at: int | None = None
    unit_step: int = 1
    lengths: tuple[tuple[int, int], ...] = ()
    check: Check | None = None
    check_bytes: int = 0
    check_from: int = 0
    tail_bytes: int = 0
    spoil_at: int = -1
    """The byte a check error strikes: the check's last, or what serves as one."""
    has_exceptions: bool = False

    def wrong_unit(self, frame: bytes) -> bytes:
        """The reply as the next unit would send it."""
        if self.unit_at is None or len(frame) <= self.unit_at:
            return frame
        return self.sealed(_changed(frame, self.unit_at, (frame[self.unit_at] + self.unit_step) & 0xFF))

    def wrong_function(self, frame: bytes) -> bytes:
        """The reply to another question."""
        return self.sealed(_changed(frame, self.function_at, frame[self.function_at] ^ 0x07))

    def short_count(self, frame: bytes) -> bytes:
        """A byte of data less, and every length field in agreement with it."""
        end = len(frame) - self.tail_bytes - self.check_bytes
        if end - self.data_at < 1:
            return frame
        shorter = frame[: end - 1] + frame[end:]
        for place, size in self.lengths:
            count = int.from_bytes(frame[place : place + size]) - 1
            shorter = shorter[:place] + max(0, count).to_bytes(size) + shorter[place + size :]
        return self.sealed(shorter)

    def with_data(self, frame: bytes, change: Callable[[bytes], bytes]) -> bytes:
        """The frame with other data of the same length."""
        end = len(frame) - self.tail_bytes - self.check_bytes
        if end <= self.data_at:
            return frame
        return self.sealed(frame[: self.data_at] + change(frame[self.data_at : end]) + frame[end:])

    def exception(self, frame: bytes, code: int) -> bytes:
        """A Modbus refusal in place of the reply."""
        refusal = bytes([frame[self.function_at] | 0x80, code])
        if self.check is None:
            return frame[:4] + (3).to_bytes(2) + frame[6:7] + refusal
        return self.sealed(frame[: self.function_at] + refusal + bytes(self.check_bytes))

    def sealed(self, frame: bytes) -> bytes:
        """The frame with the check that fits."""
        if self.check is None:
            return frame
        end = len(frame) - self.tail_bytes - self.check_bytes
        return frame[:end] + self.check(frame[self.check_from : end]) + frame[end + self.check_bytes :]


def crc_modbus(data: bytes) -> bytes:
    """Polynomial A001 reflected, from FFFF, low byte first."""
    return _reflected_crc(data, 0xA001)


def crc_uhf18(data: bytes) -> bytes:
    """Polynomial 8408 reflected, from FFFF, low byte first."""
    return _reflected_crc(data, 0x8408)


def xor_all(data: bytes) -> bytes:
    check = 0
    for byte in data:
        check ^= byte
    return bytes([check])


def sum_all(data: bytes) -> bytes:
    return bytes([sum(data) & 0xFF])


def negative_sum(data: bytes) -> bytes:
    return bytes([-sum(data) & 0xFF])


def _reflected_crc(data: bytes, polynomial: int) -> bytes:
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (polynomial if crc & 1 else 0)
    return crc.to_bytes(2, "little")


def _changed(frame: bytes, place: int, byte: int) -> bytes:
    return frame[:place] + bytes([byte]) + frame[place + 1 :]


_SUM_03 = Sealing(function_at=2, data_at=3, unit_at=1, unit_step=0x10, check=sum_all, check_bytes=1)

SEALINGS: dict[str, Sealing] = {
    "modbus-rtu": Sealing(
        function_at=1,
        data_at=3,
        unit_at=0,
        lengths=((2, 1),),
        check=crc_modbus,
        check_bytes=2,
        has_exceptions=True,
    ),
    # Modbus TCP has no check of its own; the transaction number is what ties a reply to its request.
    "modbus-tcp": Sealing(
        function_at=7, data_at=9, unit_at=6, lengths=((4, 2), (8, 1)), spoil_at=1, has_exceptions=True
    ),
    "lock-8a": Sealing(function_at=0, data_at=2, unit_at=1, check=xor_all, check_bytes=1),
    "lock-krcu": _SUM_03,
    "lock-cu48": _SUM_03,
    # No check at all: the end byte is the only sign of a whole frame.
    "lock-winnsen": Sealing(function_at=2, data_at=4, unit_at=3, lengths=((1, 1),), tail_bytes=1),
    "lock-wkly": Sealing(
        function_at=6, data_at=7, unit_at=5, lengths=((4, 1),), check=xor_all, check_bytes=1
    ),
    "rfid-m100": Sealing(
        function_at=2,
        data_at=5,
        lengths=((3, 2),),
        check=sum_all,
        check_bytes=1,
        check_from=1,
        tail_bytes=1,
        spoil_at=-2,
    ),
    "rfid-swct": Sealing(
        function_at=5, data_at=7, unit_at=4, lengths=((2, 2),), check=negative_sum, check_bytes=1
    ),
    "rfid-uhf18": Sealing(
        function_at=2, data_at=4, unit_at=1, lengths=((0, 1),), check=crc_uhf18, check_bytes=2
    ),
    # Lines of text; what spoils one is a letter changed.
    "at": Sealing(function_at=0, data_at=2, tail_bytes=2, spoil_at=2),
}
"""By the name of the protocol on the cable."""
