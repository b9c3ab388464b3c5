"""What other people's programs see of the simulators: mbpoll on TCP and on a pty, bare sockets, the shell."""

import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
import tty
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from simulators.control.server import FILES
from tests.support.eventually import eventually

SCENARIO = """
record = "record.jsonl"
[control]
port = 0
[[cable]]
id = "adam"
speaks = "modbus-tcp"
tcp = 0
[[device]]
id = "adam"
cable = "adam"
make = "adam-6050"
wires = { 0 = "west.r1.door", 3 = "west.r2.door" }
[[cable]]
id = "moxa"
speaks = "modbus-tcp"
tcp = 0
[[device]]
id = "moxa"
cable = "moxa"
make = "moxa-e1210"
wires = { 0 = "east.r1.door", 9 = "east.r2.door" }
[[cable]]
id = "serial"
speaks = "modbus-rtu"
pty = "pty/io"
[[device]]
id = "serial"
cable = "serial"
make = "moxa-r1210"
unit = 5
wires = { 2 = "north.r1.door" }
[[cable]]
id = "locks"
speaks = "lock-8a"
pty = "pty/locks"
[[device]]
id = "locks"
cable = "locks"
make = "lock-8a"
unit = 1
cabinet = "west.cab1"
holds = "locks"
[[device]]
id = "items"
cable = "locks"
make = "lock-8a"
unit = 2
cabinet = "west.cab1"
holds = "items"
"""

needs_mbpoll = pytest.mark.skipif(not shutil.which("mbpoll"), reason="mbpoll is not installed (apt: mbpoll)")


