"""`casewatch edge read`: one point, straight from its device."""

import asyncio
import contextlib
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.status import Status
from rich.text import Text

from device_drivers import registry
from edge import plan, settings_check
from edge.clock import SystemClock
from edge.errors import NotThere
from edge.plan import BusPlan
from edge.schedule import Poll
from edge.settings import PointSettings, Settings
from edge.settings_check import nearest
from edge.technician import screen
from edge.technician.alone import alone
from edge.technician.reading import Change, Sample, Summary, Watch
from edge.technician.stopping import until_stopped
from edge.technician.turns import one_turn, turns
from edge.technician.untouched import is_agents_alone, untouched


def run(settings_file: Path, point: str, *, is_watch: bool, is_json: bool) -> bool:
    """Whether the point could be read. Raises EdgeError, DriverError."""
    settings = settings_check.load(settings_file)
    entry, line, poll = find(settings, point)
    with alone(settings.data_dir, "read"):
        if is_watch:
            return asyncio.run(_watch(entry, line, poll, is_json=is_json))
        return asyncio.run(_read(entry, line, poll, is_json=is_json))


def find(settings: Settings, point: str) -> tuple[PointSettings, BusPlan, Poll]:
    """The point, the line it is on, the read that brings it. Raises NotThere, ProfileFault."""
    entry = next((p for p in settings.point if p.id == point), None)
    if entry is None:
        hint = nearest(point, [p.id for p in settings.point])
        raise NotThere(f"no point {point} in the settings ({hint}); a camera's picture is not read here")
    device = next(device for device in settings.device if device.id == entry.device)
    if device.driver in registry.LISTENERS:
        raise NotThere(
            f"{point}: {device.id} speaks by itself and cannot be asked; see `journal tail --follow`"
        )
    if is_agents_alone(device):
        raise NotThere(f"{point}: a modem is the agent's alone: its reports would be deleted untold")
    line = next(line for line in untouched(settings) if line.bus.id == device.bus)
    polls = [poll for poll in line.polls if poll.device == device.id and entry.channel in poll.read.channels]
    return entry, line, polls[0]


async def _read(entry: PointSettings, line: BusPlan, poll: Poll, *, is_json: bool) -> bool:
    bus = plan.build_bus(line.bus)
    try:
        await bus.open()
        turn = await one_turn(bus, line.drivers[poll.device], poll)
    finally:
        await bus.close()
    sample, _ = Watch(entry).take(turn, SystemClock().stamp())
    if is_json:
        screen.print_json(sample)
    else:
        _print(sample, entry, poll, line.bus.id)
    return not sample.error


async def _watch(entry: PointSettings, line: BusPlan, poll: Poll, *, is_json: bool) -> bool:
    """Until a signal; then the summary."""
    bus, watch, clock = plan.build_bus(line.bus), Watch(entry), SystemClock()
    await bus.open()
    is_live = screen.is_terminal() and not is_json
    status = Status("…", console=Console()) if is_live else None

    async def follow() -> None:
        error = ""
        async for turn in turns(bus, line.drivers, [poll]):
            sample, changes = watch.take(turn, clock.stamp())
            for change in changes:
                _print_change(change, sample, is_json=is_json)
            if sample.error != error and not is_json:
                _print_error(sample)
            error = sample.error
            if status is not None:
                status.update(_live(sample, watch.summary()))

    try:
        with status or contextlib.nullcontext():
            await until_stopped(follow())
    finally:
        await bus.close()
    _print_summary(watch.summary(), is_json=is_json)
    return watch.summary().reads > watch.summary().misses


def _print(sample: Sample, entry: PointSettings, poll: Poll, bus: str) -> None:
    style = screen.GREEN if sample.quality == "good" else screen.RED
    head = (
        Text()
        .append(f"{sample.point}  ", "bold")
        .append(f"{sample.value or 'unknown'}  {sample.quality}", style)
    )
    screen.print_line(head)
    place = f"{entry.channel} of {entry.device}, unit {poll.read.unit} on bus {bus}"
    counter = "no counter" if sample.counter is None else f"counter {sample.counter}"
    screen.print_line(f"{place} · {counter} · round trip {sample.round_trip_ms} ms")
    for sent, received in sample.frames:
        screen.print_line(f"  sent      {sent}")
        screen.print_line(f"  received  {received or '(nothing)'}")
    if sample.error:
        screen.print_line(Text(f"{sample.error}: {sample.reason}", screen.RED))


def _print_change(change: Change, sample: Sample, *, is_json: bool) -> None:
    if is_json:
        screen.print_json_line(change)
        return
    data = " ".join(f"{key}={value}" for key, value in change.data.items())
    counter = "" if sample.counter is None else f"  counter {sample.counter}"
    said = f"{change.kind:<16} {change.value or 'unknown':<8}{counter}  {sample.round_trip_ms} ms  {data}"
    screen.print_line(Text(f"{_time(change.at)}  ").append(said.rstrip(), "bold"))


def _print_error(sample: Sample) -> None:
    if sample.error:
        screen.print_line(Text(f"{_time(sample.at)}  {sample.error}: {sample.reason}", screen.RED))
    else:
        screen.print_line(Text(f"{_time(sample.at)}  answers again", screen.GREEN))


def _print_summary(summary: Summary, *, is_json: bool) -> None:
    if is_json:
        screen.print_json_line({"summary": summary})
        return
    errors = ", ".join(f"{count} {code}" for code, count in summary.errors.items())
    screen.print_line(
        f"{summary.reads} reads, {summary.misses} misses{f' ({errors})' if errors else ''}, "
        f"{summary.changes} changes; round trip p50 {summary.round_trip_p50_ms} ms, "
        f"p99 {summary.round_trip_p99_ms} ms, max {summary.round_trip_max_ms} ms"
    )


def _live(sample: Sample, summary: Summary) -> str:
    return (
        f"{sample.point} {sample.value or 'unknown'} ({sample.quality}) · {sample.round_trip_ms} ms · "
        f"{summary.reads} reads, {summary.misses} misses, {summary.changes} changes · Ctrl-C ends"
    )


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone().strftime("%H:%M:%S.%f")[:-3]
