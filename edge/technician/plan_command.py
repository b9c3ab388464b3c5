"""`casewatch edge plan`: prints the plan of each bus."""

from pathlib import Path

import typer
from rich.text import Text

from device_drivers.errors import ProfileFault
from edge import settings_check
from edge.bus_load import REFUSE_AT, WARN_AT
from edge.settings import Settings
from edge.technician import bus_plan, screen
from edge.technician.bus_plan import BusReport, PlanReport, ReadPlan

_COLUMNS = (
    "device", "read", ">unit", "class", ">period ms", ">exchanges", ">bytes out", ">bytes in", ">wire ms",
    ">device ms", ">use %",
)  # fmt: skip
_STYLES = {"ok": screen.GREEN, "warned": screen.YELLOW, "refused": screen.RED}
_WORDS = {
    "ok": "ok",
    "warned": f"WARNED, from {WARN_AT:.0%} on",
    "refused": f"REFUSED, from {REFUSE_AT:.0%} on: longer periods, a higher baud, or a second bus",
}


def run(settings_file: Path, *, is_json: bool) -> bool:
    """Print it; whether the settings are without fault."""
    checked = settings_check.check(settings_file)
    for problem in checked.problems:
        typer.echo(problem, err=True)
    report = _report(settings_file, checked.settings)
    if report is not None and is_json:
        screen.print_json(report)
    elif report is not None:
        _print(report)
    return checked.settings is not None


def _report(settings_file: Path, settings: Settings | None) -> PlanReport | None:
    """None where the settings are no settings yet, so that there is nothing to plan."""
    written = settings or settings_check.as_written(settings_file)
    try:
        return bus_plan.report(written) if written else None
    except ProfileFault:
        return None


def _print(report: PlanReport) -> None:
    for bus in report.buses:
        title = f"bus {bus.id}: {bus.kind}, {bus.where}"
        screen.print_table(title, _COLUMNS, [_row(read) for read in bus.reads])
        screen.print_line(_sum(bus))
        screen.print_line("")
    for line in report.listening:
        devices = ", ".join(line.devices)
        screen.print_line(f"bus {line.id}: {line.kind}, {line.where}: {devices} speak by themselves")


def _row(read: ReadPlan) -> list[str]:
    whole = (read.period_ms, read.exchanges, read.sent_bytes, read.received_bytes)
    shares = (read.wire_ms, read.device_ms, 100 * read.use)
    words = [read.device, read.read, str(read.unit), read.poll_class]
    return [*words, *map(str, whole), *(f"{share:.1f}" for share in shares)]


def _sum(bus: BusReport) -> Text:
    text = Text("in use ").append(f"{bus.use:.0%} {_WORDS[bus.verdict]}", _STYLES[bus.verdict])
    text.append(f" · blind {bus.blind_ms:.0f} ms")
    if bus.blind_beside_dead_ms != bus.blind_ms:
        text.append(f", {bus.blind_beside_dead_ms:.0f} ms beside a dead unit")
    return text.append(f" · a reply is waited for {bus.timeout_ms} ms")
