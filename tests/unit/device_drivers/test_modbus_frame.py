"""Modbus frames: what is accepted, and what each kind of wrong is called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.errors import BadFrame, DeviceBusy, DeviceRefused, WrongReply
from device_drivers.modbus import frame

PDUS = st.binary(min_size=2, max_size=253)


@given(st.integers(0, 255), PDUS)
def test_an_rtu_frame_gives_back_what_went_in(unit: int, pdu: bytes) -> None:
    assert frame.rtu_content(frame.rtu_frame(unit, pdu)) == (unit, pdu)


@given(st.integers(0, 0xFFFF), st.integers(0, 255), PDUS)
def test_an_mbap_frame_gives_back_what_went_in(transaction: int, unit: int, pdu: bytes) -> None:
    whole = frame.mbap_frame(transaction, unit, pdu)
    assert frame.mbap_content(whole) == (transaction, unit, pdu)
    assert frame.mbap_reply_length(whole + b"next") == len(whole)


@given(PDUS, st.data())
def test_any_one_flipped_bit_of_an_rtu_frame_is_found(pdu: bytes, data: st.DataObject) -> None:
    whole = bytearray(frame.rtu_frame(1, pdu))
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[bit // 8] ^= 1 << bit % 8
    with pytest.raises(BadFrame):
        frame.rtu_content(bytes(whole))


def test_the_length_of_a_reply_is_known_from_its_third_byte_on() -> None:
    reply = frame.rtu_frame(1, b"\x02\x02\xac\xdb")
    lengths = [frame.rtu_reply_length(reply[:n]) for n in range(len(reply) + 1)]
    assert lengths == [None, None, None, 7, 7, 7, 7, 7]


def test_the_length_of_an_exception_is_known_from_its_function() -> None:
    assert frame.rtu_reply_length(b"\x01\x84") == 5


@pytest.mark.parametrize("code", [1, 2, 3])
def test_an_exception_that_will_last_is_a_configuration_fault(code: int) -> None:
    with pytest.raises(DeviceRefused, match=f"exception {code}"):
        frame.reply_data(bytes([0x84, code]), 4, 2)


@pytest.mark.parametrize("code", [4, 5, 6, 8, 10, 11, 99])
def test_any_other_exception_may_pass(code: int) -> None:
    with pytest.raises(DeviceBusy, match=f"exception {code}"):
        frame.reply_data(bytes([0x84, code]), 4, 2)


@pytest.mark.parametrize(
    ("pdu", "error"),
    [
        (b"\x03\x02\x00\x01", WrongReply),
        (b"\x82\x02", WrongReply),
        (b"\x04\x04\x00\x01\x00\x02", WrongReply),
        (b"\x04\x02\x00", BadFrame),
        (b"\x04\x02\x00\x01\x00", BadFrame),
        (b"\x04", BadFrame),
        (b"\x84", BadFrame),
    ],
    ids=["function", "exception to another", "count", "short", "long", "bare", "bare exception"],
)
def test_a_reply_that_does_not_fit_the_request_is_refused(pdu: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        frame.reply_data(pdu, 4, 2)


@pytest.mark.parametrize(("function", "count"), [(1, 0), (1, 2001), (3, 0), (3, 126)])
def test_a_request_beyond_the_bounds_of_modbus_cannot_be_made(function: int, count: int) -> None:
    with pytest.raises(ValueError, match="count"):
        frame.read_request(function, 0, count)
