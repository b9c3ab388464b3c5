"""The centre's settings: central.toml, and the two files it names, stations.toml and rules.toml.

What exists is the centre's own knowledge, never an edge's: a door no station here has is refused.
"""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct, field

from central.toml_file import Fault, KeyPath, TomlFile
from contract.certificates import CENTRAL_NAME
from contract.ids import EdgeIdText, PointIdText

Text = Annotated[str, Meta(min_length=1, max_length=256)]
Port = Annotated[int, Meta(ge=1, le=65_535)]


class RoomKind(StrEnum):
    """Functional rooms of a case-handling area (办案区功能室)."""

    SAFETY_CHECK = "safety_check"
    INFO_COLLECTION = "info_collection"
    WAITING_ROOM = "waiting_room"
    INTERROGATION_ROOM = "interrogation_room"
    INQUIRY_ROOM = "inquiry_room"
    JUVENILE_ROOM = "juvenile_room"
    LINEUP_ROOM = "lineup_room"
    SOBERING_ROOM = "sobering_room"
    RECEPTION_ROOM = "reception_room"
    LAWYER_ROOM = "lawyer_room"
    """Never a camera: a meeting with a lawyer is not watched."""


class _Table(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class Name(_Table, frozen=True):
    """What people read. Chinese first, English complete."""

    zh: Annotated[str, Meta(min_length=1, max_length=64)]
    en: Annotated[str, Meta(min_length=1, max_length=64)]


class RoomSettings(_Table, frozen=True):
    """A room: its doors, and the point of its camera where it has one."""

    id: PointIdText
    kind: RoomKind
    name: Name
    doors: Annotated[tuple[PointIdText, ...], Meta(min_length=1, max_length=16)]
    camera: PointIdText | None = None


class CabinetSettings(_Table, frozen=True):
    """A dossier cabinet; slot n has the points `{id}.sNN.lock` and, with `items`, `{id}.sNN.item`."""

    id: PointIdText
    name: Name
    slots: Annotated[int, Meta(ge=1, le=99)]
    items: bool = True
    """False: it has locks only, no sensor tells whether a dossier is in its slot."""


class StationSettings(_Table, frozen=True):
    """A police station, the edge that speaks for it, and its rooms and cabinets in board order."""

    id: EdgeIdText
    edge: EdgeIdText
    name: Name
    media_url: Annotated[str, Meta(pattern=r"^wss?://[^/\s]+\Z")] | None = None
    media_token_file: Text | None = None
    """One line: what this station's media server asks for, so that no other station's opens it."""
    rooms: tuple[RoomSettings, ...] = field(name="room", default=())
    cabinets: tuple[CabinetSettings, ...] = field(name="cabinet", default=())


class Rules(_Table, frozen=True):
    """Times of the patrol (视频巡查), all in seconds."""

    lapse_after_s: Annotated[int, Meta(ge=10, le=86_400)] = 600
    """Unclaimed so long after it was raised, an alert is 漏巡."""
    door_off_delay_s: Annotated[int, Meta(ge=0, le=600)] = 5
    session_idle_s: Annotated[int, Meta(ge=5, le=86_400)] = 2_700
    """All doors closed and nothing moved for so long: the room's session has ended."""
    session_max_s: Annotated[int, Meta(ge=60, le=604_800)] = 86_400
    min_view_s: Annotated[int, Meta(ge=0, le=3_600)] = 20
    """A review after less picture than this needs a reason."""
    decoded_min_s: Annotated[int, Meta(ge=0, le=60)] = 2


class WebSettings(_Table, frozen=True):
    host: Text = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8460
    """0: any free port, told by the `central_ready` line."""
    tls_cert: Text | None = None
    """PEM; left out: `trust/server.pem` of the county's own authority."""
    tls_key: Text | None = None


class StoreSettings(_Table, frozen=True):
    url: Annotated[str, Meta(pattern=r"^(sqlite:///|postgresql\+psycopg://).+")]


class BrokerSettings(_Table, frozen=True):
    host: Text = "127.0.0.1"
    port: Port = 8883
    username: Text | None = None
    password_file: Text | None = None


class MediaSettings(_Table, frozen=True):
    token_file: Text
    """One line: what the centre shows to the media server of a station that has no file of its own."""


class _Places(_Table, frozen=True):
    data_dir: Text = "central"
    stations: Text = "stations.toml"
    rules: Text = "rules.toml"


class _CentralFile(_Table, frozen=True):
    store: StoreSettings
    web: WebSettings = WebSettings()
    broker: BrokerSettings = BrokerSettings()
    central: _Places = _Places()
    media: MediaSettings | None = None


class _StationsFile(_Table, frozen=True):
    stations: Annotated[tuple[StationSettings, ...], Meta(min_length=1, max_length=512)] = field(
        name="station"
    )


class CentralSettings(Struct, frozen=True, kw_only=True):
    """Everything a centre needs to start, from all three files."""

    web: WebSettings
    store: StoreSettings
    broker: BrokerSettings
    media: MediaSettings | None
    data_dir: Path
    stations: tuple[StationSettings, ...]
    rules: Rules


class SettingsFault(Exception):
    """Settings that cannot be used; `faults` has every fault of every file."""

    code = "settings.fault"

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


def load(path: Path) -> CentralSettings:
    """Settings from central.toml and the files it names. Raises SettingsFault with all faults at once."""
    main_file = TomlFile(path)
    main = main_file.decode(_CentralFile)
    places = main.central if main else _places(main_file)
    if main and (main.web.tls_cert is None) != (main.web.tls_key is None):
        main_file.fault(("web",), "tls_cert and tls_key go together", "name both or none")
    stations_file = TomlFile(path.parent / places.stations)
    stations = stations_file.decode(_StationsFile)
    if stations:
        for key_path, text, hint in _station_faults(stations.stations):
            stations_file.fault(key_path, text, hint)
    rules_file = TomlFile(path.parent / places.rules)
    rules = rules_file.decode(Rules)
    faults = main_file.faults + stations_file.faults + rules_file.faults
    if faults or main is None or stations is None or rules is None:
        raise SettingsFault(faults)
    return CentralSettings(
        web=main.web,
        store=main.store,
        broker=main.broker,
        media=main.media,
        data_dir=Path(places.data_dir),
        stations=stations.stations,
        rules=rules,
    )


def read_secret(file: str, path: str) -> str:
    """The one line of a secret's file; `path` is the setting that names it. Raises SettingsFault."""
    try:
        line = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsFault([Fault(file, 0, path, f"cannot be read: {error}")]) from error
    if not line:
        raise SettingsFault([Fault(file, 0, path, "is empty")])
    return line


def secret_files(settings: CentralSettings) -> list[Path]:
    """Every file of a secret that the settings name."""
    named = [settings.broker.password_file, settings.media.token_file if settings.media else None]
    named += [station.media_token_file for station in settings.stations]
    return [Path(name) for name in dict.fromkeys(named) if name]


def media_tokens(settings: CentralSettings) -> dict[str, str]:
    """What each station's media server asks for, by the station's id. Raises SettingsFault."""
    tokens = {}
    for at, station in enumerate(settings.stations):
        if station.media_token_file is not None:
            own = f"station[{at}].media_token_file"
            tokens[station.id] = read_secret(station.media_token_file, own)
        elif settings.media is not None:
            tokens[station.id] = read_secret(settings.media.token_file, "media.token_file")
    return tokens


def _places(file: TomlFile) -> _Places:
    """Where the other two files lie although central.toml has faults, so that theirs are listed too."""
    try:
        return msgspec.convert(file.table.get("central", {}), _Places)
    except msgspec.ValidationError:
        return _Places()


def _station_faults(stations: tuple[StationSettings, ...]) -> Iterator[tuple[KeyPath, str, str]]:
    """Faults between values that are each sound on their own: path, text, hint."""
    taken: dict[str, str] = {}
    for at, station in enumerate(stations):
        here: KeyPath = ("station", at)
        yield from _twice(taken, "station", station.id, (*here, "id"))
        yield from _twice(taken, "edge", station.edge, (*here, "edge"))
        if station.edge == CENTRAL_NAME:
            yield (*here, "edge"), f"{CENTRAL_NAME} is the centre's own name", "any other"
        for n, room in enumerate(station.rooms):
            yield from _room_faults(station, room, (*here, "room", n), taken)
        for n, cabinet in enumerate(station.cabinets):
            there = (*here, "cabinet", n, "id")
            yield from _of_station(station, cabinet.id, there)
            yield from _twice(taken, "id", cabinet.id, there)


def _room_faults(
    station: StationSettings, room: RoomSettings, here: KeyPath, taken: dict[str, str]
) -> Iterator[tuple[KeyPath, str, str]]:
    yield from _of_station(station, room.id, (*here, "id"))
    yield from _twice(taken, "id", room.id, (*here, "id"))
    for door in room.doors:
        yield from _of_station(station, door, (*here, "doors"))
        yield from _twice(taken, "point", door, (*here, "doors"))
    if room.camera is None:
        return
    yield from _of_station(station, room.camera, (*here, "camera"))
    yield from _twice(taken, "point", room.camera, (*here, "camera"))
    if room.kind is RoomKind.LAWYER_ROOM:
        yield (*here, "camera"), "a lawyer meeting room has no camera", "remove this line"


def _of_station(station: StationSettings, name: str, path: KeyPath) -> Iterator[tuple[KeyPath, str, str]]:
    if not name.startswith(f"{station.id}."):
        yield path, f"{name} does not belong to station {station.id}", f"begins with {station.id}."


def _twice(taken: dict[str, str], kind: str, name: str, path: KeyPath) -> Iterator[tuple[KeyPath, str, str]]:
    key = f"{kind} {name}"
    if key in taken:
        yield path, f"{key} is used twice", f"first in {taken[key]}"
    taken.setdefault(key, ".".join(map(str, path)))
