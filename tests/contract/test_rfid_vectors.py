"""Frames of tag readers as published and as caught by users. A later codec still says these."""

import pytest

from device_drivers.errors import DriverError
from device_drivers.rfid_m100 import codec as m100
from device_drivers.rfid_uhf18 import codec as uhf18
from tests.support.driver_cases import CASES


@pytest.mark.parametrize(
    ("frame", "command", "data"),
    [
        ("BB00220000227E", m100.INVENTORY, ""),
        ("BB00270003222710837E", m100.MANY_INVENTORIES, "222710"),
        ("BB0027000322FFFF4A7E", m100.MANY_INVENTORIES, "22FFFF"),
        ("BB00280000287E", m100.STOP, ""),
    ],
)
def test_a_host_asks_an_m100_in_the_published_words(frame: str, command: int, data: str) -> None:
    raw = bytes.fromhex(frame)
    content = m100.Frame(m100.COMMAND, command, bytes.fromhex(data))
    assert m100.encode(content) == raw
    assert m100.decode(raw) == m100.Heard((content,), is_whole=True)
    assert m100.encode_inventory().hex() == "bb00220000227e"


@pytest.mark.parametrize(
    ("frame", "epc", "rssi"),
    [
        ("BB02220011C9340030751FEB705C5904E3D50D703A76EF7E", "30751FEB705C5904E3D50D70", -55),
        ("BB02220011DF3000E2806894000040018F22958C7C78A97E", "E2806894000040018F22958C", -33),
        ("BB02220011BB3000E280699500004014CC14786227580D7E", "E280699500004014CC147862", -69),
    ],
    ids=["the handbook's", "caught", "caught"],
)
def test_an_m100_tells_of_a_tag(frame: str, epc: str, rssi: int) -> None:
    heard = m100.decode(bytes.fromhex(frame))
    assert heard.is_whole
    tag = m100.decode_tag(heard.frames[0])
    assert (tag.epc.hex().upper(), tag.rssi) == (epc, rssi)


def test_an_m100_that_is_made_here_says_a_caught_frame_byte_for_byte() -> None:
    tag = m100.Tag(bytes.fromhex("E2806894000040018F22958C"), -33)
    assert m100.encode_tag(tag).hex().upper() == "BB02220011DF3000E2806894000040018F22958C7C78A97E"


@pytest.mark.parametrize(("frame", "code"), [("BB01FF000115167E", 0x15), ("BB01FF000117187E", 0x17)])
def test_an_m100_tells_of_an_error(frame: str, code: int) -> None:
    (heard,) = m100.decode(bytes.fromhex(frame)).frames
    assert m100.decode_error(heard) == code
    assert m100.encode_error(code) == bytes.fromhex(frame)


def test_a_uhf18_host_asks_in_the_published_words() -> None:
    assert uhf18.encode_inventory(0) == bytes.fromhex("040001DB4B")
    assert uhf18.crc(b"123456789") == bytes.fromhex("916F"), "the catalogue's check value of CRC-16/MCRF4XX"


def test_the_inventory_at_a_port_has_the_form_of_a_caught_one() -> None:
    """Caught with session FE, which keeps silent who was just heard; ours has session 0."""
    caught = bytes.fromhex("09000104FE00803280BE")
    assert uhf18.crc(caught[:-2]) == caught[-2:]
    own = uhf18.encode_inventory(0, 1, 5_000)
    assert own[:4] + b"\xfe" + own[5:-2] == caught[:-2]


@pytest.mark.parametrize(
    ("frame", "status", "tags"),
    [
        ("13000103010C0000000000000000000003133F39", 3, ["000000000000000000000313"]),
        ("13000103010C49440000000000000A000334A5FB", 3, ["49440000000000000A000334"]),
        (
            "20000103020C0000000000000000000003130C0000000000000000000003149AC9",
            3,
            ["000000000000000000000313", "000000000000000000000314"],
        ),
    ],
)
def test_a_uhf18_reader_with_one_antenna_tells_of_tags(frame: str, status: int, tags: list[str]) -> None:
    heard = uhf18.decode(bytes.fromhex(frame))
    (reply,) = heard.replies
    assert (heard.is_whole, reply.address, reply.status) == (True, 0, status)
    told = uhf18.decode_tags(reply.data, has_ports=False)
    assert [tag.epc.hex().upper() for tag in told] == tags
    assert uhf18.encode_reply(uhf18.Reply(0, 1, status, uhf18.encode_tags(told))).hex().upper() == frame


@pytest.mark.parametrize(
    ("frame", "status", "port", "tags"),
    [
        ("1500010301010C0000000000000000000003136BB1A5", 3, 1, [("000000000000000000000313", 0x6B)]),
        ("1500010301010C3039606303C74380001A055940F93E", 3, 1, [("3039606303C74380001A0559", 0x40)]),
        ("1500010304010C49440000000000000A0003346425C0", 3, 3, [("49440000000000000A000334", 0x64)]),
        ("1500010301010CE28068940000400A9D22ACFF60D3E2", 3, 1, [("E28068940000400A9D22ACFF", 0x60)]),
        ("0D000103010104003230386DA3D2", 3, 1, [("00323038", 0x6D)]),
        (
            "2300010301020C0000000000000000000003136B0C0000000000000000000003146C70F2",
            3,
            1,
            [("000000000000000000000313", 0x6B), ("000000000000000000000314", 0x6C)],
        ),
        ("0700010101001E4B", 1, 1, []),
    ],
)
def test_a_uhf18_reader_with_ports_tells_of_tags(
    frame: str, status: int, port: int, tags: list[tuple[str, int]]
) -> None:
    (reply,) = uhf18.decode(bytes.fromhex(frame)).replies
    assert reply.status == status
    told = uhf18.decode_tags(reply.data, has_ports=True)
    assert [(tag.epc.hex().upper(), tag.rssi) for tag in told] == tags
    assert uhf18.encode_reply(uhf18.Reply(0, 1, status, uhf18.encode_tags(told, port))).hex().upper() == frame
    assert uhf18.has_ended(bytes.fromhex(frame)) is (status != uhf18.MORE)


def test_an_inventory_of_the_sw_ct_family_is_nobodys_frame() -> None:
    """Its check is the negative sum of all before. No driver is for that family, which has RS-485 too."""
    frame = bytes.fromhex("53570003FF0153")
    assert -sum(frame[:-1]) & 0xFF == frame[-1]
    for case in CASES:
        driver = case.driver()
        for read in driver.reads():
            driver.encode(read)
            with pytest.raises(DriverError):
                driver.decode(read, frame)


def test_several_caught_frames_in_a_row_are_one_answer() -> None:
    frames = "1500010301010C0000000000000000000003136BB1A50D000103010104003230386DA3D20700010101001E4B"
    heard = uhf18.decode(bytes.fromhex(frames))
    assert heard.is_whole
    assert [reply.status for reply in heard.replies] == [3, 3, 1]
    assert uhf18.has_ended(bytes.fromhex(frames))
