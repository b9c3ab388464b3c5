"""probe, read and capture as typed, against far ends that say afterwards what was done to them."""

import json
import os
import pty
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import serial
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest
from typer.testing import CliRunner

from contract.ids import EdgeId
from device_drivers.capture_file import read_capture
from device_drivers.lock_8a import codec
from edge import data_folder
from edge.commands import app
from edge.journal_file import FILE_NAME
from edge.technician import acceptance
from edge.technician.commissioning import Result
from simulators.input_module import InputModule
from simulators.locks.board import LockBoard
from simulators.locks.lock_8a import Line8a
from simulators.modbus_units import ModbusTcpUnits
from simulators.module_map import ADAM_6050, Use
from simulators.plant import Plant
from tests.support.eventually import eventually
from tests.support.ports import free_ports
from tests.support.processes import CASEWATCH, ROOT
from tests.support.simulated_line import TappedPty, serial_units_apart, tcp_units_apart

DOORS = ("a.int1.door", "a.wait.door")
BOARDS = (1, 3)
LOCKS = {board: [f"a.cab{board}.s{n:02}.lock" for n in range(1, 13)] for board in BOARDS}


@dataclass
class Bench:
    """A folder with `edge.toml`, an ADAM-6050 with two doors, two lock boards on a pty."""

    folder: Path
    plant: Plant
    module: InputModule
    boards: TappedPty

    def memory(self) -> list[int]:
        """All that the module holds: levels, counters, latches, switches."""
        coils = [self._ask(ReadCoilsRequest(address=at, count=1)).bits[0] for at in sorted(ADAM_6050.coils)]
        words = self._ask(ReadHoldingRegistersRequest(address=0, count=24)).registers
        return [*map(int, coils), *words]

    def _ask(self, request: ModbusPDU) -> ModbusPDU:
        return self.module.answer(request)

    def open(self, door: str) -> None:
        self.plant.change(door, "open", 0, 0)

    def close(self, door: str) -> None:
        self.plant.change(door, "closed", 0, 0)


def settings(module_port: int, line: str) -> str:
    points = "".join(
        f'[[point]]\nid = "{door}"\ntype = "door"\ndevice = "io1"\nchannel = "di:{n}"\n'
        for n, door in enumerate(DOORS)
    )
    return f"""\
[edge]
id = "a"
data_dir = "data"
[broker]
host = "127.0.0.1"
port = 1
[[bus]]
id = "io"
kind = "modbus_tcp"
host = "127.0.0.1"
port = {module_port}
[[device]]
id = "io1"
bus = "io"
driver = "modbus_di"
profile = "adam-6050"
[[bus]]
id = "cab"
kind = "serial"
device = "{line}"
quarantine_ms = 50
[[device]]
id = "locks1"
bus = "cab"
driver = "lock_8a"
unit = 1
interval_ms = 200
{points}[[point]]
id = "a.cab1.s01.lock"
type = "lock"
device = "locks1"
channel = "lock:1"
"""


@pytest.fixture
def bench(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    monkeypatch.chdir(tmp_path)
    plant = Plant([*DOORS, *LOCKS[1], *LOCKS[3]])
    module = InputModule(ADAM_6050, dict(enumerate(DOORS)), plant)
    for door in DOORS:  # a counter and a latch that a careless probe could lose
        plant.change(door, "open", 0, 0)
        plant.change(door, "closed", 0, 0)
    locks = Line8a({board: LockBoard(LOCKS[board], plant, lambda _: None) for board in BOARDS})
    with (
        tcp_units_apart(ModbusTcpUnits({1: module})) as port,
        serial_units_apart(locks, tmp_path_factory.mktemp("line") / "locks") as boards,
    ):
        (tmp_path / "edge.toml").write_text(settings(port, boards.address))
        yield Bench(tmp_path, plant, module, boards)


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, words)
    assert not result.exception or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_a_probe_finds_the_units_and_leaves_no_trace(bench: Bench) -> None:
    before = bench.memory()
    assert any(before), "there is something to lose"
    code, output = run("probe", "edge.toml", "--units", "1-3", "--json")
    io, cab = json.loads(output)["lines"]
    assert code == 0
    assert [(unit["unit"], unit["settings"]) for unit in io["found"]] == [(1, "io1")]
    assert "adam-6050" in io["found"][0]["candidates"]
    assert "moxa-e1210" not in io["found"][0]["candidates"]
    assert [(unit["unit"], unit["candidates"]) for unit in cab["found"]] == [
        (1, ["lock_8a"]),
        (3, ["lock_8a"]),
    ]
    assert bench.memory() == before
    assert sorted(path.name for path in bench.folder.iterdir()) == ["edge.toml"], "no journal, no folder"


