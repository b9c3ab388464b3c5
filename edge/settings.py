"""What an installer writes for one station: typed, strict, one TOML file. `settings_check` reads it.

Paths are relative to the process's working directory. Times are in milliseconds.
"""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from contract.ids import EdgeIdText, PointIdText
from device_drivers.site import BusKind

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
Port = Annotated[int, Meta(ge=1, le=65535)]
FilePath = Annotated[str, Meta(pattern=r"^[^\x00]+\Z", max_length=255)]

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOSTNAME = rf"(?=[^:]{{1,253}}(?::|\Z))(?:{_LABEL}\.)*(?![0-9]+(?::|\Z)){_LABEL}"
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"(?:{_BYTE}\.){{3}}{_BYTE}"
_GROUPS = r"[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4})"
_IPV6 = rf"{_GROUPS}{{7}}|(?=(?:[0-9A-Fa-f]*:){{2,7}}[0-9A-Fa-f]*\Z)(?:{_GROUPS}*)?::(?:{_GROUPS}*)?"

Host = Annotated[
    str,
    Meta(
        pattern=rf"^(?:{_IPV4}|{_IPV6}|{_HOSTNAME})\Z",
        description="host: a name that DNS can carry, or an address in numbers",
    ),
]
HostPort = Annotated[
    str,
    Meta(pattern=rf"^(?:{_IPV4}|{_HOSTNAME}):[0-9]{{1,5}}\Z", description="host:port, such as 192.0.2.31:80"),
]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class EdgeSettings(_Table, frozen=True, kw_only=True):
    """`[edge]`. `simulated`: every row of a point says so."""

    id: EdgeIdText
    data_dir: FilePath
    simulated: bool = False


class RulesSettings(_Table, frozen=True, kw_only=True):
    """`[rules]`: what the county asks of every station. Names with `*`, as in a shell.

    `supervised_doors`: door points that must be on a supervised input, one that knows a cut or bridged wire.
    `no_av`: rooms (a camera's point without its last part) in which no camera may be.
    """

    supervised_doors: tuple[str, ...] = ()
    no_av: tuple[str, ...] = ("*.lawyer*",)


class BrokerSettings(_Table, frozen=True, kw_only=True):
    """`[broker]`. The password stands in a file of its own, never here."""

    host: Host
    port: Port = 8883
    username: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    password_file: FilePath | None = None


class MediaSettings(_Table, frozen=True, kw_only=True):
    """`[media]`: where this edge serves its cameras. `token_file` holds the secret the centre shows."""

    listen: Host = "127.0.0.1"
    port: Port
    token_file: FilePath


class BusSettings(_Table, frozen=True, kw_only=True):
    """`[[bus]]`: one port. `host`, `port` for the TCP kinds; `device`, `baud` for the serial ones.

    `timeout_ms` left out: see `plan.timeout_ms`. `max_slice_ms`: a turn that
    would keep the line for longer is cut in several, where the driver can.
    """

    id: Name
    kind: BusKind
    host: Host | None = None
    port: Port = 502
    device: FilePath | None = None
    baud: Annotated[int, Meta(ge=1200, le=921_600)] = 9600
    timeout_ms: Annotated[int, Meta(ge=10, le=10_000)] | None = None
    quarantine_ms: Annotated[int, Meta(ge=0, le=10_000)] = 1000
    max_slice_ms: Annotated[int, Meta(ge=10, le=1_000)] = 100


class DeviceSettings(_Table, frozen=True, kw_only=True):
    """`[[device]]`: one unit on a bus. `profile` names a register map, for the Modbus drivers.

    `options` are the driver's own: see its README under `device_drivers/`. Secrets stand in files.
    """

    id: Name
    bus: Name
    driver: Name
    profile: Name | None = None
    unit: Annotated[int, Meta(ge=0, le=255)] = 1
    interval_ms: Annotated[int, Meta(ge=20, le=60_000)] = 100
    options: dict[str, bool | int | float | str | list[str]] = {}


class PointSettings(_Table, frozen=True, kw_only=True):
    """`[[point]]`: what one channel means. Active is open (door, lock), present (item), tripped (tamper)."""

    id: PointIdText
    type: Literal["door", "lock", "item", "tamper", "reader", "modem"]
    device: Name
    channel: Annotated[str, Meta(pattern=r"^[a-z]{2,8}(:[0-9A-Za-z_-]{1,64})?$")]
    inverted: bool = False


class CameraSettings(_Table, frozen=True, kw_only=True):
    """`[[camera]]`: `point` reports the picture (`ok`, `covered`, `dark`, `lost`).

    Either `url`, or `onvif`: host and port at which the camera itself is asked for its stream.
    """

    point: PointIdText
    url: Annotated[str, Meta(pattern=r"^rtsps?://\S+$", max_length=512)] | None = None
    onvif: HostPort | None = None
    user: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    password_file: FilePath | None = None


class Settings(_Table, frozen=True, kw_only=True):
    """The whole file."""

    edge: EdgeSettings
    broker: BrokerSettings
    rules: RulesSettings = RulesSettings()
    media: MediaSettings | None = None
    bus: tuple[BusSettings, ...] = ()
    device: tuple[DeviceSettings, ...] = ()
    point: tuple[PointSettings, ...] = ()
    camera: tuple[CameraSettings, ...] = ()

    @property
    def data_dir(self) -> Path:
        return Path(self.edge.data_dir)
