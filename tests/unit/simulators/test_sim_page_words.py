"""The control page has Chinese and English for everything that the simulators can name."""

import re
from typing import get_args

import pytest

from simulators import osdp_device, rfid_readers, sms_modem
from simulators.control.server import FOLDER
from simulators.input_module import InputModule
from simulators.locks.board import BOARD_ACTS, LOCK_ACTS
from simulators.makes import Kind, Protocol
from simulators.modbus_units import ModbusRtuUnits
from simulators.module_map import MODULE_MAPS
from simulators.onvif_device import OnvifDevice
from simulators.plant import VALUES, Plant

WORDS = (FOLDER / "words.js").read_text(encoding="utf-8")
MODULES = {unit: InputModule(made, {}, Plant([])) for unit, made in enumerate(MODULE_MAPS.values(), start=1)}
ACTS = {
    *BOARD_ACTS,
    *LOCK_ACTS,
    *osdp_device.ACTS,
    *rfid_readers.ACTS,
    *sms_modem.ACTS,
    *OnvifDevice("rtsp://127.0.0.1/room", user="u", password="p").acts(),
    *(act for acts in ModbusRtuUnits(MODULES).acts().values() for act in acts),
}


def known(table: str) -> set[str]:
    """The keys of one table of words.js, each with a Chinese and an English word."""
    match = re.search(rf"const {table} = \{{\n(.*?)\n\}};", WORDS, re.DOTALL)
    assert match is not None, table
    pairs = r'(?:"([^"]+)"|(\w+)): \["[^"]*[\u4e00-\u9fff][^"]*", "[^"]*[A-Za-z][^"]*"\]'
    return {quoted or plain for quoted, plain in re.findall(pairs, match[1])}


@pytest.mark.parametrize("act", sorted(ACTS))
def test_an_act_has_words(act: str) -> None:
    parts = act.split(" ")
    assert any(" ".join(parts[:count]) in known("ACTS") for count in range(len(parts), 0, -1))


def test_what_a_point_is_and_can_be_has_words() -> None:
    assert known("POINT_KINDS") == set(VALUES)
    assert known("VALUES") == {value for values in VALUES.values() for value in values}


def test_protocols_and_devices_have_words() -> None:
    assert known("PROTOCOLS") >= set(get_args(Protocol))
    assert known("DEVICE_KINDS") == set(get_args(Kind))
