"""Far ends of Modbus cables: several modules on one line, noise before requests, hands at the modules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.modbus.frame import mbap_frame, read_request, rtu_frame, write_request
from simulators.errors import UnknownAct
from simulators.input_module import InputModule
from simulators.modbus_units import PAUSE_S, RESTART_S, ModbusRtuUnits, ModbusTcpUnits
from simulators.module_map import (
    ADAM_6017,
    ADAM_6050,
    EBYTE_E831,
    KONNAD_SDD8020,
    MODULE_MAPS,
    ModuleMap,
    Use,
)
from simulators.plant import VALUES, Plant

DOOR, WIRE, TAMPER = "liuxu.int1.door", "liuxu.int1.wire", "liuxu.int1.tamper"


class Cable:
    """Module 1 and module 2 of two makes, input 3 of both wired to one door."""

    def __init__(
        self, first: ModuleMap = ADAM_6050, second: ModuleMap = EBYTE_E831, responder=ModbusRtuUnits
    ):
        self.plant = Plant([DOOR, WIRE, TAMPER])
        self.units = responder(
            {
                1: InputModule(first, {3: DOOR, 4: TAMPER}, self.plant),
                2: InputModule(second, {3: DOOR}, self.plant),
            }
        )
        self.now_s = 100.0

    def ask(self, unit: int, pdu: bytes) -> bytes:
        """PDU of the reply on a serial line, empty where none comes."""
        frame = rtu_frame(unit, pdu)
        replies, used = self.units.hear(frame, self.now_s)
        assert used == len(frame)
        assert [reply.request for reply in replies] == [frame]
        return replies[0].frame[1:-2]

    def flip(self, times: int = 1) -> None:
        for _ in range(times):
            self.plant.change(DOOR, "open", 0, 0)
            self.plant.change(DOOR, "closed", 0, 0)


def test_each_unit_of_a_line_answers_for_itself_and_a_missing_one_is_silent() -> None:
    cable = Cable()
    cable.flip(2)
    assert cable.ask(1, read_request(3, 6, 2)) == b"\x03\x04\x00\x02\x00\x00"
    assert cable.ask(2, read_request(3, 0x30, 4)) == b"\x03\x08" + b"\0\0" * 3 + b"\x00\x02"
    assert cable.ask(3, read_request(3, 0x30, 4)) == b""


def test_a_request_in_pieces_is_answered_when_it_is_whole() -> None:
    cable = Cable()
    frame = rtu_frame(1, read_request(1, 0, 12))
    for end in range(1, len(frame)):
        assert cable.units.hear(frame[:end], cable.now_s) == ([], 0)
    replies, used = cable.units.hear(frame, cable.now_s)
    assert (len(replies), used) == (1, len(frame))


@pytest.mark.parametrize("noise", [b"\x00", b"\xff\xff\x00", b"\x01\x03\x00", bytes(20)])
def test_noise_before_a_request_is_done_with(noise: bytes) -> None:
    cable = Cable()
    frame = noise + rtu_frame(1, read_request(1, 0, 12))
    replies, used = cable.units.hear(frame, cable.now_s)
    assert ([reply.request for reply in replies], used) == ([frame[len(noise) :]], len(frame))


def test_a_beginning_that_nothing_followed_does_not_swallow_the_next_request() -> None:
    cable = Cable()
    cut = bytes.fromhex("01 0f 0010 00ff ff")
    assert cable.units.hear(cut, 1.0) == ([], 0)
    frame = rtu_frame(1, read_request(1, 0, 12))
    replies, used = cable.units.hear(cut + frame, 1.0 + 2 * PAUSE_S)
    assert (len(replies), used) == (1, len(cut + frame))


def test_a_broadcast_is_obeyed_by_all_and_answered_by_none() -> None:
    cable = Cable(ADAM_6050, ADAM_6050)
    assert cable.ask(0, write_request(5, 16, 1)) == b""
    for unit in (1, 2):
        assert cable.ask(unit, read_request(1, 16, 1)) == b"\x01\x01\x01"


def test_a_gateway_answers_for_a_unit_that_is_not_there() -> None:
    cable = Cable(responder=ModbusTcpUnits)
    two = mbap_frame(7, 1, read_request(1, 0, 12)) + mbap_frame(8, 9, read_request(1, 0, 12))
    replies, used = cable.units.hear(two + b"\x00\x09", 0.0)
    assert used == len(two)
    assert [reply.frame.hex(" ") for reply in replies] == [
        "00 07 00 00 00 05 01 01 02 00 00",
        "00 08 00 00 00 03 09 81 0b",
    ]


def test_what_is_no_modbus_tcp_is_thrown_away() -> None:
    assert Cable(responder=ModbusTcpUnits).units.hear(b"GET / HTTP/1.1\r\n", 0.0) == ([], 16)


def test_a_restarted_module_is_silent_for_a_while_and_counts_from_nothing() -> None:
    cable = Cable()
    cable.flip(5)
    cable.units.act(2, "restart")
    request = read_request(3, 0x33, 1)
    assert cable.ask(2, request) == b""
    assert cable.ask(1, read_request(3, 6, 1)) == b"\x03\x02\x00\x05"
    cable.now_s += RESTART_S
    cable.flip()
    assert cable.ask(2, request) == b"\x03\x02\x00\x01"


def test_counters_are_preset_and_wrap_at_their_width() -> None:
    cable = Cable()
    cable.units.act(1, "preset 4294967293")
    cable.units.act(2, "preset 65533")
    cable.flip(5)
    assert cable.ask(1, read_request(3, 6, 2)) == b"\x03\x04\x00\x02\x00\x00"
    assert cable.ask(2, read_request(3, 0x33, 1)) == b"\x03\x02\x00\x02"


@pytest.mark.parametrize(
    "act", ["", "preset", "preset 65536", "preset x", "cut ai:0", "switch do:99", "jam", "restart now"]
)
def test_an_act_that_the_module_does_not_know_is_refused(act: str) -> None:
    with pytest.raises(UnknownAct):
        Cable().units.act(2, act)


def test_every_act_that_is_offered_can_be_done() -> None:
    for made in MODULE_MAPS.values():
        cable = Cable(made)
        for unit, acts in cable.units.acts().items():
            for act in acts:
                cable.units.act(unit, act)


def test_an_output_is_switched_at_the_module_and_read_back() -> None:
    cable = Cable()
    cable.units.act(1, "switch do:1")
    assert cable.ask(1, read_request(1, 16, 6)) == b"\x01\x01\x02"


def volts(cable: Cable, unit: int = 1, channel: int = 3) -> float:
    return int.from_bytes(cable.ask(unit, read_request(3, channel, 1))[2:]) * 10 / 0xFFFF


def test_an_analogue_input_sees_the_contact_and_the_wire() -> None:
    cable = Cable(ADAM_6017)
    assert volts(cable) == pytest.approx(2.5, abs=0.001)
    cable.plant.change(DOOR, "open", 0, 0)
    assert volts(cable) == pytest.approx(10 / 3, abs=0.001)
    for state, level in (("cut", 5.0), ("short", 0.0), ("sound", 10 / 3)):
        cable.plant.change(WIRE, state, 0, 0)
        assert volts(cable) == pytest.approx(level, abs=0.001)
    assert volts(cable, channel=0) == pytest.approx(5.0, abs=0.001), "nothing is connected"


def test_a_hand_at_the_wire_does_what_it_says_until_it_is_mended() -> None:
    cable = Cable(ADAM_6017)
    cable.plant.change(DOOR, "open", 0, 0)
    for hand, level in (("cut", 5.0), ("short", 0.0), ("bridge", 2.5), ("mend", 10 / 3)):
        cable.units.act(1, f"{hand} ai:3")
        assert volts(cable) == pytest.approx(level, abs=0.001)
    cable.units.act(1, "drift ai:3")
    assert volts(cable) == pytest.approx(3.4, abs=0.001)


def test_hum_moves_the_voltage_up_and_down() -> None:
    cable = Cable(ADAM_6017)
    cable.units.act(1, "hum ai:3")
    assert sorted(volts(cable) for _ in range(2)) == pytest.approx([2.46, 2.54], abs=0.001)


def test_a_module_with_auto_upload_on_sends_its_inputs_unasked() -> None:
    cable = Cable(KONNAD_SDD8020, responder=ModbusTcpUnits)
    cable.units.act(1, "auto-upload")
    request = mbap_frame(9, 1, read_request(2, 200, 8))
    unasked, reply = cable.units.hear(request, 0.0)[0]
    assert (unasked.request, reply.request) == (b"", request)
    assert unasked.frame == mbap_frame(0, 1, b"\x02\x01\x00")
    assert reply.frame == mbap_frame(9, 1, b"\x02\x01\x00")
    cable.units.act(1, "auto-upload")
    assert len(cable.units.hear(request, 0.0)[0]) == 1


def test_a_tamper_contact_is_an_input_like_others() -> None:
    cable = Cable()
    cable.plant.change(TAMPER, "tripped", 0, 0)
    assert cable.ask(1, read_request(1, 0, 12)) == b"\x01\x02\x10\x00"
    assert VALUES["tamper"][0] == "quiet"


def test_a_sticky_status_in_a_register_is_cleared_by_writing_zero() -> None:
    sticky = ModuleMap(
        name="sticky",
        channels=8,
        discretes={n: (Use.LEVEL, n) for n in range(8)},
        holding={0x20 + n: (Use.LATCH, n) for n in range(8)},
    )
    cable = Cable(sticky)
    cable.flip()
    assert cable.ask(1, read_request(3, 0x23, 1)) == b"\x03\x02\x00\x01"
    assert cable.ask(1, write_request(6, 0x23, 0)) == write_request(6, 0x23, 0)
    assert cable.ask(1, read_request(3, 0x23, 1)) == b"\x03\x02\x00\x00"
    assert cable.ask(1, write_request(6, 0x40, 0)) == b"\x86\x02"


def test_a_konnad_has_its_inputs_from_200() -> None:
    cable = Cable(KONNAD_SDD8020)
    cable.plant.change(DOOR, "open", 0, 0)
    assert cable.ask(1, read_request(2, 200, 8)) == b"\x02\x01\x08"
    assert cable.ask(1, read_request(2, 0, 8)) == b"\x82\x02"


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (rtu_frame(1, read_request(4, 0x10, 33)), "unit 1: read 33 input registers from 0x0010"),
        (rtu_frame(1, b"\x01\x02\x09\x08"), "unit 1: coils: on 0, 3, 11"),
        (rtu_frame(1, b"\x02\x01\x00"), "unit 1: discrete inputs: all off"),
        (rtu_frame(7, b"\x03\x04\x00\x05\xff\xff"), "unit 7: holding registers: 0005 ffff"),
        (rtu_frame(1, b"\x84\x02"), "unit 1: function 4 refused, exception 2: illegal data address"),
        (rtu_frame(1, write_request(5, 35, 0)), "unit 1: coil 0x0023 off"),
        (rtu_frame(1, write_request(6, 2, 513)), "unit 1: register 0x0002 = 513"),
        (rtu_frame(1, write_request(15, 16, 1)), "unit 1: write 1 coils from 0x0010 01"),
        (rtu_frame(1, b"\x01\x02")[:-1] + b"\x00", "CRC does not fit"),
        (b"\x01", "no Modbus frame: 01"),
    ],
)
def test_a_frame_is_told_in_words(frame: bytes, words: str) -> None:
    assert Cable().units.describe(frame).startswith(words)


def test_a_frame_over_tcp_is_told_with_its_number() -> None:
    frame = mbap_frame(513, 255, read_request(2, 200, 8))
    assert ModbusTcpUnits({}).describe(frame) == "#513 unit 255: read 8 discrete inputs from 0x00c8"
    assert ModbusTcpUnits({}).describe(frame[:-1]).startswith("no Modbus TCP frame")


@pytest.mark.parametrize("responder", [ModbusRtuUnits, ModbusTcpUnits])
@given(garbage=st.binary(max_size=300), pdu=st.binary(min_size=1, max_size=60), unit=st.integers(0, 3))
def test_no_bytes_upset_a_far_end(responder, garbage: bytes, pdu: bytes, unit: int) -> None:
    cable = Cable(responder=responder)
    for heard in (garbage, rtu_frame(unit, pdu), mbap_frame(1, unit, pdu)):
        _, used = cable.units.hear(heard, cable.now_s)
        assert 0 <= used <= len(heard)
        assert cable.units.describe(heard)
