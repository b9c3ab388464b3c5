"""OSDP frames as they were recorded between two libosdp peers, held against what really goes over a pty."""

import asyncio
import os
import select
import time
import tty

import osdp_sys
import pytest
from osdp import CardFormat, Event, LogLevel

from device_drivers.osdp_reader import codec, wire
from device_drivers.osdp_reader.driver import OsdpReaders
from device_drivers.osdp_reader.wire import ReaderPlan
from simulators.osdp_device import OsdpDevice

ID = bytes.fromhex("530109000461006023")
IDENTITY = bytes.fromhex("538114000445BEBAFE0101AFBEADDEADDEAD89FA")
POLL = bytes.fromhex("530108000660D866")
ACK = bytes.fromhex("5381080006406A60")
CARD = bytes.fromhex("538110000750 0001 1A00 01234540 97EA")
LITERALS = {"id": ID, "identity": IDENTITY, "poll": POLL, "ack": ACK, "card": CARD}
KEY = bytes(range(0xA0, 0xB0))


@pytest.mark.parametrize("frame", LITERALS.values(), ids=LITERALS)
def test_a_recorded_frame_is_read_and_written_again_byte_for_byte(frame):
    frames, begun = codec.split(bytes([codec.MARK]) + frame)
    assert begun == b""
    assert [codec.encode(read) for read in frames] == [frame]


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (ID, "who are you to reader 1, sequence 0"),
        (IDENTITY, "identification from reader 1, sequence 0"),
        (ACK, "ack from reader 1, sequence 2"),
        (CARD, "card from reader 1, sequence 3"),
        (
            bytes.fromhex("ff53010e000f021560b09973033024"),
            "poll to reader 1, sequence 3, in secure channel",
        ),
        (b"\x53\x01", "no whole frame: 53 01"),
    ],
)
def test_a_technician_reads_a_frame_in_words(frame, words):
    assert codec.describe(frame) == words


class Recorder:
    """One end of a pty as libosdp's channel; both ends write into one record."""

    def __init__(self, descriptor, record):
        self.id = 1
        self._descriptor = descriptor
        self._record = record
        os.set_blocking(descriptor, False)

    def read(self, max_bytes):
        try:
            return os.read(self._descriptor, max_bytes)
        except BlockingIOError:
            return b""

    def write(self, frame):
        self._record.append(bytes(frame))
        return os.write(self._descriptor, frame)

    def flush(self):
        pass


def plain_peers(record):
    """A panel and a reader without a secure channel, as they were when the frames were recorded."""
    master, slave = os.openpty()
    tty.setraw(slave)
    osdp_sys.set_loglevel(LogLevel.Emergency)
    identity = {
        "name": "reader",
        "address": 1,
        "flags": 0,
        "scbk": None,
        "version": 1,
        "model": 1,
        "vendor_code": 0xCAFEBABE,
        "serial_number": 0xDEADBEAF,
        "firmware_version": 0xDEADDEAD,
    }
    capabilities = [{"function_code": 3, "compliance_level": 1, "num_items": 1}]
    reader = osdp_sys.PeripheralDevice(
        identity | {"channel": Recorder(master, record)}, capabilities=capabilities
    )
    reader.set_command_callback(lambda _: (0, None))
    panel = osdp_sys.ControlPanel([identity | {"channel": Recorder(slave, record)}])
    panel.set_event_callback(lambda _, __: 0)
    return panel, reader, (master, slave)


def test_two_libosdp_peers_put_these_very_bytes_on_a_pty():
    record = []
    panel, reader, ends = plain_peers(record)

    def turn_until(is_done):
        give_up = time.monotonic() + 10
        while not is_done() and time.monotonic() < give_up:
            panel.refresh()
            reader.refresh()
            select.select([], [], [], 0.005)

    card = {"event": Event.CardRead, "reader_no": 0, "direction": 0, "format": CardFormat.Wiegand}
    turn_until(lambda: any(ACK in said for said in record))
    assert reader.submit_event(card | {"length": 26, "data": bytes.fromhex("01234540")})
    turn_until(lambda: any(CARD in said for said in record))
    for end in ends:
        os.close(end)
    said = b"".join(record)
    assert {name: frame in said for name, frame in LITERALS.items()} == dict.fromkeys(LITERALS, True)


async def test_our_readers_answer_the_recorded_question_with_the_recorded_identity(tmp_path):
    device = OsdpDevice(tmp_path / "line", {1: KEY})
    await device.start()
    line = os.open(tmp_path / "line", os.O_RDWR | os.O_NOCTTY)
    try:
        os.write(line, ID)
        answer = b""
        while len(answer) < len(IDENTITY):
            ready = await asyncio.to_thread(select.select, [line], [], [], 5)
            if not ready[0]:
                break
            answer += os.read(line, 64)
    finally:
        os.close(line)
        await device.stop()
    assert answer.lstrip(b"\xff") == IDENTITY


async def test_our_panel_asks_the_recorded_question_first(tmp_path):
    master, slave = os.openpty()
    tty.setraw(slave)
    panel = OsdpReaders(wire.Line(os.ttyname(slave), 9600, (ReaderPlan("r1", 1, KEY),)))
    asked = await first_bytes(panel, master, len(ID) + 1)
    for end in (master, slave):
        os.close(end)
    assert asked.lstrip(b"\xff")[: len(ID)] == ID


async def first_bytes(panel, master, count):
    async def tell(_device, _sights):
        pass

    running = asyncio.create_task(panel.run(tell))
    loop = asyncio.get_running_loop()
    received = b""
    while len(received) < count:
        ready = await loop.run_in_executor(None, select.select, [master], [], [], 5)
        if not ready[0]:
            break
        received += os.read(master, 64)
    running.cancel()
    await asyncio.wait([running])
    return received
