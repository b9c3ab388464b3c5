"""Finding the reply in what came: past stray bytes, an echo of the request, frames nobody asked for."""

from device_drivers.driver import Driver, Observation, Read
from device_drivers.errors import BadFrame, DriverError, UnaskedFrame

STRAY_BYTES = (0x00, 0xFF)
STRAY_LIMIT = 3
"""A turning RS-485 line makes one to three 00 or FF; no frame on our serial lines begins with either."""


class Reception:
    """One request's ear: `length` goes to the transport; the outcome is `error`, or else `observations`.

    `is_packet`: the stream has packets of its own (Modbus TCP), so neither noise nor echo can be in it.
    """

    def __init__(self, driver: Driver, read: Read, frame: bytes, *, is_packet: bool) -> None:
        self.observations: list[Observation] = []
        self.error: DriverError | None = None
        self.unasked = 0
        self.echo = 0
        self.stray = 0
        self._driver = driver
        self._read = read
        self._frame = frame
        self._is_packet = is_packet
        self._start = 0

    def length(self, received: bytes) -> int | None:
        """Where the reply ends in all that was `received`; None while more must come."""
        while True:
            if not self._is_packet:
                self._skip_strays(received)
            rest = received[self._start :]
            try:
                whole = self._driver.reply_length(self._read, rest)
                if whole is None or len(rest) < whole:
                    return None
                self.observations = self._driver.decode(self._read, rest[:whole])
            except UnaskedFrame:
                assert whole is not None
                self.unasked += 1
                self._start += whole
            except BadFrame as error:
                if not self._is_echo(rest):
                    self.error = error
                    return len(received)
                if len(rest) < len(self._frame):
                    return None
                self.echo += 1
                self._start += len(self._frame)
            except DriverError as error:
                self.error = error
                return self._start + whole if whole else len(received)
            else:
                return self._start + whole

    def _skip_strays(self, received: bytes) -> None:
        while (
            self.stray < STRAY_LIMIT and self._start < len(received) and received[self._start] in STRAY_BYTES
        ):
            self.stray += 1
            self._start += 1

    def _is_echo(self, rest: bytes) -> bool:
        """Whether this is our own request come back, or the beginning of it. Once a request."""
        return not (self._is_packet or self.echo) and self._frame.startswith(rest[: len(self._frame)])
