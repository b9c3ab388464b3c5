"""The ground that all worlds of a test run stand on."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sim.chaos import MEMORY
from tests.sim.world import Ground


@pytest.fixture(scope="session")
def ground() -> Iterator[Ground]:
    with tempfile.TemporaryDirectory(
        prefix="casewatch-sim-", dir=MEMORY if MEMORY.is_dir() else None
    ) as folder:
        yield Ground(Path(folder))
