"""A small, sound driver and its device: what the conformance suite must pass, and bugs are planted in.

51 uu bb SUM       ask for block bb (1, 2) of 8 inputs; bb = F0 + n: pulse output n
52 uu bb ss SUM    the block's state; for a pulse, what came of it: 01
"""

from device_drivers.driver import Answer, Command, Observation, Outcome, Read, Sight
from device_drivers.errors import BadFrame, DeviceRefused, WrongReply, WrongUnit
from tests.support.driver_cases import Answerer, DriverCase, Site

REQUEST_BYTES, REPLY_BYTES = 4, 5


def sealed(body: bytes) -> bytes:
    return body + bytes([sum(body) & 0xFF])


class ModelDriver:
    """One turn reads both blocks. Remembers what the turn it is in has seen."""

    kind = "model"
    command_gap_s = 0.5

    def __init__(self, unit: int) -> None:
        self._unit = unit
        channels = tuple(f"di:{n}" for n in range(16))
        self._first = Read("inputs", unit, channels, 2 * REQUEST_BYTES, 2 * REPLY_BYTES, exchanges=2)
        self._second = Read("second", unit, (), REQUEST_BYTES, REPLY_BYTES)
        self._seen: list[Sight] = []

    def reads(self) -> tuple[Read, ...]:
        return (self._first,)

    def encode(self, read: Read) -> bytes:
        return sealed(bytes([0x51, self._unit, self.block(read)]))

    def reply_length(self, read: Read, received: bytes) -> int | None:
        del read
        if received and received[0] != 0x52:
            raise BadFrame("no reply begins so")
        return REPLY_BYTES if received else None

    def decode(self, read: Read, reply: bytes) -> Answer:
        if len(reply) != REPLY_BYTES or sealed(reply[:-1]) != reply or reply[0] != 0x52:
            raise BadFrame(reply.hex(" "))
        if reply[1] != self._unit:
            raise WrongUnit(reply[1])
        if reply[2] != self.block(read):
            raise WrongReply(f"block {reply[2]}")
        return self.answer(read, reply[3])

    def answer(self, read: Read, state: int) -> Answer:
        block = self.block(read)
        if block > 2:
            return Outcome.ACKNOWLEDGED
        if block == 1:
            self._seen = []
        self._seen += [Observation(f"di:{8 * (block - 1) + n}", bool(state >> n & 1)) for n in range(8)]
        return self._second if block == 1 else self._seen

    def command(self, command: Command) -> Read:
        if command.action != "open" or command.channel != "lock:1":
            raise DeviceRefused(f"no {command.action} of {command.channel}")
        return Read("open 1", self._unit, (), REQUEST_BYTES, REPLY_BYTES)

    @staticmethod
    def block(read: Read) -> int:
        return {"inputs": 1, "second": 2}.get(read.name, 0xF1)


def model_device(unit: int, is_active: bool) -> Answerer:
    def answer(request: bytes) -> bytes:
        if (
            len(request) != REQUEST_BYTES
            or sealed(request[:-1]) != request
            or request[:2] != bytes([0x51, unit])
        ):
            return b""
        return sealed(bytes([0x52, unit, request[2], is_active]))

    return answer


MODEL_CASE = DriverCase(
    name="model",
    kind="model",
    site=Site(bus_kind="serial", unit=3),
    far_end=model_device,
    commands=(Command("open", "lock:1"),),
    seal=sealed,
)
