"""An input module as its firmware sees it: counters, latches, the answer to a Modbus request. No I/O."""

from collections.abc import Mapping

from pymodbus.constants import ExcCodes
from pymodbus.pdu import ExceptionResponse, ModbusPDU
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadCoilsResponse,
    ReadDiscreteInputsResponse,
    WriteMultipleCoilsRequest,
    WriteMultipleCoilsResponse,
    WriteSingleCoilRequest,
    WriteSingleCoilResponse,
)
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadHoldingRegistersResponse,
    ReadInputRegistersResponse,
    WriteSingleRegisterRequest,
    WriteSingleRegisterResponse,
)

from simulators.module_map import WRITABLE, Cells, ModuleMap, Use
from simulators.plant import Plant
from simulators.supervised_wire import SupervisedWire


class _Counter:
    """One channel's counter and latch. `seen` is how often the input has ever gone on."""

    def __init__(self, seen: int) -> None:
        self._from = seen
        self._held: int | None = None
        self._latched_from = seen

    @property
    def is_running(self) -> bool:
        return self._held is None

    def count(self, seen: int) -> int:
        return seen - self._from if self._held is None else self._held

    def is_latched(self, seen: int) -> bool:
        return seen > self._latched_from

    def run(self, seen: int, *, on: bool) -> None:
        if on and self._held is not None:
            self._from, self._held = seen - self._held, None
        elif not on and self._held is None:
            self._held = self.count(seen)

    def clear(self, seen: int) -> None:
        self._from = seen
        if self._held is not None:
            self._held = 0

    def preset(self, seen: int, count: int) -> None:
        self._from = seen - count
        if self._held is not None:
            self._held = count

    def clear_latch(self, seen: int) -> None:
        self._latched_from = seen


class InputModule:
    """A module of make `module_map` whose input n is wired to point `inputs[n]` of the plant.

    Inputs without a wire are off. Counters run from the start, as a technician leaves them.
    """

    def __init__(self, module_map: ModuleMap, inputs: Mapping[int, str], plant: Plant) -> None:
        self.map = module_map
        self._inputs = inputs
        self._plant = plant
        self.wires = [SupervisedWire(inputs.get(channel), plant) for channel in range(module_map.channels)]
        """What is at the inputs of an analogue module."""
        self.restart()

    def restart(self) -> None:
        """Power was away: counters and latches start from nothing, outputs are off."""
        self._counters = [_Counter(self._seen(channel)) for channel in range(self.map.channels)]
        self._outputs: dict[int, bool] = {}

    def preset(self, count: int) -> None:
        """All counters stand at this count, as after many openings."""
        for channel, counter in enumerate(self._counters):
            counter.preset(self._seen(channel), count)

    def switch_output(self, output: int) -> None:
        """A digital output the other way round."""
        self._outputs[output] = not self._outputs.get(output, False)

    def answer(self, request: ModbusPDU) -> ModbusPDU:
        """The response to a decoded request: an exception where the map has none, itself if it is one."""
        response = request if request.isError() else self._respond(request)
        response.dev_id, response.transaction_id = request.dev_id, request.transaction_id
        return response

    def _respond(self, request: ModbusPDU) -> ModbusPDU:
        code, start, count = request.function_code, request.address, request.count
        if isinstance(request, ReadCoilsRequest):
            bits = _cells(self.map.coils if code == 1 else self.map.discretes, start, count)
            kind = ReadCoilsResponse if code == 1 else ReadDiscreteInputsResponse
            return kind(bits=[self._bit(*cell) for cell in bits]) if bits else _refusal(code)
        if isinstance(request, ReadHoldingRegistersRequest):
            words = _cells(self.map.holding if code == 3 else self.map.input, start, count)
            answer = ReadHoldingRegistersResponse if code == 3 else ReadInputRegistersResponse
            return answer(registers=[self._word(*cell) for cell in words]) if words else _refusal(code)
        return self._write(request)

    def _write(self, request: ModbusPDU) -> ModbusPDU:
        code, start, count = request.function_code, request.address, request.count
        if isinstance(request, WriteSingleCoilRequest):
            echo = WriteSingleCoilResponse(address=start, bits=request.bits)
            return self._switch_all(code, start, list(request.bits)) or echo
        if isinstance(request, WriteMultipleCoilsRequest):
            done = WriteMultipleCoilsResponse(address=start, count=count)
            return self._switch_all(code, start, list(request.bits)[:count]) or done
        if isinstance(request, WriteSingleRegisterRequest) and self.map.has_writable_words:
            use, channel = self.map.holding.get(start, (Use.LEVELS, 0))
            if use not in WRITABLE:
                return _refusal(code)
            self._switch(use, channel, on=bool(request.registers[0]))
            return WriteSingleRegisterResponse(address=start, registers=request.registers)
        return _refusal(code, ExcCodes.ILLEGAL_FUNCTION)

    def _bit(self, use: Use, channel: int) -> bool:
        if use is Use.LEVEL:
            return self._is_on(channel)
        if use is Use.OUTPUT:
            return self._outputs.get(channel, False)
        counter = self._counters[channel]
        if use is Use.START:
            return counter.is_running
        return use is Use.LATCH and counter.is_latched(self._seen(channel))

    def _word(self, use: Use, channel: int) -> int:
        if use is Use.LEVELS:
            return sum(self._is_on(n) << n for n in range(self.map.channels))
        if use is Use.OUTPUTS:
            return sum(on << n for n, on in self._outputs.items())
        if use is Use.VALUE:
            return self.wires[channel].raw()
        if use is Use.LATCH:
            return int(self._bit(use, channel))
        count = self._counters[channel].count(self._seen(channel))
        return count >> 16 & 0xFFFF if use is Use.COUNT_HIGH else count & 0xFFFF

    def _switch_all(self, code: int, start: int, bits: list[bool]) -> ModbusPDU | None:
        """Switch coils, all or none. Returns the refusal, if it is one."""
        cells = _cells(self.map.coils, start, len(bits))
        if not cells or any(use not in WRITABLE for use, _ in cells):
            return _refusal(code)
        writes = list(zip(cells, bits, strict=True))
        if self.map.refuses_zero and any(use is Use.CLEAR and not on for (use, _), on in writes):
            return _refusal(code, ExcCodes.ILLEGAL_VALUE)
        for (use, channel), on in writes:
            self._switch(use, channel, on=on)
        return None

    def _switch(self, use: Use, channel: int, *, on: bool) -> None:
        counter, seen = self._counters[channel], self._seen(channel)
        if use is Use.OUTPUT:
            self._outputs[channel] = on
        elif use is Use.START:
            counter.run(seen, on=on)
        elif use is Use.CLEAR and on:
            counter.clear(seen)
        elif use is Use.LATCH:
            counter.clear_latch(seen)

    def _is_on(self, channel: int) -> bool:
        return channel in self._inputs and self._plant.is_active(self._inputs[channel])

    def _seen(self, channel: int) -> int:
        return self._plant.activations(self._inputs[channel]) if channel in self._inputs else 0


def _cells(cells: Cells, start: int, count: int) -> list[tuple[Use, int]]:
    """What stands at `count` addresses from `start`; nothing where one of them is not on the map."""
    found = [cells[address] for address in range(start, start + count) if address in cells]
    return found if len(found) == count else []


def _refusal(code: int, why: ExcCodes = ExcCodes.ILLEGAL_ADDRESS) -> ModbusPDU:
    return ExceptionResponse(code, why)