def test_a_probe_writes_nothing_on_the_line_of_the_locks_but_status_reads(bench: Bench) -> None:
    run("probe", "--serial", str(bench.boards.address), "--units", "1-3")
    heard = bench.boards.heard
    assert [codec.encode_read(board) in heard for board in (1, 2, 3, 4)] == [True, True, True, False]
    opens = [codec.encode_open(board, lock) for board in range(codec.BOARD_MAX) for lock in range(25)]
    assert not any(frame in heard for frame in opens)


def test_a_bus_whose_family_is_known_is_asked_in_it_alone(bench: Bench) -> None:
    code, _ = run("probe", "edge.toml", "--bus", "cab", "--units", "1")
    assert (code, bench.boards.heard) == (0, codec.encode_read(1))


def test_a_bus_of_tag_readers_is_left_alone(bench: Bench) -> None:
    path = bench.folder / "edge.toml"
    shelf = path.read_text().replace("lock_8a", "rfid_m100").replace('"lock:1"', '"tag:E2801160"')
    path.write_text(
        shelf.replace('type = "lock"', 'type = "item"').replace("interval_ms = 200", "interval_ms = 2000")
    )
    code, output = run("probe", "edge.toml", "--bus", "cab")
    assert code == 1
    assert "cannot be asked by number" in output, output
    assert bench.boards.heard == b""


def test_a_missing_device_is_told_and_ends_with_1(bench: Bench) -> None:
    path = bench.folder / "edge.toml"
    path.write_text(path.read_text().replace("unit = 1\ninterval_ms = 200", "unit = 2\ninterval_ms = 200"))
    code, output = run("probe", "edge.toml", "--bus", "cab", "--units", "1-3")
    assert code == 1
    assert "missing: locks1 (unit 2)" in output


def test_an_address_of_which_nothing_is_known_is_probed(bench: Bench) -> None:
    address = (bench.folder / "edge.toml").read_text().split("port = ")[2].split()[0]
    code, output = run("probe", "--tcp", f"127.0.0.1:{address}", "--units", "1")
    assert (code, "adam-6050" in output) == (0, True)
    code, output = run("probe", "--tcp", f"127.0.0.1:{free_ports(1)[0]}")
    assert code == 74
    assert "power and a link light" in output


@pytest.mark.parametrize(
    "words",
    [
        ("probe",),
        ("probe", "edge.toml", "--tcp", "x:1"),
        ("probe", "--tcp", "x:y"),
        ("probe", "edge.toml", "--units", "9-1"),
        ("probe", "--serial", "/dev/x", "--bauds", "fast"),
    ],
)
def test_a_probe_of_nowhere_is_a_usage_error(bench: Bench, words: tuple[str, ...]) -> None:
    assert bench
    assert run(*words)[0] == 2


@pytest.mark.parametrize(
    "words",
    [("probe", "edge.toml"), ("read", "edge.toml", DOORS[0]), ("capture", "edge.toml", "io", "c.jsonl")],
)
def test_nothing_is_asked_while_an_agent_runs(bench: Bench, words: tuple[str, ...]) -> None:
    with data_folder.hold(bench.folder / "data"):
        code, output = run(*words)
    assert code == 74
    assert f"kill {os.getpid()}" in output
    assert bench.boards.heard == b""
    assert not (bench.folder / "c.jsonl").exists()


def test_a_busy_port_is_told_with_its_mend(bench: Bench) -> None:
    with serial.Serial(str(bench.boards.address), exclusive=True):
        code, output = run("read", "edge.toml", "a.cab1.s01.lock")
    assert code == 74
    assert "stop it" in output


def test_a_point_is_read_with_its_frames(bench: Bench) -> None:
    bench.open(DOORS[1])
    code, output = run("read", "edge.toml", DOORS[1], "--json")
    sample = json.loads(output)
    assert (code, sample["value"], sample["quality"]) == (0, "open", "good")
    sent, received = sample["frames"][0]
    assert sent.startswith("00 01 00 00 00 06 01 01 00 00 00")
    assert received.startswith("00 01 00 00 00 04 01 01 01 02")
    assert sample["round_trip_ms"] > 0
    assert not (bench.folder / "data").exists()


