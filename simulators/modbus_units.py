"""The far end of a Modbus cable: input modules on one serial line, or behind one TCP address.

Messages and their framing are pymodbus's, the answers are InputModule's. The drivers have framing of their
own, so an error on one side does not cancel itself out on the other.
"""

from collections.abc import Mapping

from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerBase, FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.bit_message import ReadDiscreteInputsRequest

from simulators.errors import UnknownAct
from simulators.input_module import InputModule
from simulators.modbus_words import describe_mbap, describe_rtu
from simulators.module_map import Use
from simulators.supervised_wire import HANDS
from simulators.wire import Reply

RESTART_S = 2.0
"""A module whose power was away says nothing for so long."""
PAUSE_S = 0.1
"""No pause within a request is longer; what came before one is no beginning of anything."""
BROADCAST = 0
_MBAP_HEADER_BYTES = 7
_SHORT_REQUESTS = range(1, 7)
_LONG_REQUESTS = (15, 16)


class _Units:
    """The modules of a cable by their unit numbers, and what a hand can do at them."""

    def __init__(self, modules: Mapping[int, InputModule]) -> None:
        self._modules = modules
        self._restarted: set[int] = set()
        self._silent_until_s: dict[int, float] = {}
        self._uploading: set[int] = set()

    def acts(self) -> dict[int, tuple[str, ...]]:
        return {unit: _acts(module) for unit, module in self._modules.items()}

    def act(self, unit: int, act: str) -> None:
        """Raises UnknownAct."""
        if unit not in self._modules or not self._do(unit, self._modules[unit], act):
            raise UnknownAct(f"unit {unit} knows no act {act!r}")

    def _do(self, unit: int, module: InputModule, act: str) -> bool:
        word, _, rest = act.partition(" ")
        if act == "restart":
            module.restart()
            self._restarted.add(unit)
        elif word == "preset" and rest.isdecimal() and int(rest) < module.map.counter_limit:
            module.preset(int(rest))
        elif act not in _acts(module):
            return False
        elif word == "auto-upload":
            self._uploading ^= {unit}
        elif word == "switch":
            module.switch_output(int(rest.removeprefix("do:")))
        else:
            module.wires[int(rest.removeprefix("ai:"))].handle(word)
        return True

    def _is_silent(self, unit: int, now_s: float) -> bool:
        if unit in self._restarted:
            self._restarted.discard(unit)
            self._silent_until_s[unit] = now_s + RESTART_S
        return now_s < self._silent_until_s.get(unit, 0.0)


class ModbusRtuUnits(_Units):
    """Modules on one serial line. A unit that is not there says nothing; unit 0 is all of them."""

    def __init__(self, modules: Mapping[int, InputModule]) -> None:
        super().__init__(modules)
        self._framer = FramerRTU(DecodePDU(is_server=True))
        self._kept = b""
        self._kept_at_s = 0.0

    def hear(self, received: bytes, now_s: float) -> tuple[list[Reply], int]:
        is_stale = self._kept and received.startswith(self._kept) and now_s - self._kept_at_s > PAUSE_S
        used = len(self._kept) if is_stale else 0
        replies: list[Reply] = []
        while (length := _rtu_length(received[used:])) is not None:
            frame = received[used : used + length]
            is_sound = _has_sound_check(frame)
            if is_sound:
                replies.append(self._reply(frame, now_s))
            used += length if is_sound else 1
        if received[used:] != self._kept:
            self._kept, self._kept_at_s = received[used:], now_s
        return replies, used

    def describe(self, frame: bytes) -> str:
        return describe_rtu(frame)

    def _reply(self, frame: bytes, now_s: float) -> Reply:
        unit = frame[0]
        request = _request(self._framer, frame[1:-2], unit, 0)
        answers = {
            number: self._framer.buildFrame(module.answer(request))
            for number, module in self._modules.items()
            if unit in {number, BROADCAST} and not self._is_silent(number, now_s)
        }
        return Reply(unit, frame, b"" if unit == BROADCAST else answers.get(unit, b""))


