"""`script/new-driver` writes a family that holds what every driver must, in the tree as it is now."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("contract", "device_drivers", "edge", "simulators", "tests", "config", "script")


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what a driver touches."""
    ignored = shutil.ignore_patterns("__pycache__", "node_modules", "*_cache", "var")
    for part in PARTS:
        shutil.copytree(ROOT / part, tmp_path / part, ignore=ignored)
    for name in ("pyproject.toml", "casewatch.py", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


@pytest.mark.timeout(300)
def test_a_new_family_passes_every_check_as_it_is_written(tree: Path) -> None:
    python = sys.executable
    run(tree, python, "script/new_driver.py", "acme_io")
    run(tree, python, "-m", "ruff", "check", "--quiet", "--fix", ".")
    run(tree, python, "-m", "ruff", "format", "--quiet", ".")
    run(tree, python, "-m", "ruff", "check", ".")
    run(tree, python, "-m", "mypy", "device_drivers/acme_io", "simulators/acme_io.py", "simulators/makes.py")
    parts = ("tests/contract", "tests/fuzz")
    said = run(tree, python, "-m", "pytest", "-q", *parts, "-k", "acme_io", "-p", "no:cacheprovider")
    assert int(said.rpartition(" passed")[0].split()[-1]) >= 25, said
    run(tree, python, "-m", "casewatch", "edge", "check", "var/acme_io/edge.toml")
    words = "tests/unit/simulators/test_sim_page_words.py"
    run(tree, python, "-m", "pytest", "-q", words, "-p", "no:cacheprovider")


def test_a_name_that_is_taken_or_none_is_refused_and_nothing_is_written(tree: Path) -> None:
    before = sorted(path for path in tree.rglob("*") if "__pycache__" not in path.parts)
    for name in ("lock_8a", "Acme", ""):
        done = subprocess.run(
            [sys.executable, "script/new_driver.py", name],
            cwd=tree,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert "script/new-driver" in done.stderr
    assert sorted(path for path in tree.rglob("*") if "__pycache__" not in path.parts) == before
