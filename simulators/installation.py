"""All that a scenario describes, running: devices on their cables, cameras, the day that plays by itself."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from heapq import heapify, heappop
from pathlib import Path

from simulators.cable import Cable
from simulators.camera_server import CameraServer
from simulators.day import Day
from simulators.errors import BadValue, UnknownDevice
from simulators.faults import Fault, FaultLayer
from simulators.frame_log import WireFrame
from simulators.line import Line
from simulators.makes import RESPONDERS, Wiring
from simulators.moves import planned as planned_move
from simulators.plant import ACTIVE_VALUE, Change, Plant, point_kind
from simulators.pty_line import PtyLine
from simulators.scenario import CableSettings, DeviceSettings, Move, Scenario
from simulators.scene import SceneState
from simulators.sealing import SEALINGS
from simulators.sms_modem import SmsModemLine
from simulators.tcp_end import TcpEnd

CAMERAS = "cameras"
"""The id of all cameras together: they share one RTSP server."""
NAP_MAX_S = 1.0
"""The day's clock is looked at no more rarely than this."""
LOOPBACK = "127.0.0.1"


class Installation:
    """The simulated county. `record` gets every change as it happens."""

    def __init__(self, scenario: Scenario, record: Callable[[Change], None]) -> None:
        self.scenario = scenario
        self.plant = Plant(scenario.points(), record)
        self._day = Day(scenario)
        self._started_mono = time.monotonic()
        self._lines: dict[str, Line] = {cable.id: self._line(cable) for cable in scenario.cable}
        if scenario.camera_settings():
            self._lines[CAMERAS] = CameraServer(scenario, self._scene)
        self._online = dict.fromkeys(self._lines, True)
        self._planned_faults = [(fault.at_s, n) for n, fault in enumerate(scenario.fault)]
        heapify(self._planned_faults)
        self._healings: list[tuple[float, str, int]] = []
        self._moving: list[asyncio.TimerHandle] = []
        self._started = AsyncExitStack()

    async def start(self) -> None:
        """Start every line. Raises PortBusy, with what had started stopped again."""
        async with AsyncExitStack() as started:
            for line in self._lines.values():
                await line.start()
                started.push_async_callback(line.stop)
            self._started = started.pop_all()

    async def stop(self) -> None:
        for handle in self._moving:
            handle.cancel()
        await self._started.aclose()

    async def play(self) -> None:
        """The day, from its beginning; ends only by being cancelled."""
        self._started_mono = time.monotonic()
        while True:
            for planned in self._day.due(self._now_s()):
                self._change(planned.point, planned.value)
            await self._play_faults()
            wait_s = (self._next_s() - self._now_s()) / self.scenario.speed
            await asyncio.sleep(min(max(wait_s, 0.0), NAP_MAX_S))

    def set_by_hand(self, point: str, value: str) -> Change | None:
        """Give a point a value, as a technician does. Raises UnknownPoint, BadValue."""
        change = self._change(point, value)
        self._day.touched(point, value, self._now_s())
        return change

    def move_by_hand(self, move: Move) -> None:
        """Let contacts move faster than any poll, beginning now. Raises UnknownPoint."""
        for point in move.points:
            self.plant.value(point)
            if point_kind(point) not in ACTIVE_VALUE:
                raise BadValue(f"{point}: no contact, so it cannot move like one")
        loop = asyncio.get_running_loop()
        self._moving = [handle for handle in self._moving if handle.when() > loop.time()]
        self._moving += [
            loop.call_later(planned.at_s, self._change, planned.point, planned.value)
            for planned in planned_move(move, self.scenario.seed)
        ]

    def online(self) -> dict[str, bool]:
        """Every line and whether it is plugged in."""
        return dict(self._online)

    def line(self, name: str) -> Line:
        """A line by its id. Raises UnknownDevice."""
        if name not in self._lines:
            raise UnknownDevice(f"{name}: no such cable; there are {', '.join(self._lines)}")
        return self._lines[name]

    def device(self, name: str) -> DeviceSettings:
        """Raises UnknownDevice."""
        for device in self.scenario.device:
            if device.id == name:
                return device
        known = ", ".join(device.id for device in self.scenario.device)
        raise UnknownDevice(f"{name}: no such device; there are {known}")

    async def set_online(self, name: str, *, online: bool) -> None:
        """Unplug a line or plug it in. Raises UnknownDevice, PortBusy."""
        await self.line(name).set_online(online=online)
        self._online[name] = online

    async def act(self, name: str, act: str) -> None:
        """What a hand can do at a device. Raises UnknownDevice, UnknownAct."""
        device = self.device(name)
        await self.line(device.cable).act(device.unit, act)

    async def inject(self, name: str, fault: Fault) -> int:
        """Its number on that cable. Raises UnknownDevice, BadValue."""
        return await self.cable(name).inject(fault)

    def cables(self) -> dict[str, Cable]:
        """The lines that faults can strike."""
        return {name: line for name, line in self._lines.items() if isinstance(line, Cable)}

    def cable(self, name: str) -> Cable:
        """Raises UnknownDevice, and BadValue for a line of another kind."""
        line = self.line(name)
        if not isinstance(line, Cable):
            raise BadValue(f"{name}: no fault can strike its frames; unplug it, or use its device's acts")
        return line

    def frames(self, name: str, after: int) -> list[WireFrame]:
        """The newest frames of a line. Raises UnknownDevice."""
        return self.line(name).frames(after)

    def snapshot(self, room: str) -> bytes:
        """A JPEG of what the camera of a room sees now. Raises UnknownDevice."""
        cameras = self.line(CAMERAS)
        assert isinstance(cameras, CameraServer)
        return cameras.snapshot(room)

    def log(self, name: str) -> list[str]:
        """What a device keeps for people to read: the messages that a modem took. Raises UnknownDevice."""
        line = self.line(self.device(name).cable)
        responder = line.responder if isinstance(line, Cable) else None
        messages = responder.messages if isinstance(responder, SmsModemLine) else ()
        return [f"{message.to}: {message.text}" for message in messages]

    def _line(self, cable: CableSettings) -> Line:
        devices = [device for device in self.scenario.device if device.cable == cable.id]
        if cable.speaks == "osdp":
            from simulators.osdp_device import OsdpDevice  # noqa: PLC0415 - only who has one pays for it

            keys = {device.unit: bytes.fromhex(device.key) for device in devices}
            return OsdpDevice(Path(cable.pty), keys, self.scenario.seed, cable.baud)
        if cable.speaks == "onvif":
            return self._network_camera(cable, devices[0])
        units = {
            device.unit: Wiring(device.make, device.wires, device.locks(), device.items())
            for device in devices
        }
        responder = RESPONDERS[cable.speaks](units, self.plant, self._unlock)
        end = PtyLine(Path(cable.pty)) if cable.pty else TcpEnd(LOOPBACK, cable.tcp or 0)
        faults = FaultLayer(self.scenario.seed, SEALINGS.get(cable.speaks), is_network=end.is_network)
        return Cable(end, responder, faults, cable.baud)

    def _network_camera(self, cable: CableSettings, device: DeviceSettings) -> Line:
        from simulators.onvif_device import OnvifDevice  # noqa: PLC0415 - only who has one pays for it
        from simulators.onvif_line import OnvifLine  # noqa: PLC0415 - as above

        cameras = self.scenario.cameras
        stream = f"rtsp://{cameras.host}:{cameras.port}/{device.room}"
        camera = OnvifDevice(
            stream, user=device.user, password=device.password, port=cable.tcp or 0, unit=device.unit
        )
        return OnvifLine(camera, device.unit, device.id)

    async def _play_faults(self) -> None:
        now_s = self._now_s()
        while self._planned_faults and self._planned_faults[0][0] <= now_s:
            planned = self.scenario.fault[heappop(self._planned_faults)[1]]
            number = await self.inject(planned.cable, planned.fault)
            if planned.until_s:
                self._healings.append((planned.until_s, planned.cable, number))
        for healing in [entry for entry in self._healings if entry[0] <= now_s]:
            self._healings.remove(healing)
            await self.cable(healing[1]).heal(healing[2])

    def _next_s(self) -> float:
        striking = [at_s for at_s, _ in self._planned_faults[:1]]
        return min([self._day.next_s, *striking, *(at_s for at_s, _, _ in self._healings)])

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