class ModbusTcpUnits(_Units):
    """Modules behind one address. For a unit that is not there the gateway answers: exception 11."""

    def __init__(self, modules: Mapping[int, InputModule]) -> None:
        super().__init__(modules)
        self._framer = FramerSocket(DecodePDU(is_server=True))

    def hear(self, received: bytes, now_s: float) -> tuple[list[Reply], int]:
        replies: list[Reply] = []
        used = 0
        while len(received) - used > _MBAP_HEADER_BYTES:
            header = received[used : used + _MBAP_HEADER_BYTES]
            end = used + 6 + int.from_bytes(header[4:6])
            if header[2:4] != b"\0\0" or not 8 <= end - used <= 260:
                return replies, len(received)  # no Modbus: there is no beginning to be found in it
            if len(received) < end:
                break
            replies += self._unasked(received[used + 6])
            replies.append(self._reply(received[used:end], now_s))
            used = end
        return replies, used

    def describe(self, frame: bytes) -> str:
        return describe_mbap(frame)

    def _unasked(self, unit: int) -> list[Reply]:
        """What a unit with auto-upload on sends before it comes to answer. Their number, 0, is assumed."""
        if unit not in self._uploading:
            return []
        module = self._modules[unit]
        first = min(module.map.discretes)
        state = ReadDiscreteInputsRequest(address=first, count=module.map.channels, dev_id=unit)
        return [Reply(unit, b"", self._framer.buildFrame(module.answer(state)))]

    def _reply(self, frame: bytes, now_s: float) -> Reply:
        transaction, unit = int.from_bytes(frame[:2]), frame[6]
        request = _request(self._framer, frame[_MBAP_HEADER_BYTES:], unit, transaction)
        module = self._modules.get(unit)
        if module is None:
            code = request.function_code
            answer: ModbusPDU = ExceptionResponse(code, ExcCodes.GATEWAY_NO_RESPONSE, unit, transaction)
        elif self._is_silent(unit, now_s):
            return Reply(unit, frame, b"")
        else:
            answer = module.answer(request)
        return Reply(unit, frame, self._framer.buildFrame(answer))


def _rtu_length(rest: bytes) -> int | None:
    """Length of the request that may begin here; None while more must come."""
    if len(rest) < 2:
        return None
    length = len(rest)  # of a function that nobody knows: all of it, if its check is right
    if rest[1] in _SHORT_REQUESTS:
        length = 8
    elif rest[1] in _LONG_REQUESTS:
        if len(rest) < 7:
            return None
        length = 9 + rest[6]
    return length if len(rest) >= length else None


def _has_sound_check(frame: bytes) -> bool:
    return len(frame) > 3 and FramerRTU.check_CRC(frame[:-2], int.from_bytes(frame[-2:]))


def _request(framer: FramerBase, body: bytes, unit: int, transaction: int) -> ModbusPDU:
    """The request in a PDU. One that cannot be decoded is its own refusal."""
    request = framer.decoder.decode(body)
    if request is None:
        is_known = body[0] in DecodePDU.pdu_table
        refused = ExcCodes.ILLEGAL_VALUE if is_known else ExcCodes.ILLEGAL_FUNCTION
        request = ExceptionResponse(body[0], refused)
    request.dev_id, request.transaction_id = unit, transaction
    return request


def _acts(module: InputModule) -> tuple[str, ...]:
    acts = ["restart"]
    if module.map.counter_limit:
        acts.append(f"preset {module.map.counter_limit - 3}")
    if module.map.uploads:
        acts.append("auto-upload")
    acts += [f"switch do:{output}" for output in module.map.outputs]
    if Use.VALUE in module.map.uses:
        acts += [f"{hand} ai:{channel}" for channel in range(module.map.channels) for hand in HANDS]
    return tuple(acts)
