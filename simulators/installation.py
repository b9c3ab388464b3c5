"""All that a scenario describes, running: devices on their cables, cameras, the day that plays by itself."""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Protocol

from simulators.day import Day
from simulators.errors import PortBusy, UnknownDevice
from simulators.input_module import InputModule
from simulators.lock_board import LockBoard, LockLine
from simulators.modbus_module import RtuModule, TcpModule
from simulators.module_map import MODULE_MAPS
from simulators.plant import Change, Plant
from simulators.scenario import LockLineSettings, ModuleSettings, Scenario
from simulators.scene import SceneState

CAMERAS = "cameras"
"""The device id of all cameras together: they share one RTSP server."""
NAP_MAX_S = 1.0
"""The day's clock is looked at no more rarely than this."""


class Device(Protocol):
    """Something at the far end of a cable, that can lose its power."""

    @property
    def address(self) -> str: ...
    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def set_online(self, *, online: bool) -> None: ...


class Installation:
    """The simulated county. `record` gets every change as it happens."""

    def __init__(self, scenario: Scenario, record: Callable[[Change], None]) -> None:
        self.scenario = scenario
        self.plant = Plant(scenario.points(), record)
        self._day = Day(scenario)
        self._started_mono = time.monotonic()
        self._modules = {
            settings.id: InputModule(MODULE_MAPS[settings.map], settings.wiring(), self.plant)
            for settings in scenario.module
        }
        self._devices: dict[str, Device] = {}
        for module in scenario.module:
            self._devices[module.id] = self._module(module)
        for line in scenario.lock_line:
            self._devices[line.id] = self._lock_line(line)
        if scenario.camera_settings():
            self._devices[CAMERAS] = _CameraServer(scenario, self._scene)
        self._online = dict.fromkeys(self._devices, True)
        self._started = AsyncExitStack()

    async def start(self) -> None:
        """Start every device. Raises PortBusy, with what had started stopped again."""
        async with AsyncExitStack() as started:
            for device in self._devices.values():
                await device.start()
                started.push_async_callback(device.stop)
            self._started = started.pop_all()

    async def stop(self) -> None:
        await self._started.aclose()

    async def play(self) -> None:
        """The day, from its beginning; ends only by being cancelled."""
        self._started_mono = time.monotonic()
        while True:
            for planned in self._day.due(self._now_s()):
                self._change(planned.point, planned.value)
            wait_s = (self._day.next_s - self._now_s()) / self.scenario.speed
            await asyncio.sleep(min(max(wait_s, 0.0), NAP_MAX_S))

    def set_by_hand(self, point: str, value: str) -> Change | None:
        """Give a point a value, as a technician does. Raises UnknownPoint, BadValue."""
        change = self._change(point, value)
        self._day.touched(point, value, self._now_s())
        return change

    def online(self) -> dict[str, bool]:
        """Every device and whether it answers."""
        return dict(self._online)

    def address(self, device: str) -> str:
        """Where a client finds the device: host:port as really taken, or the path of its pty."""
        return self._devices[device].address

    async def set_online(self, device: str, *, online: bool, restart: bool = False) -> None:
        """Take a device off its cable or bring it back; `restart`: its counters are lost.

        Raises UnknownDevice, PortBusy.
        """
        if device not in self._devices:
            raise UnknownDevice(f"{device}: no such device; there are {', '.join(self._devices)}")
        if restart and device in self._modules:
            self._modules[device].restart()
        await self._devices[device].set_online(online=online)
        self._online[device] = online

    def _module(self, settings: ModuleSettings) -> Device:
        module = self._modules[settings.id]
        if settings.kind == "tcp":
            return TcpModule(module, settings.host, settings.port, settings.unit)
        return RtuModule(module, Path(settings.path), settings.unit)

    def _lock_line(self, settings: LockLineSettings) -> Device:
        boards = {
            settings.board: LockBoard(settings.locks(), self.plant, "closed", self._unlock),
            settings.item_board: LockBoard(settings.items(), self.plant, "present", _no_lock),
        }
        return LockLine(boards, Path(settings.path))

    def _unlock(self, point: str) -> None:
        self._change(point, "open")

    def _change(self, point: str, value: str) -> Change | None:
        return self.plant.change(point, value, time.time_ns() // 1_000_000, time.monotonic_ns())

    def _scene(self, room: str) -> SceneState:
        picture = self.plant.value(f"{room}.picture")
        is_in_use = self._day.is_in_use(room, self._now_s())
        return SceneState(
            in_use=is_in_use,
            covered=picture == "covered",
            dark=picture == "dark",
            door_open=f"{room}.door" in self.plant.points and self.plant.value(f"{room}.door") == "open",
        )

    def _now_s(self) -> float:
        return (time.monotonic() - self._started_mono) * self.scenario.speed


class _CameraServer:
    """All cameras, as one device."""

    def __init__(self, scenario: Scenario, scene_of: Callable[[str], SceneState]) -> None:
        from simulators.camera.farm import CameraFarm  # noqa: PLC0415 - codecs cost memory; benches have none

        self._address = (scenario.cameras.host, scenario.cameras.port)
        self._farm = CameraFarm(*self._address, scenario.camera_settings(), scene_of)
        self._is_up = False

    @property
    def address(self) -> str:
        return "{}:{}".format(*self._address)

    async def start(self) -> None:
        """Listen. Raises PortBusy."""
        try:
            await self._farm.start()
        except OSError as fault:
            host, port = self._address
            raise PortBusy(f"port {host}:{port} cannot be used: {os.strerror(fault.errno or 0)}") from fault
        self._address = (self._address[0], self._farm.port)
        self._is_up = True

    async def stop(self) -> None:
        if self._is_up:
            self._is_up = False
            await self._farm.stop()

    async def set_online(self, *, online: bool) -> None:
        if not online:
            await self.stop()
        elif not self._is_up:
            await self.start()


def _no_lock(point: str) -> None:
    """A board with sensors on its inputs has nothing to open."""
    del point
