"""`casewatch edge capture`: a bus's normal schedule, every exchange into a file that a test can replay.

But for latches: they are evidence for the agent's journal, so they are neither read nor cleared.
"""

import asyncio
import contextlib
import time
from collections import Counter
from importlib.metadata import version
from pathlib import Path

import msgspec
from rich.console import Console
from rich.status import Status

from device_drivers import registry
from device_drivers.capture_file import CapturedDevice, CaptureWriter, Header
from edge import plan, settings_check
from edge.errors import NotThere
from edge.plan import BusPlan
from edge.settings import Settings
from edge.technician import screen
from edge.technician.alone import alone
from edge.technician.stopping import until_stopped
from edge.technician.turns import turns
from edge.technician.untouched import is_agents_alone, untouched


class CaptureSummary(msgspec.Struct, frozen=True):
    """What is in the file now. `errors`: exchanges without a sound reply, by code."""

    file: str
    bus: str
    exchanges: int
    errors: dict[str, int]
    took_s: float
    digest: str


def run(settings_file: Path, bus: str, file: Path, for_s: float, *, is_json: bool) -> bool:
    """Whether anything was captured. Raises EdgeError, DriverError, OSError."""
    settings = settings_check.load(settings_file)
    line = find(settings, bus)
    digest = settings_check.fingerprint(settings_file, settings)
    with alone(settings.data_dir, "capture"):
        summary = asyncio.run(_capture(settings, line, file, for_s, digest, is_json=is_json))
    if is_json:
        screen.print_json(summary)
    else:
        errors = ", ".join(f"{count} {code}" for code, count in summary.errors.items())
        told = f"{summary.exchanges} exchanges of bus {bus} in {summary.took_s:.1f} s"
        sound = "all sound" if summary.exchanges else "a serial line is first listened to for a second: --for"
        screen.print_line(f"{file}: {told}, {errors or sound}")
    return summary.exchanges > 0


def find(settings: Settings, bus: str) -> BusPlan:
    """The plan of a bus, whose reads clear no latch. Raises NotThere."""
    entry = next((entry for entry in settings.bus if entry.id == bus), None)
    if entry is None:
        raise NotThere(f"no bus {bus} in the settings; there are {', '.join(b.id for b in settings.bus)}")
    if any(device.bus == bus and is_agents_alone(device) for device in settings.device):
        raise NotThere(f"bus {bus}: a modem is the agent's alone: its reports would be deleted untold")
    line = next((line for line in untouched(settings) if line.bus.id == bus), None)
    if line is None:
        is_heard = any(d.bus == bus and d.driver in registry.LISTENERS for d in settings.device)
        why = "its devices speak by themselves, and no request is sent" if is_heard else "it has no devices"
        raise NotThere(f"bus {bus}: {why}")
    return line


def header(settings: Settings, line: BusPlan, digest: str) -> Header:
    """What a replay needs to build the same drivers."""
    devices = tuple(
        CapturedDevice(
            id=device.id,
            driver=device.driver,
            unit=device.unit,
            profile=device.profile,
            channels=tuple(point.channel for point in settings.point if point.device == device.id),
            options=device.options,
        )
        for device in settings.device
        if device.bus == line.bus.id
    )
    return Header(
        version=version("casewatch"),
        settings=digest,
        at=time.time_ns() // 1_000_000,
        bus=line.bus.id,
        kind=line.bus.kind,
        baud=line.bus.baud,
        max_slice_ms=line.bus.max_slice_ms,
        devices=devices,
    )


async def _capture(
    settings: Settings, line: BusPlan, file: Path, for_s: float, digest: str, *, is_json: bool
) -> CaptureSummary:
    """Until the time is over or a signal comes."""
    began_ns = time.monotonic_ns()
    bus = plan.build_bus(line.bus)
    await bus.open()
    errors: Counter[str] = Counter()
    count = 0
    is_live = screen.is_terminal() and not is_json
    status = Status("…", console=Console()) if is_live else None
    with file.open("x", encoding="utf-8") as out, status or contextlib.nullcontext():
        writer = CaptureWriter(out, header(settings, line, digest), began_ns)

        async def follow() -> None:
            nonlocal count
            async for turn in turns(bus, line.drivers, line.polls):
                for exchange in turn.exchanges:
                    writer.write(exchange, turn.poll.device, turn.poll.read.name)
                    count += 1
                    errors.update([exchange.error] if exchange.error else [])
                if status is not None:
                    gone_s = (time.monotonic_ns() - began_ns) / 1e9
                    status.update(
                        f"{count} exchanges, {errors.total()} not sound · {gone_s:.0f} s · Ctrl-C ends"
                    )

        try:
            await until_stopped(follow(), for_s)
        finally:
            await bus.close()
    took_s = round((time.monotonic_ns() - began_ns) / 1e9, 1)
    return CaptureSummary(str(file), line.bus.id, count, dict(errors), took_s, digest)
