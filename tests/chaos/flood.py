"""Row 12: too much of everything: a babbling device, a storm of alarms, strangers at every port."""

import socket
import threading
import time
from contextlib import suppress

from tests.chaos.ground import Ground, Play
from tests.chaos.history import Figure
from tests.chaos.station import Station
from tests.support.api import Http
from tests.support.processes import Process

STRANGERS = 1_000
PACKET_MB = 100
TIMES_IDLE = 2.0
LAG_S = 2.0
STORM_S = 5.0


def alarm_storm(ground: Ground) -> None:
    """Every door moves four times a second; then faster than any poll, where the counts must be right."""
    station = ground.station().start()
    for _ in range(ground.trials):
        with _memory(station):
            from_ns = time.monotonic_ns()
            _storm(station, 0.25)
            until_ns = time.monotonic_ns()
            with station.blind():
                _storm(station, 0.0)
            station.settle()
        station.note_lag("P9", "door to centre in a storm", from_ns, until_ns, LAG_S)
        ground.tried += 1
    station.conclude()


def babbling_device(ground: Ground) -> None:
    """One cable is never silent: doors on the other are told in time."""
    station = ground.station().start()
    for _ in range(ground.trials):
        with _memory(station):
            station.simulators.post("/faults", {"cable": "io1", "kind": "babble"})
            from_ns = time.monotonic_ns()
            for value in ("open", "closed") * 2:
                for door in station.doors[16:]:
                    station.flip(door, value)
                    time.sleep(0.02)
                time.sleep(0.3)
            until_ns = time.monotonic_ns()
            station.simulators.post("/faults/heal", {})
        station.settle()
        station.note_lag("P9", "door to centre beside a babbling device", from_ns, until_ns, LAG_S)
        ground.tried += 1
    station.conclude()


def strangers(ground: Ground) -> None:
    """A thousand connections that say nothing at broker and centre each, then endless first packets."""
    station = ground.running(20)
    for _ in range(ground.trials):
        from_ns = time.monotonic_ns()
        with _memory(station):
            for port in (station.broker_port, station.web_port):
                _crowd(port)
            for port in (station.broker_port, station.web_port):
                for first in (b"\x10\xff\xff\xff\x7f", b"POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nX: "):
                    _endless(port, first)
        until_ns = time.monotonic_ns()
        station.settle()
        station.note_lag("P9", "door to centre among strangers", from_ns, until_ns, LAG_S)
        ground.tried += 1
    station.conclude()


class _memory:
    """Each process stays below twice its idle size."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._processes: list[Process] = [station.edge, station.central, station.broker]
        self._idle: dict[str, float] = {}

    def __enter__(self) -> None:
        self._idle = {process.name: process.rss_mb() for process in self._processes}

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            idle_mb = max(self._idle[process.name], 20.0)
            self._station.history.note(
                Figure("P9", f"{process.name}: memory, times idle", process.rss_mb() / idle_mb, TIMES_IDLE)
            )


def _storm(station: Station, gap_s: float) -> None:
    """Each of four hands has a quarter of the doors and lets `gap_s` pass between two moves of one."""
    hands = [threading.Thread(target=_rattle, args=(station, n, gap_s)) for n in range(4)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()


def _rattle(station: Station, hand: int, gap_s: float) -> None:
    simulators = Http(station.simulators.address)
    ends_at = time.monotonic() + STORM_S
    while time.monotonic() < ends_at:
        for value in ("open", "closed"):
            for door in station.doors[hand::4]:
                simulators.post(f"/points/{door}", {"value": value})
            time.sleep(gap_s)
    simulators.close()


def _crowd(port: int) -> None:
    """Connected, silent, gone again after a while; some are refused, which is right."""
    crowd = []
    for _ in range(STRANGERS):
        stranger = socket.socket()
        stranger.settimeout(5)
        with suppress(OSError):
            stranger.connect(("127.0.0.1", port))
        crowd.append(stranger)
    time.sleep(2)
    for stranger in crowd:
        stranger.close()


def _endless(port: int, first: bytes) -> None:
    """A first packet that never ends, until the other side has had enough or all is sent."""
    piece = b"x" * 2**16
    with socket.socket() as sock, suppress(OSError):
        sock.settimeout(3)
        sock.connect(("127.0.0.1", port))
        sock.sendall(first)
        for _ in range(PACKET_MB * 16):
            sock.sendall(piece)


PLAYS = (
    Play(12, "storm", "storm of alarms", alarm_storm, 1, 6, smoke_s=25),
    Play(12, "babble", "babbling device", babbling_device, 1, 6, smoke_s=25),
    Play(12, "strangers", "strangers by the thousand, endless packets", strangers, 1, 6, smoke_s=35),
)
