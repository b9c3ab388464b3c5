"""Finding the reply in what came: past stray bytes, an echo, late replies, frames nobody asked for."""

from collections.abc import Collection

from device_drivers.driver import Answer, Driver, Read
from device_drivers.errors import BadFrame, DriverError, UnaskedFrame, WrongUnit
from device_drivers.transport.base import INPUT_LIMIT_BYTES

STRAY_BYTES = (0x00, 0xFF)
STRAY_LIMIT = 3
"""A turning RS-485 line makes one to three 00 or FF; no frame on our serial lines begins with either."""
SKIPPED_LIMIT = 100
"""Frames that are no answer, in one exchange: more of them are babble. A stalled stream may bring dozens."""


class Reception:
    """One request's ear: `length` goes to the transport; the outcome is `error`, or else `answer`.

    `late_units` may still owe a reply. `is_packet`: the stream has packets of its own (Modbus TCP), so
    neither noise nor echo can be in it.
    """

    def __init__(
        self, driver: Driver, read: Read, frame: bytes, late_units: Collection[int], *, is_packet: bool
    ) -> None:
        self.answer: Answer | None = None
        self.error: DriverError | None = None
        self.frame = frame
        self.received = b""
        self.unasked = 0
        self.late = 0
        self.echo = 0
        self.stray = 0
        self._driver = driver
        self._read = read
        self._late_units = late_units
        self._is_packet = is_packet
        self._limit = INPUT_LIMIT_BYTES if is_packet else read.input_max_bytes
        self._start = 0

    def length(self, received: bytes) -> int | None:
        """Where the reply ends in all that was `received`; None while more must come."""
        self.received = received[:INPUT_LIMIT_BYTES]
        end = self._end(received[: self._limit])
        if end is None and len(received) > self._limit:
            self.error = BadFrame(f"more than {self._limit} bytes and no reply among them")
            return len(received)
        return end

    def _end(self, received: bytes) -> int | None:
        while True:
            if not self._is_packet:
                self._skip_strays(received)
            rest = received[self._start :]
            whole = None
            try:
                whole = self._driver.reply_length(self._read, rest)
                if whole is None or len(rest) < whole:
                    if not self._is_reply_behind_echo(rest):
                        return None
                    self.echo += 1
                    self._start += len(self.frame)
                    continue
                self.answer = self._driver.decode(self._read, rest[:whole])
            except DriverError as error:
                if isinstance(error, BadFrame) and self._is_echo(rest) and len(rest) < len(self.frame):
                    return None
                skipped = self._skipped(error, rest, whole)
                if not skipped:
                    self.error = error
                    is_frame = not isinstance(error, BadFrame)
                    return self._start + (whole if whole and is_frame else len(rest))
                self._start += skipped
            else:
                return self._start + whole

    def take(self, received: bytes) -> None:
        """The window of a read with one is over, and this is all that came in it."""
        self.received = received
        self._skip_strays(received)
        rest = received[self._start :]
        is_like_echo = rest == self.frame
        if rest.startswith(self.frame) and not is_like_echo:
            self.echo += 1
            rest = rest[len(self.frame) :]
        if not rest:
            return
        try:
            self.answer = self._driver.decode(self._read, rest)
        except DriverError as error:
            if is_like_echo:  # alone it is no reply, but for a driver that knows one like it
                self.echo += 1
            else:
                self.error = error

    def _skipped(self, error: DriverError, rest: bytes, whole: int | None) -> int:
        """How much of `rest` is no answer to us, though the real one may still follow; 0: it is wrong."""
        if self.unasked + self.late == SKIPPED_LIMIT:
            return 0
        if isinstance(error, UnaskedFrame) and whole:
            self.unasked += 1
            return whole
        if isinstance(error, WrongUnit) and whole and error.answered in self._late_units:
            self.late += 1
            return whole
        if isinstance(error, BadFrame) and self._is_echo(rest):
            self.echo += 1
            return len(self.frame)
        return 0

    def _is_reply_behind_echo(self, rest: bytes) -> bool:
        """Whether what would be a longer reply is our own request come back, and a whole reply after it."""
        behind = rest[len(self.frame) :]
        if not behind or not self._is_echo(rest):
            return False
        try:
            whole = self._driver.reply_length(self._read, behind)
        except DriverError:
            return False
        return whole is not None and len(behind) >= whole

    def _skip_strays(self, received: bytes) -> None:
        while (
            self.stray < STRAY_LIMIT and self._start < len(received) and received[self._start] in STRAY_BYTES
        ):
            self.stray += 1
            self._start += 1

    def _is_echo(self, rest: bytes) -> bool:
        """Whether this is our own request come back, or the beginning of it. Once a request."""
        return not (self._is_packet or self.echo) and self.frame.startswith(rest[: len(self.frame)])
