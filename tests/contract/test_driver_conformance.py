"""Every registered driver holds what all drivers must; and the suite finds the ones that do not."""

import pytest

from device_drivers import registry
from tests.support.conformance import Check, checks
from tests.support.driver_cases import CASES, LISTENER_CASES, DriverCase
from tests.support.virtual_time import in_virtual_time


def test_every_registered_driver_has_a_case() -> None:
    assert {case.kind for case in CASES} == set(registry.DRIVERS), "tests/support/driver_cases.py"
    assert set(registry.LISTENERS) == LISTENER_CASES, "tests/support/driver_cases.py, LISTENER_CASES"
    assert len({case.name for case in CASES}) == len(CASES)


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
