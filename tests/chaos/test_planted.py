"""The bugs that are planted still fit the code, so that a plain run says so and not only a weekly one."""

from pathlib import Path

import pytest

from tests.chaos import planted
from tests.chaos.planted import Bug

BUGS = planted.bugs()


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planted")
    planted.copy_tree(folder)
    return folder


def test_the_twelve_of_the_fault_matrix_are_there() -> None:
    assert len(BUGS) >= 12


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_still_fits_the_code_and_names_tests_that_are_there(bug: Bug, copy: Path) -> None:
    assert planted.apply(bug, copy), "make the patch anew"
    assert planted.apply(bug, copy, is_undone=True)
    for target in bug.targets:
        file, _, name = target.partition("::")
        assert (copy / file).exists()
        assert f"def {name}(" in (copy / file).read_text() or not name
