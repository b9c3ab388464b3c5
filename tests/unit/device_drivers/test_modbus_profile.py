"""Profiles: the shipped ones load, and a wrong one is refused by file and key."""

from pathlib import Path

import pytest

from device_drivers.errors import ProfileFault
from device_drivers.modbus.analogue_profile import load_analogue_profile
from device_drivers.modbus.profile import load_profile

SHIPPED = sorted((Path(__file__).parents[3] / "config/profiles").glob("*.toml"))
GOOD = """
model = "Any"
inputs = 16
[level]
function = 4
address = 0x30
[counters]
address = 0x10
word_order = "high_first"
"""


LATCHES = """
[latches]
function = 1
address = 35
stride = 4
[latches.clear]
function = 5
address = 35
stride = 4
"""
ANALOGUE = """
model = "Any"
inputs = 8
[values]
function = 4
address = 0
volts = [0.0, 10.0]
[bands]
closed_v = [1.9, 2.9]
open_v = [3.0, 3.9]
"""


def test_there_are_shipped_profiles() -> None:
    assert {path.stem for path in SHIPPED} >= {
        "adam-4150",
        "adam-6050",
        "moxa-e1210",
        "moxa-r1210",
        "waveshare-io8",
        "konnad-c2000-sdd8020",
        "ebyte-e831",
        "zlan-6844",
        "adam-6017",
        "moxa-e1240",
    }


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_profile_loads_and_says_what_is_known_of_it(path: Path) -> None:
    text = path.read_text()
    load = load_analogue_profile if "[values]" in text else load_profile
    assert load(path).inputs > 0
    assert "From the" in text or "ASSUMED" in text


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("inputs = 16", "inputs = 0", "inputs"),
        ("inputs = 16", "", "inputs"),
        ("function = 4", "function = 5", "function"),
        ("function = 4", "function = 2", "counters.function"),
        ("address = 0x10", "address = 0x10000", "counters.address"),
        ("address = 0x10", "address = 0xfff0", "counters.address"),
        ("address = 0x10", "address = 0x29", "counters.address"),
        ('word_order = "high_first"', "", "counters.word_order"),
        ('word_order = "high_first"', "bits = 24", "bits"),
        ("[counters]", LATCHES + "[counters]", "latches"),
        ("[counters]", LATCHES.replace("address = 35", "address = 0xffff") + "[counters]", "latches"),
        ('"high_first"', '"middle_first"', "word_order"),
        ("inputs = 16", "inputs = 16\ncolour = 3", "colour"),
        ("inputs = 16", "inputs = [", ""),
    ],
)
def test_a_wrong_profile_is_refused_by_file_and_key(tmp_path: Path, old: str, new: str, key: str) -> None:
    path = tmp_path / "wrong.toml"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(ProfileFault) as caught:
        load_profile(path)
    assert str(path) in str(caught.value)
    assert key in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("address = 0", "address = 65530", "values.address"),
        ("[0.0, 10.0]", "[10.0, 0.0]", "values.volts"),
        ("address = 0", "address = 0\nraw = [5, 5]", "values.raw"),
        ("[0.0, 10.0]", "[0.0, 4.0]", "bands"),
        ("[3.0, 3.9]", "[2.8, 3.9]", "bands"),
        ("[3.0, 3.9]", "[3.9, 3.0]", "bands"),
        ("[3.0, 3.9]", "[3.0, 4.6]", "bands"),
        ("[bands]", "[bands]\nhysteresis_v = 0.2", "bands.hysteresis_v"),
        ("function = 4", "function = 1", "function"),
    ],
)
def test_a_wrong_analogue_profile_is_refused_by_file_and_key(
    tmp_path: Path, old: str, new: str, key: str
) -> None:
    path = tmp_path / "wrong.toml"
    assert old in ANALOGUE
    path.write_text(ANALOGUE)
    assert load_analogue_profile(path).inputs == 8
    path.write_text(ANALOGUE.replace(old, new))
    with pytest.raises(ProfileFault) as caught:
        load_analogue_profile(path)
    assert str(path) in str(caught.value)
    assert key in str(caught.value)


def test_latches_where_the_counters_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "latching.toml"
    path.write_text('model = "L"\ninputs = 12\n[level]\nfunction = 1\naddress = 0\n' + LATCHES)
    latches = load_profile(path).latches
    assert latches is not None
    assert (latches.stride, latches.clear.value) == (4, 0)
    path.write_text(path.read_text() + "value = 2\n")
    with pytest.raises(ProfileFault, match=r"latches\.clear\.value"):
        load_profile(path)


def test_bits_that_end_beyond_the_address_space_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "far.toml"
    path.write_text('model = "Far"\ninputs = 16\n[level]\nfunction = 2\naddress = 65530\n')
    with pytest.raises(ProfileFault, match=r"level\.address"):
        load_profile(path)


def test_a_missing_profile_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProfileFault, match=r"nowhere\.toml"):
        load_profile(tmp_path / "nowhere.toml")


def test_a_profile_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProfileFault, match=r"binary\.toml"):
        load_profile(path)
