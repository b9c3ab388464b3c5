"""Settings of lines whose devices speak by themselves, and of cameras that are asked where they stream."""

from pathlib import Path

import pytest

from edge import plan
from edge.settings_check import check

STATION = """\
[edge]
id = "liuxu"
data_dir = "edge"
[broker]
host = "127.0.0.1"
[[bus]]
id = "readers"
kind = "osdp"
device = "/dev/ttyS9"
[[device]]
id = "hall"
bus = "readers"
driver = "osdp_reader"
unit = 1
options = { key_file = "hall.key" }
[[device]]
id = "gate"
bus = "readers"
driver = "osdp_reader"
unit = 2
options = { key_file = "hall.key" }
[[bus]]
id = "cam1"
kind = "onvif"
host = "192.0.2.31"
port = 80
[[device]]
id = "lens"
bus = "cam1"
driver = "onvif_camera"
options = { user = "viewer", password_file = "lens.pw" }
[[point]]
id = "liuxu.hall.reader"
type = "reader"
device = "hall"
channel = "card"
[[point]]
id = "liuxu.gate.reader"
type = "reader"
device = "gate"
channel = "card"
[[point]]
id = "liuxu.int1.scene"
type = "tamper"
device = "lens"
channel = "scene"
[[point]]
id = "liuxu.int1.door"
type = "door"
device = "lens"
channel = "input:A-1"
[[camera]]
point = "liuxu.int1.picture"
onvif = "192.0.2.31:80"
user = "viewer"
password_file = "lens.pw"
"""


@pytest.fixture
def station(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("hall.key").write_text("0f" * 16)
    Path("lens.pw").write_text("secret\n")

    def said(old="", new=""):
        assert old in STATION
        Path("edge.toml").write_text(STATION.replace(old, new, 1))
        checked = check(Path("edge.toml"))
        return checked.settings, [str(problem) for problem in checked.problems]

    return said


def test_a_sound_station_gives_a_listener_a_line_and_nothing_to_poll(station):
    settings, problems = station()
    assert problems == []
    assert plan.plan(settings) == []
    heard = {entry.bus.id: dict(entry.listener.channels) for entry in plan.listeners(settings)}
    assert heard == {
        "readers": {"hall": ("card", "tamper"), "gate": ("card", "tamper")},
        "cam1": {"lens": ("scene", "dark", "blurry", "input:A-1")},
    }


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('channel = "card"', 'channel = "lock:1"', "hall has no lock:1"),
        (
            'type = "reader"\ndevice = "hall"',
            'type = "door"\ndevice = "hall"',
            "card of hall is no door (it takes reader)",
        ),
        (
            'type = "tamper"\ndevice = "lens"',
            'type = "door"\ndevice = "lens"',
            "scene of lens is no door (it takes tamper)",
        ),
        ('"liuxu.int1.scene"', '"liuxu.lawyer1.scene"', "liuxu.lawyer1 may have no camera"),
        ('"liuxu.int1.door"', '"liuxu.lawyer1.door"', "liuxu.lawyer1 may have no camera"),
        ('onvif = "192.0.2.31:80"', 'onvif = "a..b:80"', "onvif: is no host:port"),
        ('channel = "scene"', 'channel = "motion"', "lens has no motion"),
        ("unit = 1", "unit = 200", "unit: 200 is not between 0 and 126"),
        ('key_file = "hall.key"', 'key_file = "none.key"', "none.key cannot be read"),
        ('options = { key_file = "hall.key" }', "", "key_file"),
        ('kind = "osdp"', 'kind = "serial"', "osdp_reader needs one of kind osdp, not serial"),
        ("unit = 2", 'unit = 2\nprofile = "adam-6050"', "osdp_reader takes none"),
        (
            'bus = "cam1"\ndriver = "onvif_camera"',
            'bus = "cam1"\ndriver = "modbus_di"',
            "modbus_di needs one of",
        ),
        ('password_file = "lens.pw" }', 'password_file = "no.pw" }', "no.pw cannot be read"),
        ('onvif = "192.0.2.31:80"', "", "camera[0].url: is missing"),
        ('onvif = "192.0.2.31:80"', 'url = "rtsp://192.0.2.31/1"', "means nothing beside a url"),
        (
            'onvif = "192.0.2.31:80"',
            'onvif = "192.0.2.31:80"\nurl = "rtsp://192.0.2.31/1"',
            "leave one of them out",
        ),
        ('onvif = "192.0.2.31:80"', 'onvif = "192.0.2.31:70000"', "70000 is no port"),
        ('user = "viewer"\npassword_file', "password_file", "camera[0].user: is missing"),
    ],
)
def test_a_station_that_cannot_work_is_told_why(station, old, new, words):
    settings, problems = station(old, new)
    assert settings is None
    assert any(words in problem for problem in problems), problems


@pytest.mark.parametrize("file", ["hall.key", "lens.pw"])
def test_an_empty_secret_is_told_by_whoever_reads_it(station, file):
    Path(file).write_text(" \n")
    settings, problems = station()
    assert settings is None
    assert any(file in problem for problem in problems), problems


def test_two_cameras_cannot_share_an_address(station):
    second = '[[device]]\nid = "lens2"\nbus = "cam1"\ndriver = "onvif_camera"\nunit = 2\n[[camera]]\npoint'
    _, problems = station("[[camera]]\npoint", second)
    assert any("bus cam1 has 1 already, and onvif_camera takes no more" in problem for problem in problems)


def test_a_reader_in_a_lawyers_room_is_no_camera(station):
    settings, problems = station('"liuxu.hall.reader"', '"liuxu.lawyer1.reader"')
    assert settings is not None, problems


def test_a_key_that_everybody_knows_is_refused_at_its_device(station):
    Path("hall.key").write_text("303132333435363738393A3B3C3D3E3F")
    settings, problems = station()
    assert settings is None
    assert sum("SCBK-D" in problem for problem in problems) == 2
