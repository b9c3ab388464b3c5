"""The control panel of one line: libosdp in a process of its own, where it can hang and crash as it likes.

Started by `driver`: `python -m device_drivers.osdp_reader.panel`, a Line on stdin, messages on stdout. It
ends with its stdin, with its port, and by itself when its loop stands still, even deep in the library.

What libosdp 3.2.9 does, and what follows from it (recorded on ptys):
- EnforceSecure: no card is taken but in a secure channel; a reader with another key is put offline.
- Whatever fails puts a reader offline for 300 s. `disable_pd` and `enable_pd` end that for this one reader
  and leave its neighbours alone.
- A silent reader is asked for once a second, for 8 s; a restarted one answers NAK 4 and goes offline at once.
- Without InstallMode the default key is never tried.
"""

import faulthandler
import os
import select
import sys
import termios
import time
from collections.abc import Callable
from typing import Any, Final

import osdp_sys
import serial
from osdp import CardFormat, Command, Event, EventNotification, LibFlag, LogLevel, StatusReportType

from device_drivers.osdp_reader import wire
from device_drivers.osdp_reader.codec import FRAME_MAX_BYTES, split
from device_drivers.osdp_reader.pairing import Pairing, Rest, Standing

TICK_S = 0.02
ALIVE_INTERVAL_S = 1.0
STANDSTILL_S = 10.0

Say = Callable[[wire.Up], None]


class Channel:
    """The port as libosdp sees it, and who was heard on it. Errors must not pass through the library."""

    def __init__(self, descriptor: int, heard: Callable[[int], None]) -> None:
        self.id = 1
        self.failure = ""
        self._descriptor = descriptor
        self._heard = heard
        self._waiting = b""
        self._begun = b""

    def take(self) -> None:
        """What has come, to be called when the port is ready: libosdp does not read while all are offline."""
        try:
            received = os.read(self._descriptor, FRAME_MAX_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self.failure = str(error)
            return
        if not received:
            self.failure = "the port is ready and gives nothing: its adapter is gone"
        self._waiting = (self._waiting + received)[-FRAME_MAX_BYTES:]
        frames, self._begun = split((self._begun + received)[-FRAME_MAX_BYTES:])
        for frame in frames:
            if frame.is_reply:
                self._heard(frame.address)

    def read(self, max_bytes: int) -> bytes:
        received, self._waiting = self._waiting[:max_bytes], self._waiting[max_bytes:]
        return received

    def write(self, frame: bytes) -> int:
        try:
            return os.write(self._descriptor, frame)
        except BlockingIOError:
            return 0
        except OSError as error:
            self.failure = str(error)
            return 0

    def flush(self) -> None:
        """The library throws away what came too late for its last command."""
        self._waiting = self._begun = b""


class _Reader:
    """What the panel knows of one reader."""

    def __init__(self, plan: wire.ReaderPlan, now_s: float) -> None:
        self.plan: Final = plan
        self.pairing: Final = Pairing(now_s)
        self.rest: Final = Rest()
        self.standing: Standing | None = None


class Panel:
    """Every reader of one line, on an open port. Say is called as things happen."""

    def __init__(self, line: wire.Line, descriptor: int, say: Say, now_s: float) -> None:
        self._say = say
        self._now_s = now_s
        self._readers = [_Reader(plan, now_s) for plan in line.readers]
        self._by_address = {reader.plan.address: reader for reader in self._readers}
        self.channel = Channel(descriptor, self._heard)
        osdp_sys.set_loglevel(LogLevel.Emergency)
        self._library = osdp_sys.ControlPanel([self._info(plan) for plan in line.readers])
        self._library.set_event_callback(self._happened)

    def tick(self, now_s: float) -> None:
        """To be called every TICK_S, and when something has come."""
        self._now_s = now_s
        self._library.refresh()
        online, secure = self._library.status(), self._library.sc_status()
        for n, reader in enumerate(self._readers):
            is_paired = bool(online & secure & (1 << n))
            self._look_after(n, reader, is_paired=is_paired)
            standing = reader.pairing.standing(now_s, is_paired=is_paired) or reader.standing
            if standing is not None and standing is not reader.standing:
                reader.standing = standing
                self._say(wire.Reader(reader.plan.device, standing))
                if standing is Standing.PAIRED:
                    self._ask_for_housing(n)

    def _look_after(self, n: int, reader: _Reader, *, is_paired: bool) -> None:
        if is_paired:
            reader.rest.online()
        if reader.rest.is_over(self._now_s):
            self._library.disable_pd(n)
        elif reader.rest.is_resetting and not self._library.is_pd_enabled(n):
            self._library.enable_pd(n)
            reader.rest.is_resetting = False

    def _ask_for_housing(self, n: int) -> None:
        """Once: a paired reader tells each change by itself, and OSDP's sequence numbers let none be lost."""
        ask = {"command": Command.Status, "type": StatusReportType.Local, "report": b""}
        self._library.submit_command(n, ask)

    def _happened(self, n: int, event: dict[str, Any]) -> int:
        """Called by libosdp, in `refresh`."""
        reader = self._readers[n]
        match event:
            case {"event": Event.CardRead, "format": kind, "length": bits, "data": data}:
                bits = bits if kind != CardFormat.ASCII else 8 * bits
                self._say(wire.Card(reader.plan.device, bits, bytes(data).hex()))
            case {"event": Event.Status, "type": StatusReportType.Local, "report": report} if report:
                self._say(wire.Tamper(reader.plan.device, bool(report[0])))
            case {"event": Event.Notification, "type": EventNotification.PeripheralDeviceStatus, "arg0": 0}:
                reader.rest.failed(self._now_s)
        return 0

    def _heard(self, address: int) -> None:
        if (reader := self._by_address.get(address)) is not None:
            reader.pairing.heard(self._now_s)

    def _info(self, plan: wire.ReaderPlan) -> dict[str, object]:
        return {
            "name": plan.device[:15],
            "address": plan.address,
            "flags": LibFlag.EnforceSecure | LibFlag.EnableNotification,
            "scbk": plan.key,
            "channel": self.channel,
            **dict.fromkeys(("version", "model", "vendor_code", "serial_number", "firmware_version"), 0),
        }


def main() -> None:
    """Serve the line that stdin names, until stdin ends."""
    said = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # the library may print: never among the messages

    def say(message: wire.Up) -> None:
        os.write(said, wire.encode(message))

    line = wire.decode_line(sys.stdin.buffer.readline())
    try:
        port = serial.Serial(line.port, line.baud, timeout=0, exclusive=True)
    except (OSError, termios.error) as error:
        say(wire.Ended(str(error)))
        return
    panel = Panel(line, port.fileno(), say, time.monotonic())
    told_s = 0.0
    while not panel.channel.failure:
        ready, _, _ = select.select([sys.stdin, port], [], [], TICK_S)
        if sys.stdin in ready and not os.read(sys.stdin.fileno(), 1):
            return
        if port in ready:
            panel.channel.take()
        now_s = time.monotonic()
        panel.tick(now_s)
        if now_s - told_s >= ALIVE_INTERVAL_S:
            told_s = now_s
            faulthandler.dump_traceback_later(STANDSTILL_S, exit=True)
            say(wire.Alive())
    say(wire.Ended(panel.channel.failure))


if __name__ == "__main__":
    main()
