import pytest
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadDiscreteInputsRequest,
    WriteMultipleCoilsRequest,
    WriteSingleCoilRequest,
)
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteSingleRegisterRequest,
)

from simulators.input_module import InputModule
from simulators.module_map import ADAM_6050, MODULE_MAPS, MOXA_E1210, MOXA_R1210
from simulators.plant import Plant

DOOR = "liuxu.int1.door"


class Wired:
    """A module with one door on input 3."""

    def __init__(self, module_map):
        self.plant = Plant([DOOR])
        self.module = InputModule(module_map, {3: DOOR}, self.plant)

    def open_times(self, times):
        for _ in range(times):
            self.plant.change(DOOR, "open", 0, 0)
            self.plant.change(DOOR, "closed", 0, 0)

    def words(self, request):
        return self.module.answer(request).registers

    def write(self, address, on):
        return self.module.answer(WriteSingleCoilRequest(address=address, bits=[on])).exception_code


def test_adam_shows_levels_as_coils():
    wired = Wired(ADAM_6050)
    wired.plant.change(DOOR, "open", 0, 0)
    bits = wired.module.answer(ReadCoilsRequest(address=0, count=12)).bits
    assert bits == [n == 3 for n in range(12)]


def test_adam_sends_the_low_word_of_a_counter_first():
    wired = Wired(ADAM_6050)
    wired.open_times(2)
    assert wired.words(ReadHoldingRegistersRequest(address=6, count=2)) == [2, 0]


@pytest.mark.parametrize("module_map", [MOXA_E1210, MOXA_R1210])
def test_moxa_gives_counters_high_word_first_and_levels_in_one_read(module_map):
    wired = Wired(module_map)
    wired.open_times(2)
    wired.plant.change(DOOR, "open", 0, 0)
    words = wired.words(ReadInputRegistersRequest(address=0x10, count=33))
    assert words[6:8] == [0, 3]
    assert words[32] == 1 << 3
    assert sum(words) == 3 + 8


@pytest.mark.parametrize("module_map", [MOXA_E1210, MOXA_R1210])
def test_moxa_shows_levels_as_discrete_inputs(module_map):
    wired = Wired(module_map)
    wired.plant.change(DOOR, "open", 0, 0)
    bits = wired.module.answer(ReadDiscreteInputsRequest(address=0, count=16)).bits
    assert bits == [n == 3 for n in range(16)]


def test_a_stopped_counter_stands_still_and_goes_on_from_there():
    wired = Wired(ADAM_6050)
    wired.open_times(1)
    wired.write(32 + 4 * 3, on=False)
    wired.open_times(5)
    assert wired.words(ReadHoldingRegistersRequest(address=6, count=1)) == [1]
    wired.write(32 + 4 * 3, on=True)
    wired.open_times(1)
    assert wired.words(ReadHoldingRegistersRequest(address=6, count=1)) == [2]


def test_clearing_sets_one_counter_to_nothing():
    wired = Wired(MOXA_E1210)
    wired.open_times(3)
    assert wired.write(0x113, on=True) == 0
    assert wired.words(ReadInputRegistersRequest(address=0x16, count=2)) == [0, 0]


def test_e1210_refuses_a_zero_on_a_clearing_coil():
    wired = Wired(MOXA_E1210)
    wired.open_times(3)
    assert wired.write(0x113, on=False) == 3
    assert wired.words(ReadInputRegistersRequest(address=0x16, count=2)) == [0, 3]


def test_an_adam_latch_stays_set_after_a_short_opening_until_written():
    wired = Wired(ADAM_6050)
    wired.open_times(1)
    latch = 35 + 4 * 3
    assert wired.module.answer(ReadCoilsRequest(address=latch, count=1)).bits == [True]
    wired.write(latch, on=False)
    assert wired.module.answer(ReadCoilsRequest(address=latch, count=1)).bits == [False]


def test_outputs_read_back_what_was_written():
    wired = Wired(ADAM_6050)
    wired.module.answer(WriteMultipleCoilsRequest(address=16, bits=[True, False, True]))
    assert wired.module.answer(ReadCoilsRequest(address=16, count=6)).bits == [1, 0, 1, 0, 0, 0]


def test_a_restart_loses_counters_latches_and_outputs_but_no_contact():
    wired = Wired(ADAM_6050)
    wired.open_times(4)
    wired.plant.change(DOOR, "open", 0, 0)
    wired.write(16, on=True)
    wired.module.restart()
    assert wired.words(ReadHoldingRegistersRequest(address=6, count=2)) == [0, 0]
    assert wired.module.answer(ReadCoilsRequest(address=0, count=12)).bits[3]
    assert not any(wired.module.answer(ReadCoilsRequest(address=16, count=6)).bits)


def test_a_counter_wraps_at_32_bits(monkeypatch):
    wired = Wired(MOXA_E1210)
    monkeypatch.setattr(wired.plant, "activations", lambda _: 2**32 + 7)
    assert wired.words(ReadInputRegistersRequest(address=0x16, count=2)) == [0, 7]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (ReadCoilsRequest(address=12, count=1), 2),
        (ReadCoilsRequest(address=0, count=13), 2),
        (ReadHoldingRegistersRequest(address=24, count=1), 2),
        (ReadInputRegistersRequest(address=0, count=1), 2),
        (WriteSingleCoilRequest(address=0, bits=[True]), 2),
        (WriteSingleRegisterRequest(address=0, registers=[1]), 1),
    ],
)
def test_what_is_not_on_the_map_is_an_exception(request_, code):
    assert Wired(ADAM_6050).module.answer(request_).exception_code == code


def test_the_reply_carries_unit_and_transaction_of_its_request():
    request = ReadCoilsRequest(address=0, count=1, dev_id=7, transaction_id=99)
    response = Wired(ADAM_6050).module.answer(request)
    assert (response.dev_id, response.transaction_id) == (7, 99)


def test_each_map_is_found_by_its_own_name():
    assert {name: made.name for name, made in MODULE_MAPS.items()} == {name: name for name in MODULE_MAPS}
