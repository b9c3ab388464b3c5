"""Central settings: every fault of every file at once, each with its line."""

from pathlib import Path

import pytest

from central.settings import RoomKind, Rules, SettingsFault, load, media_tokens

CONFIG = Path(__file__).parents[3] / "config"

CENTRAL = """
[store]
url = "sqlite:///central/casewatch.db"
"""
STATIONS = """
[[station]]
id = "liuxu"
edge = "liuxu"
name = { zh = "柳圩派出所", en = "Liuxu Station" }

[[station.room]]
id = "liuxu.int1"
kind = "interrogation_room"
name = { zh = "讯问室一", en = "Interrogation 1" }
doors = ["liuxu.int1.door"]
camera = "liuxu.int1.picture"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path)
    return tmp_path


def write(folder: Path, central: str = CENTRAL, stations: str = STATIONS, rules: str = "") -> None:
    (folder / "central.toml").write_text(central)
    (folder / "stations.toml").write_text(stations)
    (folder / "rules.toml").write_text(rules)


def faults_of(folder: Path) -> list[str]:
    with pytest.raises(SettingsFault) as raised:
        load(folder / "central.toml")
    return [str(fault).removeprefix(f"{folder}/") for fault in raised.value.faults]


def test_what_is_left_out_has_its_default(folder: Path) -> None:
    settings = load(folder / "central.toml")
    assert settings.rules == Rules()
    assert (settings.web.host, settings.web.port) == ("127.0.0.1", 8460)
    assert settings.stations[0].rooms[0].kind is RoomKind.INTERROGATION_ROOM


@pytest.mark.parametrize("name", ["central.example.toml", "demo/central.toml"])
def test_the_shipped_files_are_sound(name: str) -> None:
    settings = load(CONFIG / name)
    rooms = {room.id: room for station in settings.stations for room in station.rooms}
    assert len(rooms) == 18
    assert rooms["chengdong.lawyer"].camera is None
    assert [cabinet.slots for station in settings.stations for cabinet in station.cabinets] == [12]


def test_the_shipped_rules_are_the_defaults_written_out() -> None:
    assert load(CONFIG / "central.example.toml").rules == Rules()


def test_faults_of_all_three_files_are_listed_at_once_with_their_lines(folder: Path) -> None:
    central = '[web]\nport = 99999\nhots = "x"\n\n[store]\nurl = "mysql://x"\n'
    stations = STATIONS.replace('edge = "liuxu"', "edge = 3").replace("interrogation_room", "cellar")
    write(folder, central, stations, "lapse_after_s = true\n")
    assert sorted(fault.split(": ")[:2] for fault in faults_of(folder)) == [
        ["central.toml:2", "web.port"],
        ["central.toml:3", "web.hots"],
        ["central.toml:6", "store.url"],
        ["rules.toml:1", "lapse_after_s"],
        ["stations.toml:4", "station[0].edge"],
        ["stations.toml:9", "station[0].room[0].kind"],
    ]


def test_an_unknown_key_names_the_nearest_known_one(folder: Path) -> None:
    write(folder, CENTRAL + "[broker]\nprot = 1\n")
    assert faults_of(folder) == ["central.toml:5: broker.prot: unknown key (did you mean port?)"]


def test_a_lawyer_room_with_a_camera_is_refused(folder: Path) -> None:
    write(folder, stations=STATIONS.replace("interrogation_room", "lawyer_room"))
    assert faults_of(folder) == [
        "stations.toml:12: station[0].room[0].camera: a lawyer meeting room has no camera (remove this line)"
    ]


def test_one_door_in_two_rooms_and_a_door_of_another_station_are_refused(folder: Path) -> None:
    second = """
[[station.room]]
id = "liuxu.inq1"
kind = "inquiry_room"
name = { zh = "询问室", en = "Inquiry room" }
doors = ["liuxu.int1.door", "linhu.inq1.door"]
"""
    write(folder, stations=STATIONS + second)
    found = faults_of(folder)
    assert [fault.split(": ")[0] for fault in found] == ["stations.toml:18", "stations.toml:18"]
    assert "point liuxu.int1.door is used twice" in found[0]
    assert "linhu.inq1.door does not belong to station liuxu" in found[1]


def test_a_second_station_with_the_same_edge_is_refused(folder: Path) -> None:
    second = (
        '\n[[station]]\nid = "linhu"\nedge = "liuxu"\nname = { zh = "临湖派出所", en = "Linhu Station" }\n'
    )
    write(folder, stations=STATIONS + second)
    assert ["edge liuxu is used twice" in fault for fault in faults_of(folder)] == [True]


@pytest.mark.parametrize("stations", ["", "station = []\n"])
def test_a_centre_without_a_station_is_refused(folder: Path, stations: str) -> None:
    write(folder, stations=stations)
    assert len(faults_of(folder)) == 1


def test_a_file_that_is_not_there_or_not_toml_is_a_fault_not_a_traceback(folder: Path) -> None:
    (folder / "stations.toml").unlink()
    (folder / "rules.toml").write_text("lapse_after_s = = 3\n")
    found = faults_of(folder)
    assert "stations.toml:0: (file): cannot be read" in found[0]
    assert "is not TOML" in found[1]
    assert "line 1" in found[1]


SECOND = """
[[station]]
id = "linhu"
edge = "linhu"
name = { zh = "临湖派出所", en = "Linhu Station" }
"""


def test_a_station_has_the_media_token_of_its_own_file_or_else_the_shared_one(folder: Path) -> None:
    (folder / "shared.token").write_text("for all\n")
    (folder / "linhu.token").write_text("for linhu\n")
    own = f'media_token_file = "{folder}/linhu.token"\n'
    write(folder, CENTRAL + f'[media]\ntoken_file = "{folder}/shared.token"\n', STATIONS + SECOND + own)
    assert media_tokens(load(folder / "central.toml")) == {"liuxu": "for all", "linhu": "for linhu"}
    write(folder, stations=STATIONS + SECOND + own)
    assert media_tokens(load(folder / "central.toml")) == {"linhu": "for linhu"}


def test_a_stations_token_file_that_is_not_there_is_named_by_its_setting(folder: Path) -> None:
    write(folder, stations=STATIONS + SECOND + 'media_token_file = "/nowhere/linhu.token"\n')
    with pytest.raises(
        SettingsFault, match=r"^/nowhere/linhu.token:0: station\[1\].media_token_file: cannot"
    ):
        media_tokens(load(folder / "central.toml"))


def test_the_shipped_example_gives_each_station_a_token_file_of_its_own() -> None:
    stations = load(CONFIG / "central.example.toml").stations
    assert len({station.media_token_file for station in stations} - {None}) == len(stations)
