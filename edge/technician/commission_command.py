"""`casewatch edge commission`: the shell of `commissioning`, between a terminal and the lines."""

import asyncio
import contextlib
import getpass
import sys
import time
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.live import Live

from device_drivers.bus import Bus
from device_drivers.driver import Commanded, Driver, Listener, Sight
from device_drivers.errors import DriverError
from edge import plan, settings_check
from edge.errors import NoTerminal, NotThere
from edge.plan import BusPlan
from edge.settings import PointSettings, Settings
from edge.technician import acceptance, commission_screen, screen, sheet_page
from edge.technician import commission_words as w
from edge.technician.acceptance import Acceptance, Sheet
from edge.technician.alone import alone
from edge.technician.commissioning import Moment, Result, Walk
from edge.technician.keyboard import Keyboard, listening
from edge.technician.stopping import until_stopped
from edge.technician.turns import turns
from edge.technician.untouched import is_agents_alone, untouched

FRAMES_A_SECOND = 10


def run(settings_file: Path, out: Path | None) -> bool:
    """Walk, and write the sheet. Whether every point passed. Raises EdgeError, DriverError, OSError."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise NoTerminal(
            "commission talks with a person and needs a terminal; a script can use read POINT --watch --json"
        )
    settings = settings_check.load(settings_file)
    walked = points_of(settings)
    if not walked:
        raise NotThere("the settings have no point to walk to")
    digest = settings_check.fingerprint(settings_file, settings)
    with alone(settings.data_dir, "commission"):
        key = acceptance.load_key(settings.data_dir)
        by = input(f"{w.both(w.NAME)} [{getpass.getuser()}]: ").strip()[:80] or getpass.getuser()
        began = now()
        walk = asyncio.run(Walking(settings, began).walk())
        told = Acceptance(
            edge=settings.edge.id,
            by=by,
            began_at=began.at,
            ended_at=now().at,
            version=version("casewatch"),
            settings=digest,
            simulated=settings.edge.simulated,
            not_walked=(
                *(p.id for p in settings.point if p not in walked),
                *(c.point for c in settings.camera),
            ),
            points=walk.trials,
            public_key=acceptance.public_hex(key),
        )
        sheet = acceptance.sign(told, key)
    _write(sheet, out or Path(time.strftime(f"acceptance-{settings.edge.id}-%Y%m%d-%H%M%S.json")))
    return told.count(Result.PASSED) == len(told.points)


def points_of(settings: Settings) -> list[PointSettings]:
    """The points of the walk: all but those whose devices are the agent's alone."""
    alone_devices = {device.id for device in settings.device if is_agents_alone(device)}
    return [point for point in settings.point if point.device not in alone_devices]


def verify(file: Path, *, is_json: bool) -> None:
    """Print what a sheet says, if nobody changed it. Raises SheetFault."""
    sheet = acceptance.verify(file)
    told = sheet.acceptance
    if is_json:
        screen.print_json({"file": str(file), "is_sound": True, "acceptance": told})
        return
    span = f"{sheet_page.local_time(told.began_at)} – {sheet_page.local_time(told.ended_at)}"
    screen.print_line(f"{file}: edge {told.edge}, by {told.by}, {span}: as it was signed")
    screen.print_line(sheet_page.counts(told))
    if told.simulated:
        screen.print_line(w.both(w.SIMULATED))
    screen.print_line(f"public key {sheet_page.grouped(told.public_key)}: compare it with the printed sheet")


def now() -> Moment:
    return Moment(time.time_ns() // 1_000_000, time.monotonic_ns())


class Walking:
    """The walk with everything that feeds it: a task a line, the keyboard, the screen."""

    def __init__(self, settings: Settings, began: Moment) -> None:
        self._lines = untouched(settings)
        self._buses: dict[str, Bus] = {}
        drivers: dict[str, Driver] = {}
        for line in self._lines:
            bus = plan.build_bus(line.bus)
            drivers.update(line.drivers)
            self._buses.update(dict.fromkeys(line.drivers, bus))
        self._listeners = [entry.listener for entry in plan.listeners(settings)]
        self._commanded = {name: d for name, d in drivers.items() if isinstance(d, Commanded)}
        units = {device.id: device.unit for device in settings.device}
        self._walk = Walk(points_of(settings), units, self._commanded, began)
        self._tasks: list[asyncio.Task[None]] = []
        self._keyboard = Keyboard(self._pressed, self._walk.note)
        self._ended = asyncio.Event()

    async def walk(self) -> Walk:
        """Until the last point, or until the technician ends it."""
        self._tasks = [asyncio.create_task(self._poll(line)) for line in self._lines]
        self._tasks += [asyncio.create_task(self._listen(listener)) for listener in self._listeners]
        try:
            with (
                listening(self._keyboard),
                Live(console=Console(), auto_refresh=False, transient=True) as live,
            ):
                await until_stopped(self._go(live))
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for bus in set(self._buses.values()):
                await bus.close()
        return self._walk

    async def _go(self, live: Live) -> None:
        while self._walk.current is not None and not self._ended.is_set():
            live.update(commission_screen.draw(self._walk, self._keyboard.line), refresh=True)
            await self._send_pulse()
            for task in self._tasks:
                if task.done():
                    task.result()  # no line ends by itself: whatever ended it is told
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1 / FRAMES_A_SECOND):
                    await self._ended.wait()

    async def _poll(self, line: BusPlan) -> None:
        bus = self._buses[next(iter(line.drivers))]
        async for turn in turns(bus, line.drivers, line.polls):
            if turn.sights is not None:
                self._walk.see(turn.poll.device, turn.sights, now())
            else:
                self._walk.miss(turn.poll.device, str(turn.error))

    async def _listen(self, listener: Listener) -> None:
        async def tell(device: str, seen: list[Sight] | DriverError) -> None:
            if isinstance(seen, DriverError):
                self._walk.miss(device, str(seen))
            else:
                self._walk.see(device, seen, now())

        while True:
            with contextlib.suppress(DriverError):
                await listener.run(tell)
            await asyncio.sleep(1.0)

    async def _send_pulse(self) -> None:
        """Once, because the person pressed the key for it; the bus never repeats it."""
        trial, pulse = self._walk.current, self._walk.take_pulse()
        if trial is None or pulse is None:
            return
        bus, driver = self._buses[trial.device], self._commanded[trial.device]
        try:
            self._walk.commanded(await bus.execute(driver, pulse))
        except DriverError as error:
            self._walk.miss(trial.device, f"not sent: {error}")

    def _pressed(self, key: str) -> None:
        if key == "s":
            self._walk.skip(now())
        elif key == "a":
            self._walk.again(now())
        elif key == "n":
            self._keyboard.ask()
        elif key == "o":
            self._walk.pulse(now())
        elif key == "q":
            self._ended.set()


def _write(sheet: Sheet, out: Path) -> None:
    acceptance.write(sheet, out)
    readable = out.with_suffix(".html")
    readable.write_text(sheet_page.page(sheet), "utf-8")
    screen.print_line(sheet_page.counts(sheet.acceptance))
    screen.print_line(f"{out} (signed), {readable} (to print)")
    screen.print_line(f"public key {sheet_page.grouped(sheet.acceptance.public_key)}")
