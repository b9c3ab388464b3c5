"""A probe asks reads alone, and says no more of a unit than it answered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.bus import Bus, BusSettings
from device_drivers.errors import NoReply
from device_drivers.lock_8a import codec
from device_drivers.modbus.frame import READ_FUNCTIONS, mbap_frame, rtu_frame
from device_drivers.modbus.question import Question, identify_request
from device_drivers.site import BusKind
from edge import plan
from edge.settings import BusSettings as LineSettings
from edge.technician import probe as probing_shell
from edge.technician import probing
from edge.technician.probing import Found

PROFILES = probing.load_profiles({name: plan.profile_path(name) for name in plan.profile_names()})
PDUS = [
    *probing.PINGS,
    identify_request(),
    *probing.function_questions().values(),
    *map(probing.level_question, PROFILES.values()),
]
LINE = LineSettings(id="x", kind="serial", device="/dev/x")
AUTO_CLEARED = range(0x30, 0x38)
"""Counters that an Ebyte E831 can be set to clear when function 3 reads them."""


def test_every_delivered_profile_is_asked_about() -> None:
    assert sorted(PROFILES) == plan.profile_names()


@pytest.mark.parametrize("pdu", PDUS, ids=lambda pdu: pdu.hex())
def test_every_request_is_a_read(pdu: bytes) -> None:
    assert pdu[0] in {*READ_FUNCTIONS, 0x2B}


@pytest.mark.parametrize("pdu", PDUS, ids=lambda pdu: pdu.hex())
def test_no_request_reads_a_counter_that_reading_may_clear(pdu: bytes) -> None:
    if pdu[0] == 3:
        first, count = int.from_bytes(pdu[1:3]), int.from_bytes(pdu[3:5])
        assert not set(range(first, first + count)) & set(AUTO_CLEARED)


def opens_a_lock(frame: bytes) -> bool:
    """Whether a board of any family would find its own "open" in these bytes."""
    for at in range(len(frame)):
        rest = frame[at:]
        is_8a = (
            len(rest) >= 5
            and rest[0] == 0x8A
            and rest[3] == 0x11
            and rest[:5] == codec.encode_open(*rest[1:3])
        )
        is_winnsen = rest.startswith(b"\x90\x06\x05")
        is_kerong = len(rest) >= 5 and rest[0] == 2 and rest[2] in {0x31, 0x33, 0x39} and rest[3] == 3
        is_wkly = rest.startswith(b"WKLY") and rest[6:7] not in {b"\x83", b"\x84"}
        if is_8a or is_winnsen or is_kerong or is_wkly:
            return True
    return False


def test_the_judge_of_lock_commands_knows_one() -> None:
    assert opens_a_lock(b"\x00" + codec.encode_open(1, 5))


def test_no_request_contains_a_locks_command() -> None:
    for unit in range(256):
        for pdu in PDUS:
            assert not opens_a_lock(rtu_frame(unit, pdu)), (unit, pdu.hex())
            assert not opens_a_lock(mbap_frame(unit + 1, unit, pdu)), (unit, pdu.hex())


@pytest.mark.parametrize("kind", probing.LOCK_KINDS)
def test_no_status_read_of_a_lock_family_opens_a_lock_of_any(kind: str) -> None:
    drivers = probing.lock_drivers(LINE, kind, range(256))
    assert drivers
    for driver in drivers.values():
        assert not opens_a_lock(driver.encode(driver.reads()[0]))


def test_the_families_that_are_probed_say_so_themselves() -> None:
    assert probing.LOCK_KINDS == ("lock_8a", "lock_krcu", "lock_winnsen", "lock_wkly")


def test_a_board_number_that_a_family_has_not_is_not_asked() -> None:
    assert list(probing.lock_drivers(LINE, "lock_8a", (0, 1, 99, 200))) == [1, 99]


def test_a_gateways_word_that_nobody_is_there_is_no_unit() -> None:
    assert probing.is_there(b"\x83\x02")
    assert probing.is_there(b"\x03\x02\x00\x00")
    assert not probing.is_there(b"\x83\x0b")
    assert not probing.is_there(b"\x83\x0a")
    assert not probing.is_there(None)


def test_a_profile_fits_where_its_inputs_answer_in_its_length() -> None:
    adam = PROFILES["adam-6050"]
    assert probing.fits(adam, b"\x01\x02\x00\x00")
    assert not probing.fits(adam, b"\x01\x01\x00")
    assert not probing.fits(adam, b"\x81\x02")
    assert not probing.fits(adam, b"\x02\x02\x00\x00")
    assert not probing.fits(adam, None)


@pytest.mark.parametrize(
    ("text", "units"),
    [("1-3", (1, 2, 3)), ("5", (5,)), (" 7, 1-2 ", (1, 2, 7)), ("1,1-2", (1, 2)), ("0,255", (0, 255))],
)
def test_units_are_numbers_and_ranges(text: str, units: tuple[int, ...]) -> None:
    assert probing.parse_units(text) == units


@pytest.mark.parametrize("text", ["", "x", "3-1", "1-", "-4", "256", "1,,2"])
def test_units_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"unit"):
        probing.parse_units(text)


@given(st.sets(st.integers(0, 255), min_size=1))
def test_ranges_say_the_same_numbers(numbers: set[int]) -> None:
    assert set(probing.parse_units(probing.ranges(numbers).replace(" ", ""))) == numbers


@pytest.mark.parametrize(
    ("kind", "units"),
    [("modbus_rtu", [1, 9, 247]), ("modbus_tcp", [1, 9, 247, 248, 255]), ("serial", [0, 1, 9, 247, 248])],
)
def test_each_kind_of_line_has_its_numbers_and_the_settings_are_always_asked(
    kind: BusKind, units: list[int]
) -> None:
    target = probing.Target(LineSettings(id="x", kind=kind, host="h", device="/dev/x"), {9: "io9"})
    assert probing.units_of(target, (1, 247, 248)) == units


def test_a_module_that_answers_to_every_number_is_one_line() -> None:
    same = [Found(unit=n, kind="modbus_tcp", functions=(1,)) for n in (1, 2, 255)]
    (one,) = probing.folded(same, 3)
    assert one.is_any_unit
    assert probing.folded(same, 4) == same
    assert probing.folded([*same[:2], Found(unit=255, kind="modbus_tcp")], 3)[2].functions == ()
    assert probing.missing({9: "io9"}, [one]) == []


def test_a_device_of_the_settings_that_is_silent_is_missing() -> None:
    found = [Found(unit=1, kind="modbus_rtu")]
    assert probing.missing({1: "io1", 3: "io3"}, found) == ["io3 (unit 3)"]


async def test_a_question_over_a_line_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bus never repeats; the probe's second round is a question of another function."""
    asked: list[bytes] = []

    class Silence:
        name = "silence"

        async def open(self) -> None: ...
        async def close(self) -> None: ...
        async def drain(self, quiet_s: float) -> int:
            return int(quiet_s * 0)

        async def exchange(self, frame: bytes, reply_length: object, timeout_s: float) -> bytes:
            del reply_length, timeout_s
            asked.append(frame)
            raise NoReply("nothing")

    monkeypatch.setattr(probing_shell.plan, "build_bus", lambda _: Bus(Silence(), BusSettings(0.01, 0.0)))
    target = probing.Target(LineSettings(id="x", kind="modbus_rtu", device="/dev/x"))
    report = await probing_shell.probe([target], (1, 2, 3), lambda _: None)
    assert report.found == []
    expected = [Question(unit, ping, "rtu") for ping in probing.PINGS for unit in (1, 2, 3)]
    assert asked == [question.encode(question.reads()[0]) for question in expected]
