"""What stands around a PDU on its way to one unit and back: RTU, or MBAP with a number for each request."""

from typing import Literal

from device_drivers.errors import BadFrame, UnaskedFrame, WrongUnit
from device_drivers.modbus import frame
from device_drivers.site import NoOptions, Site, check_unit, typed_options

Framing = Literal["rtu", "mbap"]
LAST_NUMBER = 0xFFFF


class Envelope:
    """One unit's. Remembers the last request and its number, nothing else.

    Numbers run from 1: a module that sends frames nobody asked for has no other number for them than 0.
    """

    def __init__(self, unit: int, framing: Framing) -> None:
        self.unit = unit
        self._is_mbap = framing == "mbap"
        self._number = 0
        self._sent = b""

    @property
    def overhead_bytes(self) -> int:
        return frame.MBAP_HEADER_BYTES if self._is_mbap else frame.RTU_OVERHEAD_BYTES

    def wrap(self, pdu: bytes) -> bytes:
        if not self._is_mbap:
            self._sent = frame.rtu_frame(self.unit, pdu)
            return self._sent
        self._number = self._number % LAST_NUMBER + 1
        return frame.mbap_frame(self._number, self.unit, pdu)

    def reply_length(self, received: bytes) -> int | None:
        """As Driver.reply_length. Raises BadFrame."""
        return frame.mbap_reply_length(received) if self._is_mbap else frame.rtu_reply_length(received)

    def unwrap(self, reply: bytes) -> bytes:
        """The PDU, if unit and number are those of the last request.

        Raises UnaskedFrame (another number: an old reply, or a frame nobody asked for), WrongUnit, BadFrame.
        """
        if self._is_mbap:
            number, unit, pdu = frame.mbap_content(reply)
            if number != self._number or unit != self.unit:
                raise UnaskedFrame(f"transaction {number}, unit {unit}")
            return pdu
        unit, pdu = frame.rtu_content(reply)
        if reply == self._sent and pdu[0] in frame.READ_FUNCTIONS:
            # From an address 0x03xx it has the form of a reply: three data bytes, and a check that fits.
            raise BadFrame("our own request come back")
        if unit != self.unit:
            raise WrongUnit(unit)
        return pdu


def framing_of(site: Site) -> Framing:
    """That of a Modbus site without options. Raises ProfileFault for a unit that its line cannot have."""
    typed_options(site.options, NoOptions)
    is_tcp = site.bus_kind == "modbus_tcp"
    check_unit(site.unit, *((0, 255) if is_tcp else (1, 247)))
    return "mbap" if is_tcp else "rtu"
