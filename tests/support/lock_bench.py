"""A cabinet of one lock family, its driver, and the line in memory between them."""

from typing import Self

from device_drivers import registry
from device_drivers.bus import BusSettings
from device_drivers.driver import Command, Commanded, Observation, Outcome
from device_drivers.site import Site
from simulators.locks.board import LockBoard
from simulators.locks.krcu import Cu48Line, KrcuLine
from simulators.locks.line import LockLine
from simulators.locks.lock_8a import Line8a
from simulators.locks.winnsen import WinnsenLine
from simulators.locks.wkly import WklyLine
from simulators.plant import Plant
from tests.support.memory_line import Firmware, MemoryLine

FAMILIES = ("8a", "8a short when open", "krcu", "cu48", "winnsen", "wkly")
LOCKS = [f"liuxu.cab1.s{n:02}.lock" for n in range(1, 13)]
ITEMS = [f"liuxu.cab1.s{n:02}.item" for n in range(1, 13)]
CHANNELS = tuple(f"lock:{n}" for n in range(1, 13))
BOARD = 1
TIMEOUT_S = 0.03


def driver_of(family: str, unit: int = BOARD) -> Commanded:
    name = {"8a short when open": "lock_8a", "cu48": "lock_krcu"}.get(family, f"lock_{family}")
    options: dict[str, object] = {
        "cu48": {"board": "cu48"},
        "8a short when open": {"short_when_locked": False},
    }
    site = Site("serial", unit=unit, channels=CHANNELS, options=options.get(family, {}))
    driver = registry.build(name, site)
    assert isinstance(driver, Commanded)
    return driver


def line_of(family: str, boards: dict[int, LockBoard]) -> LockLine:
    if family.startswith("8a"):
        return Line8a(boards, short_when_locked=family == "8a")
    lines = {"krcu": KrcuLine, "cu48": Cu48Line, "winnsen": WinnsenLine, "wkly": WklyLine}
    return lines[family](boards)


class LockBench(MemoryLine):
    """`async with` it."""

    def __init__(self, family: str, quarantine_s: float = 0.0) -> None:
        self.plant = Plant(LOCKS + ITEMS)
        items = ITEMS if family == "krcu" else []
        self.board = LockBoard(LOCKS, self.plant, self.open, items=items)
        self.line = line_of(family, {BOARD: self.board})
        self.driver = driver_of(family)
        super().__init__(Firmware(self.line), BusSettings(TIMEOUT_S, quarantine_s))

    def open(self, point: str) -> None:
        self.plant.change(point, "open", 0, 0)

    async def __aenter__(self) -> Self:
        await self.bus.open()
        return await super().__aenter__()

    async def states(self) -> dict[str, bool]:
        """Every channel as one full poll sees it."""
        seen = [o for read in self.driver.reads() for o in await self.bus.read(self.driver, read)]
        return {o.channel: o.active for o in seen if isinstance(o, Observation)}

    async def open_channels(self) -> list[str]:
        seen = await self.states()
        return [channel for channel in CHANNELS if seen[channel]]

    async def tell(self, channel: str = "lock:3") -> Outcome:
        return await self.bus.execute(self.driver, Command("open", channel))

    def pulses(self) -> list[bytes]:
        """Frames on the wire that tell a lock to open."""
        return [frame for frame in self.sent if self.line.decode_request(frame).is_open]
