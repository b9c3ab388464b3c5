"""A scenario, typed: which devices exist, what is wired to them, what happens by itself."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from simulators.scene import CameraSettings

_Port = Annotated[int, Meta(ge=0, le=65535)]
_Seconds = Annotated[float, Meta(ge=0, le=86_400)]
_Gap = Annotated[float, Meta(ge=0.5, le=86_400)]
_Span = tuple[_Seconds, _Seconds]
"""Shortest and longest, in seconds."""
_DeviceId = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
_PointText = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]*\.(door|lock|item|picture)$", max_length=64)]
_ScopeText = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=48)]


class Name(Struct, frozen=True, forbid_unknown_fields=True):
    zh: str
    en: str


class Control(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the control page listens: a loopback address, since it asks nobody who he is."""

    host: str = "127.0.0.1"
    port: _Port = 18470


class ModuleSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """An input module. kind `tcp` listens at host:port, kind `rtu` is alone on a pty at `path`.

    `inputs`: input number (text, from 0) to the point wired to it.
    """

    id: _DeviceId
    map: Literal["adam-6050", "moxa-e1210", "moxa-r1210"]
    kind: Literal["tcp", "rtu"]
    inputs: dict[str, _PointText]
    host: str = "127.0.0.1"
    port: _Port = 0
    path: str = ""
    unit: Annotated[int, Meta(ge=1, le=255)] = 1

    def wiring(self) -> dict[int, str]:
        """Input number to point."""
        return {int(number): point for number, point in self.inputs.items()}


class LockLineSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A cabinet's line at pty `path`: board `board` drives the locks, board `item_board` sees the items."""

    id: _DeviceId
    path: str
    cabinet: _ScopeText
    slots: Annotated[int, Meta(ge=1, le=24)] = 12
    board: Annotated[int, Meta(ge=1, le=32)] = 1
    item_board: Annotated[int, Meta(ge=1, le=32)] = 2

    def locks(self) -> list[str]:
        return [f"{self.cabinet}.s{slot:02}.lock" for slot in range(1, self.slots + 1)]

    def items(self) -> list[str]:
        return [f"{self.cabinet}.s{slot:02}.item" for slot in range(1, self.slots + 1)]


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


class Act(Struct, frozen=True, forbid_unknown_fields=True):
    """At scenario second `at_s` the point takes the value."""

    at_s: _Seconds
    point: _PointText
    value: str


class Scenario(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything one `casewatch sim run` plays. `speed` 2 plays the day twice as fast.

    `record`: the JSON-lines file of every change, begun anew by each run; empty: none. Relative paths
    resolve against the working directory.
    """

    seed: int = 1
    speed: Annotated[float, Meta(gt=0, le=1000)] = 1.0
    record: str = "simulators.jsonl"
    control: Control = field(default_factory=Control)
    cameras: Cameras = field(default_factory=Cameras)
    activity: ActivitySettings | None = None
    station: list[Station] = field(default_factory=list)
    module: list[ModuleSettings] = field(default_factory=list)
    lock_line: list[LockLineSettings] = field(default_factory=list)
    act: list[Act] = field(default_factory=list)

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
        wired = [point for module in self.module for point in module.inputs.values()]
        wired += [point for line in self.lock_line for point in line.locks() + line.items()]
        return wired + [f"{camera.id}.picture" for camera in self.camera_settings()]
