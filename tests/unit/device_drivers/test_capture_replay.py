"""A capture is written line by line, read strictly, and played back as the line was."""

import json
from pathlib import Path

import pytest

from device_drivers.bus import Bus, BusSettings, Exchange
from device_drivers.capture_file import CapturedDevice, CaptureWriter, Frame, Header, read_capture
from device_drivers.driver import Observation
from device_drivers.errors import CaptureFault, LinkDown, NoReply
from device_drivers.modbus.frame import rtu_frame
from device_drivers.modbus.modbus_di import ModbusDi
from device_drivers.modbus.profile import Level, Profile
from device_drivers.transport.base import INPUT_LIMIT_BYTES
from device_drivers.transport.replay import Replay

EIGHT_INPUTS = Profile(model="eight", inputs=8, level=Level(function=2, address=0))
DEVICE = CapturedDevice("io1", "modbus_di", 1, "waveshare-io8", ("di:0",), {"is_odd": True})
HEADER = Header(
    version="0.1.0",
    settings="ab" * 32,
    at=5,
    bus="io",
    kind="modbus_rtu",
    baud=9600,
    max_slice_ms=100,
    devices=(DEVICE,),
)
CLOSED, OPEN = rtu_frame(1, b"\x02\x01\x00"), rtu_frame(1, b"\x02\x01\x01")


def request() -> bytes:
    driver = ModbusDi(EIGHT_INPUTS, 1, "rtu")
    return driver.encode(driver.reads()[0])


def frame(received: bytes, error: str = "") -> Frame:
    return Frame(
        at_ns=0,
        took_ns=1,
        device="io1",
        read="inputs",
        unit=1,
        sent=request().hex(),
        received=received.hex(),
        error=error,
    )


def written(path: Path, *exchanges: Exchange) -> Path:
    with path.open("w") as file:
        writer = CaptureWriter(file, HEADER, began_ns=1_000)
        for exchange in exchanges:
            writer.write(exchange, "io1", "inputs")
    return path


async def play(*frames: Frame) -> list[list[Observation]]:
    bus = Bus(Replay(frames), BusSettings(0.1, 0.0))
    driver = ModbusDi(EIGHT_INPUTS, 1, "rtu")
    return [await bus.read(driver, driver.reads()[0]) for _ in frames]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = written(tmp_path / "c.jsonl", Exchange(9_000, 1, b"\x01\x02", b"\xff", "driver.no_reply", 500))
    capture = read_capture(path)
    assert capture.header == HEADER
    (one,) = capture.frames
    assert (one.at_ns, one.took_ns, one.sent, one.received) == (7_500, 500, "0102", "ff")
    assert (one.device, one.read, one.error) == ("io1", "inputs", "driver.no_reply")


def test_all_that_a_transport_takes_for_one_request_is_read_again(tmp_path: Path) -> None:
    received = b"\xa5" * INPUT_LIMIT_BYTES
    path = written(tmp_path / "c.jsonl", Exchange(9_000, 1, b"\x01", received, "", 500))
    assert read_capture(path).frames[0].received == received.hex()


def test_a_line_is_in_the_file_as_soon_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    with path.open("w") as file:
        CaptureWriter(file, HEADER, 0).write(Exchange(1, 1, b"\x01", b"", "driver.no_reply"), "io1", "inputs")
        assert len(read_capture(path).frames) == 1


@pytest.mark.parametrize(
    ("spoil", "line", "says"),
    [
        (lambda _: "", 1, "is empty"),
        (lambda text: text.replace('"format":1', '"format":2'), 1, "format 2; this version reads 1"),
        (lambda text: text.replace('"capture":"casewatch"', '"capture":"other"'), 1, "is no header"),
        (lambda text: text.replace('"baud":9600', '"bauds":9600'), 1, "baud"),
        (lambda text: text.replace('"sent":"01', '"sent":"0g'), 2, "sent"),
        (lambda text: text.replace('"unit":1,"sent"', '"unit":1,"more":2,"sent"'), 2, "more"),
        (lambda text: text.replace('"device":"io1","read"', '"device":"io9","read"'), 2, "io9"),
        (lambda text: text[:-9], 2, "cut off"),
        (lambda text: text + '{"x":"' + "a" * 140_000 + '"}\n', 3, "at most 131072"),
    ],
)
def test_a_faulty_file_is_refused_with_its_line_and_mend(tmp_path: Path, spoil, line, says) -> None:
    path = written(tmp_path / "c.jsonl", Exchange(1, 1, b"\x01", b"\x02", ""))
    path.write_text(spoil(path.read_text()))
    with pytest.raises(CaptureFault) as caught:
        read_capture(path)
    assert f"c.jsonl:{line}: " in str(caught.value)
    assert says in str(caught.value)


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CaptureFault, match="No such file"):
        read_capture(tmp_path / "absent.jsonl")


async def test_each_request_gets_what_came_then_in_order() -> None:
    first, second = await play(frame(CLOSED), frame(OPEN))
    assert not first[0].active
    assert second[0].active


async def test_noise_and_echo_are_played_as_they_were_heard() -> None:
    ((first, *_),) = await play(frame(b"\x00" + request() + OPEN))
    assert first.active


async def test_a_request_that_the_capture_has_not_is_met_with_silence() -> None:
    replay = Replay([frame(CLOSED)])
    await replay.open()
    with pytest.raises(NoReply, match="nothing came"):
        await replay.exchange(b"\x01\x04", len, 0.1)
    assert replay.left == 1


async def test_an_exhausted_capture_is_silent() -> None:
    bus = Bus(Replay([frame(CLOSED)]), BusSettings(0.1, 0.0))
    driver = ModbusDi(EIGHT_INPUTS, 1, "rtu")
    await bus.read(driver, driver.reads()[0])
    with pytest.raises(NoReply):
        await bus.read(driver, driver.reads()[0])


async def test_half_a_reply_is_half_a_reply_again() -> None:
    with pytest.raises(NoReply) as caught:
        await play(frame(OPEN[:3], NoReply.code))
    assert caught.value.received == OPEN[:3]


async def test_a_lost_link_is_lost_again() -> None:
    with pytest.raises(LinkDown):
        await play(frame(b"", LinkDown.code))


def test_hex_is_lower_case_without_spaces(tmp_path: Path) -> None:
    path = written(tmp_path / "c.jsonl", Exchange(1, 1, b"\xab", b"\xcd", ""))
    assert json.loads(path.read_text().splitlines()[1])["sent"] == "ab"