def test_a_read_and_a_capture_leave_a_latch_to_the_agent(bench: Bench) -> None:
    path = bench.folder / "edge.toml"
    path.write_text(path.read_text().replace("adam-6050", "adam-6050-latch"))
    before = bench.memory()
    assert run("read", "edge.toml", DOORS[0])[0] == 0
    assert bench.memory() == before, "what was latched while the agent was stopped is for its journal"
    assert run("capture", "edge.toml", "io", "c.jsonl", "--for", "0.5")[0] == 0
    assert read_capture(bench.folder / "c.jsonl").frames
    assert bench.memory() == before


def test_a_point_that_is_none_is_told_with_the_nearest(bench: Bench) -> None:
    assert bench
    code, output = run("read", "edge.toml", "a.int.door")
    assert (code, "did you mean a.int1.door?" in output) == (1, True)
    code, output = run("capture", "edge.toml", "oi", "c.jsonl")
    assert (code, "there are io, cab" in output) == (1, True)


def start(bench: Bench, *words: str, **how: object) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen([*CASEWATCH, "edge", *words], cwd=bench.folder, env=environment, text=True, **how)


def test_a_watch_tells_changes_and_sums_up_at_ctrl_c(bench: Bench) -> None:
    with start(bench, "read", "edge.toml", DOORS[0], "--watch", "--json", stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert json.loads(child.stdout.readline())["kind"] == "point.baseline"
        bench.open(DOORS[0])
        assert json.loads(child.stdout.readline())["kind"] == "door.open"
        child.send_signal(signal.SIGINT)
        summary = json.loads(child.stdout.readline())["summary"]
        assert child.wait(10) == 0
    assert (summary["misses"], summary["changes"]) == (0, 2)
    assert summary["reads"] >= 2


def test_a_capture_is_what_the_line_heard(bench: Bench) -> None:
    code, output = run("capture", "edge.toml", "cab", "c.jsonl", "--for", "1")
    assert (code, "all sound" in output) == (0, True)
    capture = read_capture(bench.folder / "c.jsonl")
    assert (capture.header.bus, capture.header.baud) == ("cab", 9600)
    assert [device.channels for device in capture.header.devices] == [("lock:1",)]
    assert b"".join(bytes.fromhex(frame.sent) for frame in capture.frames) == bench.boards.heard
    assert not (bench.folder / "data" / FILE_NAME).exists()


def test_a_walk_in_a_terminal_ends_in_a_signed_sheet(bench: Bench) -> None:
    near, far = pty.openpty()
    child = start(bench, "commission", "edge.toml", "--out", "sheet.json", stdin=far, stdout=far, stderr=far)
    os.close(far)
    os.set_blocking(near, False)
    shown = b""

    def sees(words: str) -> bool:
        nonlocal shown
        try:
            shown += os.read(near, 65_536)
        except BlockingIOError:
            time.sleep(0.01)
        return words.encode() in shown

    def after(words: str) -> None:
        nonlocal shown
        eventually(lambda: sees(words), 20, words)
        shown = b""

    after("Name of the technician")
    os.write(near, "王技\n".encode())
    for door in DOORS:
        after(f"请打开门 {door}")
        bench.open(door)
        after(f"请关上门 {door}")
        bench.close(door)
    after("请打开柜格 a.cab1.s01.lock")
    os.write(near, b"n")
    os.write(near, "没有钥匙\n".encode())
    os.write(near, b"s")
    after("public key")
    assert child.wait(10) == 1, "not every point passed"
    os.close(near)
    told = acceptance.verify(bench.folder / "sheet.json").acceptance
    assert (told.by, told.edge) == ("王技", EdgeId("a"))
    assert [trial.result for trial in told.points] == [Result.PASSED, Result.PASSED, Result.SKIPPED]
    assert told.points[2].note == "没有钥匙"
    assert bench.boards.heard.count(b"\x8a") == 0, "no pulse without the key for it"
    assert not (bench.folder / "data" / FILE_NAME).exists()
    assert "王技" in (bench.folder / "sheet.html").read_text()


def test_the_bench_has_a_latch_to_lose(bench: Bench) -> None:
    latches = [at for at, (use, channel) in ADAM_6050.coils.items() if use is Use.LATCH and channel < 2]
    assert all(bench._ask(ReadCoilsRequest(address=at, count=1)).bits[0] for at in latches)
