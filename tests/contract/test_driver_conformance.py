"""Every registered driver holds what all drivers must; and the suite finds the ones that do not."""

import time
from typing import Any

import msgspec
import pytest

from device_drivers import registry
from device_drivers.driver import Answer, Commanded, Read
from device_drivers.errors import BadFrame, ProfileFault, WrongUnit
from device_drivers.site import PolledKind, Site, check_unit
from tests.support import conformance as must
from tests.support import conformance_commands as commanded
from tests.support.conformance import Check, checks
from tests.support.driver_cases import CASES, LISTENER_CASES, DriverCase
from tests.support.model_driver import MODEL_CASE, ModelDriver
from tests.support.virtual_time import in_virtual_time


def test_every_registered_driver_has_a_case() -> None:
    assert {case.kind for case in CASES} == set(registry.DRIVERS), "tests/support/driver_cases.py"
    assert set(registry.LISTENERS) == LISTENER_CASES, "tests/support/driver_cases.py, LISTENER_CASES"
    assert len({case.name for case in CASES}) == len(CASES)


def test_every_driver_that_takes_commands_has_one_in_a_case() -> None:
    takers = {case.kind for case in CASES if isinstance(case.driver(), Commanded)}
    assert takers == {case.kind for case in CASES if case.commands}


@pytest.mark.parametrize(
    ("case", "check"),
    [
        pytest.param(case, check, id=f"{case.name}-{check.__name__}")
        for case in CASES
        for check in checks(case)
    ],
)
def test_a_driver(case: DriverCase, check: Check) -> None:
    in_virtual_time(check)(case)


class TakesAnyUnit(ModelDriver):
    """A reply of another unit is a reply."""

    def decode(self, read: Read, reply: bytes) -> Answer:
        try:
            return super().decode(read, reply)
        except WrongUnit:
            return self.answer(read, reply[3])


class GoesOnWhereItWas(ModelDriver):
    """A turn that was cut short is taken up again at its second block, with what the first had said."""

    _is_second = False

    def encode(self, read: Read) -> bytes:
        return super().encode(self._second if self._is_second else read)

    def decode(self, read: Read, reply: bytes) -> Answer:
        answer = super().decode(self._second if self._is_second else read, reply)
        self._is_second = isinstance(answer, Read)
        return answer


class WaitsForAnHour(ModelDriver):
    """Whatever comes within the hour is the reply."""

    def __init__(self, unit: int) -> None:
        super().__init__(unit)
        self._first = msgspec.structs.replace(self._first, window_ms=3_600_000)


class SendsAgain(ModelDriver):
    """A command whose reply makes no sense is sent once more."""

    def decode(self, read: Read, reply: bytes) -> Answer:
        try:
            return super().decode(read, reply)
        except BadFrame:
            if self.block(read) > 2:
                return read
            raise

    def reply_length(self, read: Read, received: bytes) -> int | None:
        return REPLY if (REPLY := 5) and received else super().reply_length(read, received)


class NeverChecksTheSum(ModelDriver):
    def decode(self, read: Read, reply: bytes) -> Answer:
        body = reply[:-1]
        return super().decode(read, body + bytes([sum(body) & 0xFF]))


class PadsWhatIsMissing(ModelDriver):
    """Four bytes will do: the state that did not come is 0."""

    def reply_length(self, read: Read, received: bytes) -> int | None:
        length = super().reply_length(read, received)
        return min(length, max(len(received), 3)) if length else None

    def decode(self, read: Read, reply: bytes) -> Answer:
        if len(reply) < 5:
            return self.answer(read, 0)
        return super().decode(read, reply)


class KeepsAllItHeard(ModelDriver):
    def __init__(self, unit: int) -> None:
        super().__init__(unit)
        self._heard: list[bytes] = []

    def reply_length(self, read: Read, received: bytes) -> int | None:
        self._heard.append(received + b"!")
        return super().reply_length(read, received)


class ThinksForLong(ModelDriver):
    def reply_length(self, read: Read, received: bytes) -> int | None:
        ends = time.perf_counter() + (0.006 if len(received) > 1_000 else 0)
        while time.perf_counter() < ends:
            continue
        return super().reply_length(read, received)


class SaysTooLittle(ModelDriver):
    """Two exchanges, announced as one."""

    def __init__(self, unit: int) -> None:
        super().__init__(unit)
        self._first = msgspec.structs.replace(self._first, exchanges=1)


class FallsOverItsFeet(ModelDriver):
    def decode(self, read: Read, reply: bytes) -> Answer:
        states = {0: 0, 1: 1}
        return self.answer(read, states[reply[3]])


def model_kind(driver: type[ModelDriver]) -> PolledKind:
    def build(site: Site) -> Any:
        if site.options:
            raise ProfileFault(f"options: {', '.join(site.options)}")
        check_unit(site.unit, 1, 32)
        return driver(site.unit)

    return PolledKind(build, "model", ("serial",), {})


def failing(driver: type[ModelDriver], monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The checks that this driver does not pass."""
    monkeypatch.setitem(registry.DRIVERS, "model", model_kind(driver))
    failed = set()
    for check in checks(MODEL_CASE):
        try:
            in_virtual_time(check)(MODEL_CASE)
        except (Exception, pytest.fail.Exception):
            failed.add(check.__name__)
    return failed


def test_a_sound_driver_passes_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    assert failing(ModelDriver, monkeypatch) == set()


@pytest.mark.parametrize(
    ("driver", "found_by"),
    [
        (
            TakesAnyUnit,
            {
                must.the_reply_of_another_unit_is_never_a_sight,
                must.the_reply_of_another_unit_is_known_as_such,
                must.the_late_reply_of_another_unit_is_skipped,
            },
        ),
        (GoesOnWhereItWas, {must.a_cancelled_poll_leaves_nothing_to_the_next}),
        (WaitsForAnHour, {must.silence_ends_in_no_reply_and_in_good_time}),
        (SendsAgain, {commanded.a_command_is_sent_once_whatever_comes_back}),
        (NeverChecksTheSum, {must.no_flipped_bit_becomes_a_sight}),
        (PadsWhatIsMissing, {must.a_beginning_of_a_reply_is_no_reply}),
        (KeepsAllItHeard, {must.a_babbling_device_leaves_memory_flat}),
        (
            ThinksForLong,
            {must.the_loop_is_never_held_up, must.it_knows_no_clock_and_does_no_input_or_output},
        ),
        (SaysTooLittle, {must.lengths_and_exchanges_are_those_on_the_wire}),
        (FallsOverItsFeet, {must.garbage_instead_of_a_reply_is_a_typed_error}),
    ],
)
def test_a_planted_bug_is_found_by_the_check_for_it(
    driver: type[ModelDriver], found_by: set[Check], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {check.__name__ for check in found_by} <= failing(driver, monkeypatch)
