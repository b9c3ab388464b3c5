"""`casewatch edge probe`: which lines to go over, and what was found, printed."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from device_drivers.site import TCP_KINDS, BusKind
from edge import settings_check
from edge.errors import NotThere
from edge.settings import BusSettings, Settings
from edge.technician import probing, screen
from edge.technician.alone import alone
from edge.technician.bus_plan import place
from edge.technician.probe import probe, steps
from edge.technician.probing import Found, ProbeReport, Target

_COLUMNS = (">unit", ">baud", "says it is", "functions", "may be (profile or driver)", "in the settings")
Targets = list[Target]


def run_with_settings(
    settings_file: Path, bus: str | None, units: tuple[int, ...], bauds: tuple[int, ...], *, is_json: bool
) -> bool:
    """Probe the buses of a station, or one. Raises EdgeError, DriverError. Whether all is as it should be."""
    settings = settings_check.load(settings_file)
    lines = [targets_of(settings, line, bauds) for line in _chosen(settings, bus)]
    with alone(settings.data_dir, "probe"):
        return _run(lines, units, is_json=is_json)


def run_tcp(host: str, port: int, units: tuple[int, ...], *, is_json: bool) -> bool:
    """Probe an address of which nothing is known."""
    kinds = probing.tcp_kinds()
    return _run([[_unknown(kind, host=host, port=port) for kind in kinds]], units, is_json=is_json)


def run_serial(device: str, bauds: tuple[int, ...], units: tuple[int, ...], *, is_json: bool) -> bool:
    """Probe a serial line of which nothing is known."""
    kinds = probing.serial_kinds()
    targets = [_unknown(kind, device=device, baud=baud) for baud in bauds for kind in kinds]
    return _run([targets], units, is_json=is_json)


def targets_of(settings: Settings, bus: BusSettings, bauds: tuple[int, ...]) -> Targets:
    """How a bus of the settings is probed: as it is, and at other rates if it has one."""
    devices = [device for device in settings.device if device.bus == bus.id]
    expected = {device.unit: device.id for device in devices}
    known = {device.driver for device in devices}
    kinds = tuple(kind for kind in probing.LOCK_KINDS if not known or kind in known)
    rates = [bus.baud]
    if bus.kind not in TCP_KINDS:
        rates += [baud for baud in bauds if baud != bus.baud]
    return [Target(msgspec.structs.replace(bus, baud=baud), expected, kinds) for baud in rates]


def can_probe(settings: Settings, bus: BusSettings) -> bool:
    """Whether the devices of a bus can be asked who they are: not readers of tags, nor modems."""
    how = probing.kind_of(bus.kind)
    drivers = {device.driver for device in settings.device if device.bus == bus.id}
    return how == "modbus" or (how == "locks" and (not drivers or bool(drivers & {*probing.LOCK_KINDS})))


def _chosen(settings: Settings, bus: str | None) -> list[BusSettings]:
    if bus is None:
        lines = [line for line in settings.bus if can_probe(settings, line)]
        if not lines:
            raise NotThere("the settings have no bus whose devices can be asked who they are")
        return lines
    line = next((line for line in settings.bus if line.id == bus), None)
    if line is None:
        raise NotThere(f"no bus {bus} in the settings; there are {', '.join(b.id for b in settings.bus)}")
    if not can_probe(settings, line):
        raise NotThere(f"bus {bus}: what is on it cannot be asked by number; try read POINT")
    return [line]


def _unknown(
    kind: BusKind, *, host: str | None = None, port: int = 502, device: str | None = None, baud: int = 9600
) -> Target:
    return Target(BusSettings(id="line", kind=kind, host=host, port=port, device=device, baud=baud))


def _run(lines: list[Targets], units: tuple[int, ...], *, is_json: bool) -> bool:
    reports = []
    for targets in lines:
        total = sum(steps(target, units) for target in targets)
        shown = nullcontext(lambda _: None) if is_json else _progress(place(targets[0].bus), total)
        with shown as step:
            reports.append(asyncio.run(probe(targets, units, step)))
    if is_json:
        screen.print_json({"lines": reports})
    else:
        for report in reports:
            _print(report)
    return all(report.found and not report.missing for report in reports)


@contextmanager
def _progress(where: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar with the time gone and left, for whoever watches stderr; nothing for a pipe."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("asks ·"),
        TimeElapsedColumn(), TextColumn("gone,"), TimeRemainingColumn(), TextColumn("left"),
    )  # fmt: skip
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(where, total=total)
        yield lambda count: bar.advance(task, count)


def _print(report: ProbeReport) -> None:
    asked = f"{report.units_asked} units asked in {report.took_s:.1f} s"
    if report.found:
        title = f"{report.where}: {len(report.found)} found, {asked}"
        screen.print_table(title, _COLUMNS, [_row(found) for found in report.found])
        if any(found.candidates for found in report.found):
            screen.print_line(Text("Candidates only: they answer as such a model would.", screen.DIM))
    else:
        hint = "power, A and B, the address switches, the baud rate (--bauds 9600,19200,115200)?"
        screen.print_line(Text(f"{report.where}: nobody answered, {asked}: {hint}", screen.RED))
    for device in report.missing:
        screen.print_line(Text(f"missing: {device} of the settings did not answer", screen.RED))
    for note in report.notes:
        screen.print_line(Text(f"note: {note}", screen.YELLOW))


def _row(found: Found) -> list[str]:
    identity = found.identity
    said = " ".join(filter(None, (identity.vendor, identity.product, identity.revision))) if identity else ""
    if found.is_any_unit:
        said = f"{said} (answers to every unit number)".strip()
    return [
        "any" if found.is_any_unit else str(found.unit),
        str(found.baud) if found.baud else "-",
        said or found.status or "does not say",
        ", ".join(map(str, found.functions)) or "-",
        ", ".join(found.candidates) or "none that is known here",
        found.settings or "-",
    ]
