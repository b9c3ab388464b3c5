"""Profiles: the shipped ones load, and a wrong one is refused by file and key."""

from pathlib import Path

import pytest

from device_drivers.errors import ProfileFault
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


def test_there_are_shipped_profiles() -> None:
    assert {path.stem for path in SHIPPED} >= {
        "adam-4150",
        "adam-6050",
        "moxa-e1210",
        "moxa-r1210",
        "waveshare-io8",
    }


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_profile_loads(path: Path) -> None:
    assert load_profile(path).inputs > 0


def test_level_and_counters_are_one_read(tmp_path: Path) -> None:
    path = tmp_path / "good.toml"
    path.write_text(GOOD)
    assert load_profile(path).span() == (0x10, 33)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("inputs = 16", "inputs = 0", "inputs"),
        ("inputs = 16", "", "inputs"),
        ("function = 4", "function = 5", "function"),
        ("function = 4", "function = 2", "level.function"),
        ("address = 0x10", "address = 0x10000", "counters.address"),
        ("address = 0x10", "address = 0x100", "counters.address"),
        ("address = 0x10", "address = 0x29", "counters.address"),
        ("address = 0x30", "address = 0xffff", "counters.address"),
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
