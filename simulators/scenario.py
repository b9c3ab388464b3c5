"""A scenario, typed: which devices exist, what is wired to them, what happens by itself."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from simulators.faults import Fault, FaultKind
from simulators.makes import Protocol
from simulators.scene import CameraSettings

_Port = Annotated[int, Meta(ge=0, le=65535)]
_Seconds = Annotated[float, Meta(ge=0, le=86_400)]
_Gap = Annotated[float, Meta(ge=0.5, le=86_400)]
_Span = tuple[_Seconds, _Seconds]
"""Shortest and longest, in seconds."""
_DeviceId = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
_PointText = Annotated[
    str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]*\.(door|lock|item|picture|tamper|wire)$", max_length=64)
]
_ScopeText = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=48)]


How = Literal["bounce", "chatter", "pulses"]


class Name(Struct, frozen=True, forbid_unknown_fields=True):
    zh: str
    en: str


class Control(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the control page listens: a loopback address, since it asks nobody who he is."""

    host: str = "127.0.0.1"
    port: _Port = 18470


class CableSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A cable that `speaks` one protocol: at a `pty`, or at a `tcp` port of loopback.

    `baud`: take the time that this speed would take, and garble what a driver at another speed is told.
    """

    id: _DeviceId
    speaks: Protocol
    pty: str = ""
    tcp: Annotated[int, Meta(ge=0, le=65535)] | None = None
    baud: Annotated[int, Meta(ge=0, le=921_600)] = 0


class DeviceSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A unit on a cable. `wires`: what is wired to it, by input number (modules) or EPC (tag readers).

    A lock board has a `cabinet` of so many `slots`; `holds` says which of its contacts are wired.
    `key`: the secure channel key of a card reader, 32 hex digits. A network camera shows a `room`, and lets
    `user` in with `password`: invented ones.
    """

    id: _DeviceId
    cable: _DeviceId
    make: str
    unit: Annotated[int, Meta(ge=0, le=255)] = 1
    wires: dict[str, _PointText] = {}
    cabinet: _ScopeText = ""
    slots: Annotated[int, Meta(ge=1, le=48)] = 12
    holds: Literal["both", "locks", "items"] = "both"
    key: Annotated[str, Meta(pattern=r"^([0-9a-fA-F]{32})?$")] = ""
    room: _ScopeText | Literal[""] = ""
    user: str = ""
    password: str = ""

    def locks(self) -> list[str]:
        return self._slots("lock") if self.cabinet and self.holds != "items" else []

    def items(self) -> list[str]:
        return self._slots("item") if self.cabinet and self.holds != "locks" else []

    def _slots(self, kind: str) -> list[str]:
        return [f"{self.cabinet}.s{slot:02}.{kind}" for slot in range(1, self.slots + 1)]


class Room(Struct, frozen=True, forbid_unknown_fields=True):
    """`use`: how often the activity picks this room, against the others of its station; 0 never."""

    id: _ScopeText
    name: Name
    camera: bool = True
    use: Annotated[int, Meta(ge=0, le=100)] = 1


class Station(Struct, frozen=True, forbid_unknown_fields=True):
    id: _ScopeText
    name: Name
    room: list[Room] = field(default_factory=list)


class Cameras(Struct, frozen=True, forbid_unknown_fields=True):
    """The RTSP server of every room that has a camera. Sizes in pixels, `fps` pictures a second."""

    host: str = "127.0.0.1"
    port: _Port = 18554
    width: Annotated[int, Meta(ge=160, le=1920)] = 640
    height: Annotated[int, Meta(ge=90, le=1080)] = 360
    fps: Annotated[int, Meta(ge=1, le=25)] = 5


class ActivitySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A working day. One door moves every `gap_s`, over all stations; it stays open for `open_s`.

    A room comes into use when its door opens; a later opening ends that with chance `leave_chance`, else
    somebody only came or went. No more than `rooms_max` rooms are in use at once.
    """

    first_s: _Seconds = 6.0
    gap_s: tuple[_Gap, _Gap] = (20.0, 40.0)
    open_s: _Span = (2.0, 4.0)
    leave_chance: Annotated[float, Meta(ge=0, le=1)] = 0.5
    rooms_max: Annotated[int, Meta(ge=1)] = 6


class PlannedFault(Struct, frozen=True, forbid_unknown_fields=True):
    """At scenario second `at_s` a fault strikes a cable; it is healed at `until_s`, 0: never."""

    at_s: _Seconds
    cable: _DeviceId
    kind: FaultKind
    unit: int | None = None
    p: Annotated[float, Meta(gt=0, le=1)] = 1.0
    every: Annotated[int, Meta(ge=0, le=10_000)] = 0
    count: Annotated[int, Meta(ge=0, le=10_000)] = 0
    ms: Annotated[float, Meta(ge=0, le=60_000)] = 600.0
    code: Annotated[int, Meta(ge=1, le=11)] = 4
    until_s: _Seconds = 0.0

    @property
    def fault(self) -> Fault:
        return Fault(self.kind, self.unit, self.p, self.every, self.count, self.ms, self.code)


class Move(Struct, frozen=True, forbid_unknown_fields=True):
    """At scenario second `at_s` a contact begins to move as `how` says: see moves.py."""

    at_s: _Seconds
    points: list[_PointText]
    how: How
    times: Annotated[int, Meta(ge=1, le=10_000)] = 5
    ms: Annotated[float, Meta(gt=0, le=60_000)] = 100.0


class Act(Struct, frozen=True, forbid_unknown_fields=True):
    """At scenario second `at_s` the point takes the value."""

    at_s: _Seconds
    point: _PointText
    value: str


class Scenario(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything one `casewatch sim run` plays. `speed` 2 plays the day twice as fast.

    `title`: what it is about, in a line. `site`: a file with everything that this one does not say itself.
    `point`: points that no device's wires name, such as a supervised contact's wire.
    `record`: the JSON-lines file of every change, begun anew by each run; empty: none. Relative paths
    resolve against the working directory.
    """

    title: str = ""
    site: str = ""
    seed: int = 1
    speed: Annotated[float, Meta(gt=0, le=1000)] = 1.0
    record: str = "simulators.jsonl"
    control: Control = field(default_factory=Control)
    cameras: Cameras = field(default_factory=Cameras)
    activity: ActivitySettings | None = None
    station: list[Station] = field(default_factory=list)
    cable: list[CableSettings] = field(default_factory=list)
    device: list[DeviceSettings] = field(default_factory=list)
    point: list[_PointText] = field(default_factory=list)
    act: list[Act] = field(default_factory=list)
    move: list[Move] = field(default_factory=list)
    fault: list[PlannedFault] = field(default_factory=list)

    def camera_settings(self) -> list[CameraSettings]:
        size = (self.cameras.width, self.cameras.height, self.cameras.fps)
        return [
            CameraSettings(room.id, room.name.zh, station.name.zh, *size)
            for station in self.station
            for room in station.room
            if room.camera
        ]

    def points(self) -> list[str]:
        """Every point that something is wired to, in the order of the file."""
        wired = [point for device in self.device for point in device.wires.values()]
        wired += [point for device in self.device for point in device.locks() + device.items()]
        wired += self.point
        return wired + [f"{camera.id}.picture" for camera in self.camera_settings()]
