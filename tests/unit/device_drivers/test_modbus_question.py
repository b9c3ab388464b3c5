"""A question to a unit reads and does nothing else, and takes whatever comes back for what it is."""

import pytest

from device_drivers.bus import Bus, BusSettings
from device_drivers.capture_file import Frame
from device_drivers.errors import BadFrame, DriverError, UnaskedFrame, WrongReply, WrongUnit
from device_drivers.modbus.frame import mbap_frame, read_request, rtu_frame
from device_drivers.modbus.question import Identity, Question, exception_of, identify_request, identity_of
from device_drivers.transport.replay import Replay

IDENTITY_PDU = bytes.fromhex("2b0e01010000 03 00 05") + b"Moxa\0" + b"\x01\x05E1210" + b"\x02\x03V31"


async def ask(pdu: bytes, received: bytes, unit: int = 1) -> bytes | None:
    """Over a real bus: the reply's PDU."""
    question = Question(unit, pdu, "rtu")
    read = question.reads()[0]
    sent, came = question.encode(read).hex(), received.hex()
    frames = [Frame(at_ns=0, took_ns=0, device="", read="", unit=unit, sent=sent, received=came, error="")]
    await Bus(Replay(frames), BusSettings(0.1, 0.0)).read(question, read)
    return question.reply


@pytest.mark.parametrize("function", [5, 6, 15, 16, 22, 23])
def test_a_write_cannot_be_asked(function: int) -> None:
    with pytest.raises(AssertionError, match="changes nothing"):
        Question(1, bytes([function, 0, 0, 0, 1]), "rtu")


async def test_data_and_exceptions_are_both_replies() -> None:
    assert await ask(read_request(3, 0, 1), rtu_frame(1, b"\x03\x02\x12\x34")) == b"\x03\x02\x12\x34"
    refused = await ask(read_request(3, 0, 1), rtu_frame(1, b"\x83\x02"))
    assert refused is not None
    assert exception_of(refused) == 2


async def test_an_identification_is_read_off_a_serial_line() -> None:
    reply = await ask(identify_request(), rtu_frame(1, IDENTITY_PDU))
    assert reply == IDENTITY_PDU
    assert identity_of(reply) == Identity("Moxa", "E1210", "V31")


async def test_a_refused_identification_says_nothing() -> None:
    reply = await ask(identify_request(), rtu_frame(1, b"\xab\x01"))
    assert reply is not None
    assert identity_of(reply) is None


@pytest.mark.parametrize("cut", range(1, len(IDENTITY_PDU)))
def test_a_cut_identification_is_none(cut: int) -> None:
    assert identity_of(IDENTITY_PDU[:cut]) is None


def test_an_identification_of_another_kind_is_none() -> None:
    assert identity_of(b"\x2b\x0d\x01\x01\x00\x00\x00") is None


async def test_another_units_reply_is_none_of_ours() -> None:
    with pytest.raises(WrongUnit):
        await ask(read_request(3, 0, 1), rtu_frame(2, b"\x03\x02\x12\x34"))


async def test_another_functions_reply_is_none_of_ours() -> None:
    with pytest.raises(WrongReply):
        await ask(read_request(3, 0, 1), rtu_frame(1, b"\x04\x02\x12\x34"))


@pytest.mark.parametrize("noise", [b"\x55\xaa\x55", b"\x01\x2b\x77\x00", b"\x01\x06\x00\x00\x00\x01\x00\x00"])
async def test_noise_is_a_typed_error(noise: bytes) -> None:
    with pytest.raises(DriverError):
        await ask(identify_request(), noise)


def test_an_endless_identification_is_refused() -> None:
    question = Question(1, identify_request(), "rtu")
    endless = b"\x01\x2b\x0e\x01\x01\x00\x00\xff" + b"\x00\xff" + bytes(255) + b"\x01\xff" + bytes(255)
    with pytest.raises(BadFrame):
        question.reply_length(question.reads()[0], endless)


def test_on_tcp_an_older_transaction_is_skipped() -> None:
    question = Question(1, read_request(3, 0, 1), "mbap", transaction=7)
    with pytest.raises(UnaskedFrame):
        question.decode(question.reads()[0], mbap_frame(6, 1, b"\x03\x02\x00\x00"))
    question.decode(question.reads()[0], mbap_frame(7, 1, b"\x03\x02\x00\x01"))
    assert question.reply == b"\x03\x02\x00\x01"
