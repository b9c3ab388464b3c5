"""The driver of digital inputs: levels and counters of a module, in either framing."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.driver import Observation
from device_drivers.errors import BadFrame, DriverError, UnaskedFrame, WrongReply
from device_drivers.modbus.frame import mbap_frame, rtu_frame
from device_drivers.modbus.modbus_di import ModbusDi
from device_drivers.modbus.profile import Counters, Level, Profile

COUNTING = Profile(
    model="counting",
    inputs=20,
    level=Level(function=4, address=0x50),
    counters=Counters(address=0x10, word_order="high_first"),
)
BITS = Profile(model="bits", inputs=12, level=Level(function=1, address=0))


def counting_reply(level: int, counts: list[int], word_order: str) -> bytes:
    """PDU of the words 0x10…0x51: counters, a gap, two words of level."""
    order = (16, 0) if word_order == "high_first" else (0, 16)
    words = [count >> shift & 0xFFFF for count in counts for shift in order]
    words += [0xDEAD] * (0x40 - len(words)) + [level & 0xFFFF, level >> 16]
    return bytes([4, 2 * len(words)]) + struct.pack(f">{len(words)}H", *words)


@pytest.mark.parametrize("word_order", ["high_first", "low_first"])
@given(
    level=st.integers(0, 2**20 - 1),
    counts=st.lists(st.integers(0, 2**32 - 1), min_size=20, max_size=20),
)
def test_level_and_counters_come_out_of_one_reply(word_order: str, level: int, counts: list[int]) -> None:
    profile = Profile(
        model="counting",
        inputs=20,
        level=COUNTING.level,
        counters=Counters(address=0x10, word_order=word_order),
    )
    driver = ModbusDi(profile, 1, "rtu")
    observations = driver.decode(driver.reads()[0], rtu_frame(1, counting_reply(level, counts, word_order)))
    assert observations == [Observation(f"di:{n}", bool(level >> n & 1), counts[n], 32) for n in range(20)]


@given(st.integers(0, 2**12 - 1))
def test_bits_beyond_the_inputs_are_left_out(level: int) -> None:
    driver = ModbusDi(BITS, 1, "rtu")
    reply = rtu_frame(1, b"\x01\x02" + (level | 0xF000).to_bytes(2, "little"))
    observations = driver.decode(driver.reads()[0], reply)
    assert [o.active for o in observations] == [bool(level >> n & 1) for n in range(12)]
    assert {o.counter for o in observations} == {None}


@pytest.mark.parametrize("framing", ["rtu", "mbap"])
@pytest.mark.parametrize("profile", [COUNTING, BITS], ids=["words", "bits"])
def test_the_declared_lengths_are_those_on_the_wire(framing: str, profile: Profile) -> None:
    driver = ModbusDi(profile, 1, framing)
    read = driver.reads()[0]
    pdu = counting_reply(0, [0] * 20, "high_first") if profile is COUNTING else b"\x01\x02\x00\x00"
    reply = mbap_frame(1, 1, pdu) if framing == "mbap" else rtu_frame(1, pdu)
    assert (len(driver.encode(read)), len(reply)) == (read.request_bytes, read.reply_bytes)
    assert driver.reply_length(read, reply) == len(reply)


def test_every_request_over_tcp_has_a_number_of_its_own_also_past_65535() -> None:
    driver = ModbusDi(BITS, 1, "mbap")
    read = driver.reads()[0]
    numbers = [int.from_bytes(driver.encode(read)[:2]) for _ in range(0x10001)]
    assert numbers[:2] == [1, 2]
    assert numbers[0xFFFE:] == [0xFFFF, 1, 2], "0 is for frames that nobody asked for"


@pytest.mark.parametrize(("transaction", "unit"), [(1, 1), (2, 9)])
def test_another_transaction_or_unit_over_tcp_is_to_be_skipped(transaction: int, unit: int) -> None:
    driver = ModbusDi(BITS, 1, "mbap")
    read = driver.reads()[0]
    driver.encode(read)
    driver.encode(read)
    with pytest.raises(UnaskedFrame):
        driver.decode(read, mbap_frame(transaction, unit, b"\x01\x02\x00\x00"))


def test_another_unit_on_a_line_is_wrong() -> None:
    driver = ModbusDi(BITS, 1, "rtu")
    with pytest.raises(WrongReply, match="unit 9"):
        driver.decode(driver.reads()[0], rtu_frame(9, b"\x01\x02\x00\x00"))


@pytest.mark.parametrize("framing", ["rtu", "mbap"])
@given(garbage=st.binary(max_size=300))
def test_garbage_raises_driver_errors_only(framing: str, garbage: bytes) -> None:
    driver = ModbusDi(COUNTING, 1, framing)
    read = driver.reads()[0]
    for attempt in (driver.reply_length, driver.decode):
        try:
            attempt(read, garbage)
        except DriverError:
            continue


@pytest.mark.parametrize("framing", ["rtu", "mbap"])
@given(pdu=st.binary(min_size=1, max_size=250))
def test_a_sound_frame_with_garbage_inside_raises_driver_errors_only(framing: str, pdu: bytes) -> None:
    driver = ModbusDi(COUNTING, 1, framing)
    read = driver.reads()[0]
    driver.encode(read)
    reply = mbap_frame(1, 1, pdu) if framing == "mbap" else rtu_frame(1, pdu)
    with pytest.raises(DriverError):
        driver.decode(read, reply)


@pytest.mark.parametrize("inputs", [17, 24])
def test_our_own_request_come_back_is_no_reply_though_it_has_the_form_of_one(inputs: int) -> None:
    """At 0x0300 an echo says: three data bytes, and its check fits."""
    profile = Profile(model="x", inputs=inputs, level=Level(function=1, address=0x0300))
    driver = ModbusDi(profile, 1, "rtu")
    (read,) = driver.reads()
    with pytest.raises(BadFrame, match="own request"):
        driver.decode(read, driver.encode(read))
