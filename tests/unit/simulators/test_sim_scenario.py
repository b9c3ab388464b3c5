import tomllib
from pathlib import Path

import pytest

from simulators.errors import ScenarioFault
from simulators.scenario_file import load_scenario, parse_scenario

WORKING_DAY = Path(__file__).parents[3] / "config" / "demo" / "working-day.toml"

FAULTY = """
speed = 0
colour = "blue"
[control]
host = "0.0.0.0"
port = 99999
[activity]
gap_s = [1]
[[cable]]
id = "one"
speaks = "morse"
tcp = 15000
[[device]]
id = "one"
make = "adam-6060"
[device.wires]
0 = "liuxu.int1.window"
[[device]]
id = "locks"
cable = "two"
make = "lock-8a"
slots = 49
[[fault]]
at_s = 1
cable = "one"
kind = "gremlins"
"""

SENSELESS = """
[control]
host = "0.0.0.0"
port = 15000
[activity]
gap_s = [9, 3]
[[cable]]
id = "one"
speaks = "modbus-tcp"
tcp = 15000
[[cable]]
id = "one"
speaks = "modbus-rtu"
[[cable]]
id = "locks"
speaks = "lock-8a"
pty = "pty/locks"
[[device]]
id = "io"
cable = "one"
make = "adam-6050"
wires = { 12 = "a.r1.door", x = "a.r2.door" }
[[device]]
id = "io"
cable = "locks"
make = "moxa-r1210"
wires = { 0 = "a.r1.door" }
[[device]]
id = "board"
cable = "nowhere"
make = "kr-cu12"
slots = 13
[[device]]
id = "what"
cable = "locks"
make = "adam-6060"
unit = 2
[[fault]]
at_s = 1
cable = "three"
kind = "late"
[[fault]]
at_s = 1
cable = "locks"
kind = "exception"
[[fault]]
at_s = 1
cable = "locks"
kind = "lost"
unit = 7
[[move]]
at_s = 1
points = ["a.r9.door"]
how = "chatter"
[[act]]
at_s = 1
point = "a.r9.door"
value = "open"
[[act]]
at_s = 1
point = "a.r1.door"
value = "ajar"
"""


def faults_of(text):
    with pytest.raises(ScenarioFault) as refused:
        parse_scenario(tomllib.loads(text))
    return refused.value.faults


def begins(faults):
    return sorted(fault.partition(": ")[0] for fault in faults)


def test_every_fault_of_shape_is_listed_with_its_place():
    assert begins(faults_of(FAULTY)) == sorted(
        [
            "speed",
            "colour",
            "control.port",
            "activity.gap_s",
            "cable[1].speaks",
            "device[1].cable",
            "device[1].wires",
            "device[2].slots",
            "fault[1].kind",
        ]
    )


def test_every_fault_of_sense_is_listed():
    assert begins(faults_of(SENSELESS)) == sorted(
        [
            "control.host",
            "activity.gap_s",
            "cable[2]",
            "device[1].wires.12",
            "device[1].wires.x",
            "device[2].make",
            "device[3].cable",
            "device[3].cabinet",
            "device[3].slots",
            "device[4].make",
            "cable id one",
            "device id io",
            "fault[1].cable",
            "fault[2].kind",
            "fault[3].unit",
            "move[1].points",
            "port 15000",
            "point a.r1.door",
            "act[1].point",
            "act[2].value",
        ]
    )


def test_a_fault_on_a_network_camera_is_a_fault_of_the_scenario():
    scenario = """
[[cable]]
id = "eye"
speaks = "onvif"
tcp = 0
[[device]]
id = "eye"
cable = "eye"
make = "onvif-camera"
room = "a.r1"
user = "viewer"
password = "not-a-secret"
[[fault]]
at_s = 1
cable = "eye"
kind = "lost"
"""
    assert begins(faults_of(scenario)) == ["fault[1].cable"]


def test_a_table_where_a_list_belongs_is_a_fault_and_no_traceback():
    assert begins(faults_of("cable = 3\ncontrol = 4\nstation = [5]")) == ["cable", "control", "station[1]"]


@pytest.mark.parametrize("content", [None, b"\xff", b"seed = "])
def test_a_file_that_cannot_be_read_is_a_fault_that_names_it(tmp_path, content):
    path = tmp_path / "day.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ScenarioFault, match=r"day\.toml"):
        load_scenario(path)


def test_the_demo_has_every_door_and_camera_of_the_county_and_the_cabinet():
    scenario = load_scenario(WORKING_DAY)
    points = scenario.points()
    kinds = [point.rpartition(".")[2] for point in points]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "door": 18,
        "picture": 17,
        "lock": 12,
        "item": 12,
    }
    assert "chengdong.lawyer.door" in points
    assert "chengdong.lawyer.picture" not in points


def test_a_camera_is_named_for_its_room_and_station():
    cameras = {camera.id: camera for camera in load_scenario(WORKING_DAY).camera_settings()}
    camera = cameras["liuxu.int1"]
    assert (camera.title_zh, camera.station_zh) == ("讯问室一", "柳圩派出所")
    assert (camera.width, camera.height, camera.fps) == (640, 360, 5)


def test_a_scenario_of_modules_alone_is_enough():
    scenario = parse_scenario(
        {
            "cable": [{"id": "c1", "speaks": "modbus-tcp", "tcp": 0}],
            "device": [{"id": "m1", "cable": "c1", "make": "moxa-e1210", "wires": {"0": "b.r1.door"}}],
        }
    )
    assert scenario.points() == ["b.r1.door"]
    assert scenario.camera_settings() == []
