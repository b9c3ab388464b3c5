"""Officers' card readers on a pty: libosdp's devices at the far end, our panel's process, an edge's rows."""

import asyncio
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from device_drivers.driver import Notice, Observation
from device_drivers.errors import DriverError, LinkDown, NoReply
from device_drivers.osdp_reader.driver import OsdpReaders
from device_drivers.osdp_reader.wire import Line, ReaderPlan
from edge.settings import PointSettings
from simulators.errors import BadValue, UnknownAct
from simulators.faults import Fault, FaultKind
from simulators.osdp_device import OsdpDevice
from tests.support.heard import Heard, Station

FRONT, BACK = "front", "back"
KEYS = {FRONT: bytes(range(0xA0, 0xB0)), BACK: bytes(range(0xC0, 0xD0))}
PAIRED = Observation("card", active=True)
UNPAIRED = Observation("card", active=False)
CARD = Notice("card", "card.read", {"bits": 26, "card": "01234540"})


def readers(path: Path, hang_s: float = 5.0) -> OsdpReaders:
    plans = (ReaderPlan(FRONT, 1, KEYS[FRONT]), ReaderPlan(BACK, 2, KEYS[BACK]))
    return OsdpReaders(Line(str(path), 9600, plans), hang_s)


class Again:
    """The listener as an edge has it: run anew after a link that was lost."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def run(self, tell):
        while True:
            try:
                await readers(self._path).run(tell)
            except LinkDown as error:
                await tell(FRONT, error)
                await asyncio.sleep(0.1)


def said(far_end, unit: int) -> str:
    """All frames of a unit that are kept, in words."""
    return "\n".join(frame.text for frame in far_end.frames(0) if frame.unit == unit)


def struck(far_end) -> set[tuple[int, str]]:
    return {(frame.unit, kind) for frame in far_end.frames(0) for kind in frame.faults}


def panel_process() -> psutil.Process:
    children = psutil.Process().children(recursive=True)
    return next(child for child in children if "device_drivers.osdp_reader.panel" in child.cmdline())


@pytest.fixture
async def far_end(tmp_path):
    device = OsdpDevice(tmp_path / "line", {1: KEYS[FRONT], 2: KEYS[BACK]})
    await device.start()
    yield device
    await device.stop()


@asynccontextmanager
async def listening(path):
    """Both readers, paired; what is told goes on being heard while the block runs."""
    heard = Heard()
    task = asyncio.create_task(readers(path).run(heard.tell))
    try:
        await heard.sees(FRONT, PAIRED)
        await heard.sees(BACK, PAIRED)
        yield heard
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_cards_and_an_open_housing_are_told_of_the_reader_they_are_at(far_end, tmp_path):
    async with listening(tmp_path / "line") as heard:
        await far_end.act(2, "card 34 03ffee1240")
        assert await heard.until(BACK, lambda sight: isinstance(sight, Notice)) == Notice(
            "card", "card.read", {"bits": 34, "card": "03ffee1240"}
        )
        await far_end.act(1, "tamper")
        await heard.sees(FRONT, Observation("tamper", active=True))
        await far_end.act(1, "untamper")
        await heard.sees(FRONT, Observation("tamper", active=False))
    assert not [
        sight for device, sight in heard.told if device == BACK and sight == Observation("tamper", True)
    ]


async def test_a_restarted_reader_reads_cards_again_within_ten_seconds(far_end, tmp_path):
    async with listening(tmp_path / "line") as heard:
        await far_end.act(1, "reboot")
        seen = asyncio.create_task(heard.sees(FRONT, CARD, within_s=10))
        while not seen.done():
            try:
                await far_end.act(1, "card 26 01234540")
            except UnknownAct:  # no power yet
                await asyncio.sleep(0.1)
            else:
                await asyncio.wait([seen], timeout=0.5)
        await seen
        assert (BACK, UNPAIRED) not in heard.told


async def test_a_reader_with_another_key_is_unpaired_and_its_neighbour_is_not(far_end, tmp_path):
    async with listening(tmp_path / "line") as heard:
        await far_end.act(1, "wrong key")
        await heard.sees(FRONT, UNPAIRED)
        await far_end.act(2, "card 26 01234540")
        await heard.sees(BACK, CARD)
        await far_end.act(1, "right key")
        await heard.sees(FRONT, PAIRED)
        assert not [sight for device, sight in heard.told if device == BACK and isinstance(sight, NoReply)]


async def test_cards_of_a_reader_that_speaks_in_the_open_are_not_taken(far_end, tmp_path):
    async with listening(tmp_path / "line") as heard:
        await far_end.act(1, "no key")
        await heard.sees(FRONT, UNPAIRED)
        await far_end.act(1, "card 26 01234540")
        await far_end.act(1, "right key")
        await heard.sees(FRONT, PAIRED)
        assert (FRONT, CARD) not in heard.told


async def test_a_reader_off_its_cable_is_silent_and_back_soon_after_it_is_on_it(far_end, tmp_path):
    async with listening(tmp_path / "line") as heard:
        await far_end.act(1, "away")
        await heard.until(FRONT, lambda sight: isinstance(sight, NoReply), within_s=30)
        await far_end.act(2, "card 26 01234540")
        await heard.sees(BACK, CARD)
        await far_end.act(1, "back")
        await heard.sees(FRONT, PAIRED, within_s=15)


async def test_a_busy_reader_is_neither_lost_nor_unpaired(far_end, tmp_path):
    async with listening(tmp_path / "line") as heard:
        await far_end.act(1, "busy")
        await far_end.act(2, "card 26 01234540")
        await heard.sees(BACK, CARD)
        await far_end.act(1, "ready")
        await far_end.act(1, "card 26 01234540")
        await heard.sees(FRONT, CARD)
        assert not [sight for _, sight in heard.told if sight == UNPAIRED or isinstance(sight, NoReply)]


async def test_a_reader_that_refuses_with_nak_6_is_unpaired_and_paired_again_within_ten_seconds(
    far_end, tmp_path
):
    async with listening(tmp_path / "line") as heard:
        await far_end.act(1, "nak")
        await heard.sees(FRONT, UNPAIRED)
        assert "nak 6 from reader 1" in said(far_end, unit=1)
        await far_end.act(2, "card 26 01234540")
        await heard.sees(BACK, CARD)
        await far_end.act(1, "ready")
        await heard.sees(FRONT, PAIRED, within_s=10)


async def test_frames_of_both_sides_are_kept_with_their_words(far_end, tmp_path):
    async with listening(tmp_path / "line") as heard:
        first = said(far_end, unit=1)
        await far_end.act(1, "card 26 01234540")
        await heard.sees(FRONT, CARD)
    frames = far_end.frames(0)
    assert {frame.unit for frame in frames} == {1, 2}
    asked = [frame for frame in frames if frame.from_host]
    assert all(" to reader " in frame.text for frame in asked), [frame.text for frame in asked]
    assert "who are you to reader 1" in first
    assert "identification from reader 1" in first
    assert "in secure channel" in said(far_end, unit=1)
    assert far_end.frames(frames[-2].n) == frames[-1:]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(FaultKind.LATE, unit=1, ms=250),
        Fault(FaultKind.LOST, unit=1),
        Fault(FaultKind.CHECK, unit=1),
        Fault(FaultKind.UNPLUGGED),
    ],
    ids=lambda fault: fault.kind.value,
)
async def test_a_reader_whose_replies_are_spoilt_is_lost_and_healed_it_reads_cards_again(
    far_end, tmp_path, fault
):
    heard = Heard()
    running = asyncio.create_task(Again(tmp_path / "line").run(heard.tell))
    await heard.sees(FRONT, PAIRED)
    await far_end.inject(fault)
    await heard.until(FRONT, lambda sight: sight == UNPAIRED or isinstance(sight, DriverError), within_s=30)
    assert fault.kind is FaultKind.UNPLUGGED or struck(far_end) == {(1, fault.kind.value)}
    await far_end.heal()
    await heard.sees(FRONT, PAIRED, within_s=20)
    await far_end.act(1, "card 26 01234540")
    await heard.sees(FRONT, CARD)
    running.cancel()
    await asyncio.wait([running])


async def test_noise_before_the_replies_costs_no_reader(far_end, tmp_path):
    async with listening(tmp_path / "line") as heard:
        await far_end.inject(Fault(FaultKind.NOISE_BEFORE))
        await far_end.act(1, "card 26 01234540")
        await heard.sees(FRONT, CARD)
        assert not [sight for _, sight in heard.told if sight == UNPAIRED or isinstance(sight, NoReply)]


async def test_a_fault_that_needs_to_know_the_protocol_is_refused(far_end):
    with pytest.raises(BadValue, match="not known here"):
        await far_end.inject(Fault(FaultKind.WRONG_FUNCTION))


async def test_a_panel_that_crashes_costs_the_line_and_ends_the_run(far_end, tmp_path):
    heard = Heard()
    running = asyncio.create_task(readers(tmp_path / "line").run(heard.tell))
    await heard.sees(FRONT, PAIRED)
    panel_process().kill()
    with pytest.raises(LinkDown, match="the panel ended with -9"):
        await running


async def test_a_panel_that_hangs_is_noticed_and_ended(far_end, tmp_path):
    heard = Heard()
    running = asyncio.create_task(readers(tmp_path / "line", hang_s=2.0).run(heard.tell))
    await heard.sees(FRONT, PAIRED)
    panel = panel_process()
    panel.send_signal(signal.SIGSTOP)
    with pytest.raises(LinkDown, match="the panel hangs"):
        await running
    assert not panel.is_running()


async def test_a_line_that_goes_away_is_a_lost_link(far_end, tmp_path):
    heard = Heard()
    running = asyncio.create_task(readers(tmp_path / "line").run(heard.tell))
    await heard.sees(FRONT, PAIRED)
    await far_end.stop()
    with pytest.raises(LinkDown):
        await running
    with pytest.raises(LinkDown, match="No such file"):
        await readers(tmp_path / "line").run(heard.tell)


async def test_a_cancelled_listener_leaves_no_process(far_end, tmp_path):
    async with listening(tmp_path / "line"):
        panel = panel_process()
    assert not panel.is_running()


AGENT = """
import subprocess, sys
panel = subprocess.Popen([sys.executable, "-m", "device_drivers.osdp_reader.panel"], stdin=subprocess.PIPE)
print(panel.pid, flush=True)
sys.stdin.read()
"""


async def test_a_panel_whose_agent_died_ends_by_itself():
    agent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", AGENT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    panel = psutil.Process(int(await agent.stdout.readline()))
    agent.kill()
    await agent.wait()
    await asyncio.to_thread(panel.wait, 10)


async def test_a_card_becomes_a_row_and_a_killed_panel_a_loss_that_heals(far_end, tmp_path):
    points = [
        PointSettings(id="liuxu.hall.reader", type="reader", device=FRONT, channel="card"),
        PointSettings(id="liuxu.hall.tamper", type="tamper", device=FRONT, channel="tamper"),
        PointSettings(id="liuxu.back.reader", type="reader", device=BACK, channel="card"),
    ]
    async with Station(tmp_path, readers(tmp_path / "line"), points) as station:
        await station.until("liuxu.hall.reader", "point.baseline", value="paired")
        await station.until("liuxu.hall.tamper", "point.baseline", value="quiet")
        await station.until("liuxu.back.reader", "point.baseline", value="paired")
        await far_end.act(1, "card 26 01234540")
        await station.until("liuxu.hall.reader", "card.read", bits=26, card="01234540")
        panel_process().kill()
        for point in points:
            await station.until(point.id, "point.quality", quality="comm_fail")
            await station.until(point.id, "point.quality", quality="good", was="comm_fail")
        kinds = [row.kind for row in await station.rows("liuxu.hall.reader")]
    assert kinds == ["point.baseline", "card.read", "point.quality", "point.quality"]
