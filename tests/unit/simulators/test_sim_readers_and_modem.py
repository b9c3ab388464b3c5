"""What a hand can do at simulated readers and at the simulated modem."""

import pytest

from device_drivers.sms_modem import pdu
from simulators.errors import UnknownAct
from simulators.plant import Plant
from simulators.rfid_readers import BURST_TAGS, M100Line, TagReader, Uhf18Line
from simulators.sms_modem import SmsModemLine
from simulators.wire import Responder

EPC, POINT = "E28068940000000000000001", "linhu.cab1.item"


def reader(plant: Plant) -> TagReader:
    return TagReader({1: {EPC: POINT}, 2: {}}, plant)


def test_a_tag_is_heard_while_its_item_is_there() -> None:
    plant = Plant([POINT])
    tags = reader(plant)
    assert tags.inventory(1) == [(bytes.fromhex(EPC), -45)]
    assert tags.inventory(2) == []
    plant.change(POINT, "absent", 0, 0)
    assert tags.inventory(1) == []


def test_a_burst_passes_in_one_inventory() -> None:
    tags = reader(Plant([POINT]))
    tags.act("burst")
    assert len(set(tags.inventory(1))) == BURST_TAGS + 1
    assert len(tags.inventory(1)) == 1


def test_a_duplicate_is_heard_faintly_by_the_other_antenna_until_the_field_is_steady() -> None:
    tags = reader(Plant([POINT]))
    tags.act("duplicate")
    assert [dbm for _, dbm in tags.inventory(1) + tags.inventory(2)] == [-45, -70]
    tags.act("steady")
    assert tags.inventory(2) == []


def test_an_antenna_is_switched_alone_or_with_all() -> None:
    tags = reader(Plant([POINT]))
    tags.act("antenna off antenna:2")
    assert [tags.is_off(n) for n in (1, 2)] == [False, True]
    tags.act("antenna off")
    assert [tags.is_off(n) for n in (1, 2)] == [True, True]
    tags.act("antenna on antenna:1")
    assert [tags.is_off(n) for n in (1, 2)] == [False, True]


def test_flicker_is_the_same_in_every_run() -> None:
    def run() -> list[int]:
        tags = TagReader({1: {EPC: POINT}}, Plant([POINT]), seed=7)
        tags.act("flicker")
        return [len(tags.inventory(1)) for _ in range(200)]

    assert run() == run()
    assert 20 < run().count(0) < 60


@pytest.mark.parametrize(
    "line",
    [M100Line(reader(Plant([POINT]))), Uhf18Line({1: reader(Plant([POINT]))}), SmsModemLine()],
    ids=["m100", "uhf18", "modem"],
)
def test_what_no_hand_can_do_is_refused(line: Responder) -> None:
    with pytest.raises(UnknownAct):
        line.act(1, "explode")
    with pytest.raises(UnknownAct):
        line.act(99, line.acts()[1][0])
    for act in line.acts()[1]:
        line.act(1, act)


def test_a_modem_keeps_what_was_sent_with_its_parts_put_together() -> None:
    modem = SmsModemLine()
    modem.hear(b"AT+CMGF=0\r", 0.0)
    for part in reversed(pdu.submits("+8610012345678", "案管" * 50, 9)):
        raw = pdu.encode_submit(part)
        modem.hear(f"AT+CMGS={len(raw) - 1}\r".encode(), 0.0)
        modem.hear(raw.hex().encode() + b"\x1a", 0.0)
    (message,) = modem.messages
    assert (message.to, message.text, message.missing) == ("+8610012345678", "案管" * 50, 0)


def test_a_modem_that_was_not_told_to_keep_reports_loses_them() -> None:
    modem = SmsModemLine()
    modem.hear(b"AT+CMGF=0\r", 0.0)
    raw = pdu.encode_submit(pdu.Submit("10010", "ok"))
    modem.hear(f"AT+CMGS={len(raw) - 1}\r".encode(), 0.0)
    modem.hear(raw.hex().encode() + b"\x1a", 0.0)
    modem.hear(b"AT\r", 60.0)
    assert modem.messages
    assert modem.reports == {}