class Simulators:
    """`casewatch sim run` as a process of its own, in its own folder."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "day.toml").write_text(SCENARIO)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "casewatch", "sim", "run", "day.toml"],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(Path.cwd())},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        ready = self.process.stdout.readline()
        self.control = re.fullmatch(r"simulators_ready control=(http://127\.0\.0\.1:\d+)\n", ready)[1]
        self.ports = {
            cable["id"]: cable["address"].rpartition(":")[2] for cable in self.ask("/layout")["cables"]
        }

    def ask(self, path, body=None, content_type="application/json"):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.control + path, data, {"Content-Type": content_type})
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    def refusal(self, path, body, content_type="application/json"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            self.ask(path, body, content_type)
        with refused.value as answer:
            return answer.status, json.load(answer)["code"]

    def set(self, point, value):
        return self.ask(f"/points/{point}", {"value": value})

    def flip(self, point, times):
        for _ in range(times):
            self.set(point, "open")
            self.set(point, "closed")

    def shell(self, *words):
        command = [sys.executable, "-m", "casewatch", "sim", *words]
        env = os.environ | {"PYTHONPATH": str(Path.cwd())}
        return subprocess.run(
            command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=20, check=False
        )

    def end(self, number=signal.SIGINT):
        if self.process.poll() is None:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=10)
        return self.process.returncode, out, err


@pytest.fixture
def simulators(tmp_path):
    running = Simulators(tmp_path)
    yield running
    running.end()


def mbpoll(*words, line):
    done = subprocess.run(
        ["mbpoll", "-1", "-o", "1", *words, line], capture_output=True, text=True, timeout=10, check=False
    )
    return {
        int(n): int(value) for n, value in re.findall(r"^\[(\d+)\]:\s+(-?\d+)", done.stdout, re.MULTILINE)
    }


def mbpoll_tcp(port, *words):
    return mbpoll("-m", "tcp", "-p", port, "-a", "1", *words, line="127.0.0.1")


def mbpoll_rtu(simulators, *words):
    serial = ("-m", "rtu", "-b", "9600", "-P", "none", "-a", "5")
    return mbpoll(*serial, *words, line=str(simulators.folder / "pty" / "io"))


@needs_mbpoll
def test_mbpoll_reads_levels_and_counters_of_an_adam(simulators):
    simulators.flip("west.r2.door", 3)
    simulators.set("west.r2.door", "open")
    levels = mbpoll_tcp(simulators.ports["adam"], "-t", "0", "-r", "1", "-c", "12")
    assert levels == {n: int(n == 4) for n in range(1, 13)}
    low_word_first = mbpoll_tcp(simulators.ports["adam"], "-t", "4:int", "-r", "7", "-c", "1")
    assert low_word_first == {7: 4}


@needs_mbpoll
def test_mbpoll_reads_levels_and_counters_of_a_moxa(simulators):
    simulators.flip("east.r2.door", 2)
    simulators.set("east.r1.door", "open")
    port = simulators.ports["moxa"]
    assert mbpoll_tcp(port, "-t", "1", "-r", "1", "-c", "16") == {n: int(n == 1) for n in range(1, 17)}
    high_word_first = mbpoll_tcp(port, "-t", "3:int", "-B", "-r", str(0x10 + 18 + 1), "-c", "1")
    assert list(high_word_first.values()) == [2]
    assert mbpoll_tcp(port, "-t", "3", "-r", str(0x30 + 1), "-c", "1") == {0x31: 1}


@needs_mbpoll
def test_mbpoll_reads_a_module_on_a_pty(simulators):
    simulators.flip("north.r1.door", 1)
    simulators.set("north.r1.door", "open")
    assert mbpoll_rtu(simulators, "-t", "1", "-r", "1", "-c", "16") == {n: int(n == 3) for n in range(1, 17)}
    counters = mbpoll_rtu(simulators, "-t", "3:int", "-B", "-r", "17", "-c", "16")
    assert sorted(counters.values()) == [0] * 15 + [2]


@needs_mbpoll
@pytest.mark.parametrize("device", ["moxa", "serial"])
def test_a_module_that_vanished_returns_with_its_counters_unless_it_was_restarted(simulators, device):
    point = {"moxa": "east.r1.door", "serial": "north.r1.door"}[device]

    def counters():
        words = ("-t", "3:int", "-B", "-r", "17", "-c", "16")
        if device == "serial":
            return mbpoll_rtu(simulators, *words)
        return mbpoll_tcp(simulators.ports["moxa"], *words)

    def counts():
        return sum(counters().values())

    simulators.flip(point, 2)
    simulators.ask(f"/cables/{device}", {"online": False})
    assert counts() == 0
    simulators.flip(point, 1)
    simulators.ask(f"/cables/{device}", {"online": True})
    assert counts() == 3
    simulators.ask(f"/devices/{device}/acts", {"act": "restart"})
    eventually(lambda: set(counters().values()) == {0}, 15, "the module after its restart")


def test_taking_a_module_offline_cuts_its_connections(simulators):
    address = ("127.0.0.1", int(simulators.ports["adam"]))
    with socket.create_connection(address, timeout=5) as client:
        client.sendall(bytes.fromhex("0001 0000 0006 01 01 0000 000c"))
        assert client.recv(64) == bytes.fromhex("0001 0000 0005 01 01 02 0000")
        simulators.ask("/cables/adam", {"online": False})
        assert client.recv(64) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=5)


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        ("0007 0000 0006 01 01 0000 000d", "0007 0000 0003 01 81 02"),
        ("0008 0000 0006 02 01 0000 000c", "0008 0000 0003 02 81 0b"),
        ("0009 0000 0006 01 01 0000 0000", "0009 0000 0003 01 81 03"),
        ("000a 0000 0002 01 63", "000a 0000 0003 01 e3 01"),
    ],
    ids=["address", "unit", "count", "function"],
)
def test_a_request_with_no_answer_gets_its_modbus_exception(simulators, request_, reply):
    with socket.create_connection(("127.0.0.1", int(simulators.ports["adam"])), timeout=5) as client:
        client.sendall(bytes.fromhex(request_))
        assert client.recv(64).hex() == reply.replace(" ", "")


def test_requests_split_and_joined_on_the_way_are_all_answered(simulators):
    two = bytes.fromhex("0001 0000 0006 01 01 0000 0001 0002 0000 0006 01 01 0001 0001")
    with socket.create_connection(("127.0.0.1", int(simulators.ports["adam"])), timeout=5) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in two[:10], two[10:13], two[13:]:
            client.sendall(byte)
            time.sleep(0.02)
        received = b""
        while len(received) < 20:
            received += client.recv(64)
        assert (received[:2], received[10:12]) == (b"\0\1", b"\0\2")


def test_a_lock_board_on_a_pty_opens_a_lock_and_shows_it(simulators):
    line = os.open(simulators.folder / "pty" / "locks", os.O_RDWR | os.O_NOCTTY)
    tty.setraw(line)

    def ask(frame, length):
        os.write(line, bytes.fromhex(frame))
        reply = b""
        while len(reply) < length and select.select([line], [], [], 2)[0]:
            reply += os.read(line, 64)
        return reply.hex()

    try:
        assert ask("80010033b2", 7) == "8001000fff3342"
        assert ask("8a01031199", 5) == "8a01030088"
        assert ask("80010033b2", 7) == "8001000ffb3346"
    finally:
        os.close(line)
    changes = simulators.ask("/record?after=0")["changes"]
    assert [(change["point"], change["value"]) for change in changes] == [("west.cab1.s03.lock", "open")]


def test_the_record_over_http_and_on_disk_is_the_same(simulators):
    before_ms = time.time_ns() // 1_000_000
    simulators.flip("west.r1.door", 5)
    changes = simulators.ask("/record?after=0")["changes"]
    on_disk = [json.loads(line) for line in (simulators.folder / "record.jsonl").read_text().splitlines()]
    assert changes == on_disk
    assert [change["n"] for change in changes] == list(range(1, 11))
    assert all(before_ms <= change["at_ms"] <= time.time_ns() // 1_000_000 for change in changes)
    assert simulators.ask("/record?after=8")["changes"] == changes[8:]


def test_the_control_refuses_what_it_does_not_know(simulators):
    assert simulators.refusal("/points/west.r9.door", {"value": "open"}) == (404, "sim.unknown_point")
    assert simulators.refusal("/points/west.r1.door", {"value": "ajar"}) == (422, "sim.bad_value")
    assert simulators.refusal("/points/west.r1.door", {"valu": "open"}) == (422, "sim.bad_value")
    assert simulators.refusal("/cables/none", {"online": True}) == (404, "sim.unknown_device")
    plain = simulators.refusal("/points/west.r1.door", {"value": "open"}, "text/plain")
    assert plain == (422, "sim.bad_value")
    assert simulators.ask("/record?after=0")["changes"] == []


def test_the_page_and_its_parts_come_from_here_alone(simulators):
    for path in FILES:
        with urllib.request.urlopen(simulators.control + path, timeout=5) as answer:
            text = answer.read().decode()
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
        assert "//" not in re.sub(r"(^|\s)// .*", "", text).replace("rtsp://", "")


def test_a_point_is_set_and_listed_from_the_shell(simulators):
    done = simulators.shell("set", "west.r1.door", "open", "--control", simulators.control)
    assert (done.returncode, done.stdout) == (0, "west.r1.door open\n")
    listing = simulators.shell("list", "--control", simulators.control).stdout.splitlines()
    assert listing[0].split() == ["west.r1.door", "open", "of", "closed,", "open"]
    refused = simulators.shell("set", "west.r1.door", "ajar", "--control", simulators.control)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)


def test_a_line_is_spoilt_watched_and_healed_from_the_shell(simulators):
    def shell(*words):
        done = simulators.shell(*words, "--control", simulators.control)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask():
        with socket.create_connection(("127.0.0.1", int(simulators.ports["adam"])), timeout=5) as client:
            client.sendall(bytes.fromhex("0001 0000 0006 01 01 0000 000c"))
            return client.recv(64)

    assert shell("fault", "adam", "exception", "--code", "6", "--unit", "1", "--count", "1") == (
        "adam exception #1\n"
    )
    assert "active  adam #1  exception, unit 1, p 1, 1 left" in shell("faults")
    assert ask().hex() == "000100000003018106"
    assert ask().hex() == "0001000000050101020000"
    frames = shell("frames", "adam").splitlines()
    assert [line.split()[1] for line in frames] == [">", "<", ">", "<"]
    assert [line.endswith("! exception") for line in frames] == [False, True, False, False]
    shell("fault", "adam", "half_open")
    assert shell("heal", "adam").endswith("healed: adam\n")
    assert "active" not in shell("faults")
    refused = simulators.shell("fault", "locks", "half_open", "--control", simulators.control)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)


def test_a_hand_at_a_device_and_at_a_loose_door_from_the_shell(simulators):
    def shell(*words):
        done = simulators.shell(*words, "--control", simulators.control)
        assert done.returncode == 0, done.stderr
        return done.stdout

    listed = shell("devices")
    device = re.search(r"^  (\S+)  lock-8a, unit 1$", listed, re.MULTILINE)[1]
    shell("act", device, "key", "lock:2")
    assert [change["point"] for change in simulators.ask("/record")["changes"]] == ["west.cab1.s02.lock"]
    shell("move", "west.r1.door", "pulses", "--times", "3", "--ms", "20")
    deadline = time.monotonic() + 10
    while len(changes := simulators.ask("/record?after=1")["changes"]) < 6:
        assert time.monotonic() < deadline
    assert [change["value"] for change in changes] == ["open", "closed"] * 3
    refused = simulators.shell("move", "west.r9.door", "chatter", "--control", simulators.control)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)


def test_the_delivered_scenarios_are_listed_with_what_they_are_about(simulators):
    listed = simulators.shell("scenarios").stdout.splitlines()
    names = [line.split()[0] for line in listed]
    assert {"quiet-night", "busy-day", "cut-cable", "storm", "stolen-sensor", "fire-drill"} <= set(names)
    assert all(re.search(r"[\u4e00-\u9fff]", line) and re.search(r" [A-Z]", line) for line in listed)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything_and_leaves_no_port_behind(tmp_path, number):
    simulators = Simulators(tmp_path)
    code, out, err = simulators.end(number)
    assert (code, out, err) == (0, "simulators_stopped\n", "")
    assert list((tmp_path / "pty").iterdir()) == []


def test_a_port_in_use_is_one_clear_line_and_code_2(simulators, tmp_path_factory):
    port = simulators.ports["adam"]
    other = tmp_path_factory.mktemp("other")
    (other / "day.toml").write_text(SCENARIO.replace("tcp = 0", f"tcp = {port}", 1))
    done = simulators.shell("run", str(other / "day.toml"))
    assert done.returncode == 2
    assert done.stderr == "record record.jsonl is being written by another run\n"
    (other / "day.toml").write_text((other / "day.toml").read_text().replace("record.jsonl", ""))
    done = simulators.shell("run", str(other / "day.toml"))
    assert done.returncode == 2
    assert done.stderr == f"port 127.0.0.1:{port} cannot be used: Address already in use\n"
