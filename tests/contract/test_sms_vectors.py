"""PDUs as published, and as python-messaging 0.5.13 writes and reads them. A later codec still says these."""

import pytest

from device_drivers.sms_modem import pdu
from device_drivers.sms_modem.pdu import DeliveryState, Part, Submit

CHINESE = "案管中心提醒柳圩派出所" * 7


def without_validity(submit: Submit) -> str:
    """Our PDU as one without a validity period: what the library writes."""
    raw = pdu.encode_submit(submit)
    validity = 7 + (raw[3] + 1) // 2
    return (raw[:1] + bytes([raw[1] & ~0x10]) + raw[2:validity] + raw[validity + 1 :]).hex().upper()


@pytest.mark.parametrize(
    ("frame", "submit"),
    [
        (
            "0011000B916407281553F80000AA0AE8329BFD4697D9EC37",
            Submit("+46708251358", "hellohello", None, False),
        ),
        ("0001000B912374677522F300000AE8329BFD4697D9EC37", Submit("+32477657223", "hellohello", None, False)),
        ("0021000B916407281553F800000AE8329BFD4697D9EC37", Submit("+46708251358", "hellohello")),
        ("00210005810110F000000F1BD486B7296F7C9BD4A6077AAF01", Submit("10010", "{[€]}~ ok")),
    ],
    ids=["a Perl module's", "a Java module's", "python-messaging's", "python-messaging's, escaped"],
)
def test_a_network_reads_published_messages(frame: str, submit: Submit) -> None:
    assert pdu.decode_submit(bytes.fromhex(frame)) == submit


@pytest.mark.parametrize(
    ("submit", "frame"),
    [
        (Submit("+46708251358", "hellohello"), "0021000B916407281553F800000AE8329BFD4697D9EC37"),
        (Submit("10010", "{[€]}~ ok"), "00210005810110F000000F1BD486B7296F7C9BD4A6077AAF01"),
        (
            Submit("+8610012345678", "案管哨提醒：门开"),
            "0021000D91680110325476F800081068487BA154E863D09192FF1A95E85F00",
        ),
        (
            Submit("+8610012345678", CHINESE[:67], Part(0x2A, 2, 1)),
            "0061000D91680110325476F800088C0500032A0201"
            + "68487BA14E2D5FC363D0919267F357296D3E51FA6240" * 6
            + "6848",
        ),
        (
            Submit("+8610012345678", CHINESE[67:], Part(0x2A, 2, 2)),
            "0061000D91680110325476F800081A0500032A02027BA14E2D5FC363D0919267F357296D3E51FA6240",
        ),
    ],
    ids=["7 bits", "escaped", "Chinese", "part 1 of 2", "part 2 of 2"],
)
def test_we_write_what_python_messaging_writes_but_for_the_validity(submit: Submit, frame: str) -> None:
    assert without_validity(submit) == frame


def test_a_seven_bit_part_is_filled_up_to_a_septet_after_its_header() -> None:
    first, second = pdu.submits("+8610012345678", "a" * 170, 0x2A)
    head = "0061000D91680110325476F80000"
    assert without_validity(first) == head + "A00500032A0201C2" + "E170381C0E87C3" * 19
    assert without_validity(second) == head + "180500032A0202C2" + "E170381C0E87C3" * 2


def test_a_long_text_is_cut_where_python_messaging_cuts_it() -> None:
    assert [part.text for part in pdu.submits("+8610012345678", CHINESE, 0x2A)] == [
        CHINESE[:67],
        CHINESE[67:],
    ]


@pytest.mark.parametrize(
    ("frame", "to", "reference"),
    [
        ("0791538375000075061805810531F1019082416500400190824165004000", "50131", 24),
        ("00060505810531F1010150610000400101506100004000", "50131", 5),
        ("00061E0D91680110325476F8621061025400236210610254042300", "+8610012345678", 30),
    ],
    ids=["a library's test", "a library's test, no service centre", "written here, read by python-messaging"],
)
def test_a_delivery_report_is_read(frame: str, to: str, reference: int) -> None:
    report = pdu.decode_status_report(bytes.fromhex(frame))
    assert report == pdu.StatusReport(to, reference, 0)
    assert report.state is DeliveryState.DELIVERED


def test_a_network_writes_a_report_that_python_messaging_reads() -> None:
    times = bytes.fromhex("62106102540023"), bytes.fromhex("62106102540423")
    written = pdu.encode_status_report(pdu.StatusReport("+8610012345678", 30, 0), *times)
    assert written.hex().upper() == "00061E0D91680110325476F8621061025400236210610254042300"


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (0x00, DeliveryState.DELIVERED),
        (0x01, DeliveryState.PENDING),
        (0x02, DeliveryState.FAILED),
        (0x20, DeliveryState.PENDING),
        (0x30, DeliveryState.PENDING),
        (0x40, DeliveryState.FAILED),
        (0x46, DeliveryState.FAILED),
        (0x63, DeliveryState.FAILED),
        (0xC0, DeliveryState.FAILED),
    ],
)
def test_only_what_is_with_the_recipient_counts_as_delivered(status: int, state: DeliveryState) -> None:
    """TS 23.040, 9.2.3.15: 01 is "forwarded, delivery not confirmed", 02 "replaced", 20… "still trying"."""
    assert pdu.StatusReport("10010", 1, status).state is state
