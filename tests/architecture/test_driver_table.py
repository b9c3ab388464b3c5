"""The table of drivers is what the registry and the READMEs say."""

import pytest

from device_drivers import registry
from script import driver_table


def test_the_committed_table_is_current() -> None:
    assert driver_table.DOCUMENT.read_text() == driver_table.table(), "run script/driver_table.py"


@pytest.mark.parametrize("name", [*registry.DRIVERS, *registry.LISTENERS])
def test_a_driver_says_what_was_verified(name: str) -> None:
    kind = {**registry.DRIVERS, **registry.LISTENERS}[name]
    assert driver_table._verified(driver_table._folder(kind)).strip(), "README.md: What has been verified"
