"""A generated driver works as it is, in a copy of the tree: style, types, vectors, conformance, fuzz."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAME = "gate_box"
LEFT_OUT = (".git", ".venv", "var", "node_modules", "dist", "build", "__pycache__", ".*_cache", ".hypothesis")

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout as a new author finds it, with the new driver written into it."""
    tree = tmp_path_factory.mktemp("checkout") / "casewatch"
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*LEFT_OUT))
    done = run(tree, "script/new_driver.py", NAME)
    assert done.returncode == 0, done.stderr
    return tree


def run(tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=tree, capture_output=True, text=True, check=False)


def test_it_keeps_the_house_style_and_its_types(tree: Path) -> None:
    for words in (
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("mypy", "-p", f"device_drivers.{NAME}", "-m", f"simulators.{NAME}", "-m", "simulators.makes"),
    ):
        done = run(tree, "-m", *words)
        assert done.returncode == 0, done.stdout + done.stderr


def test_it_passes_conformance_fuzz_vectors_and_architecture(tree: Path) -> None:
    parts = (
        "tests/contract/test_driver_conformance.py",
        f"tests/contract/test_{NAME}_vectors.py",
        "tests/fuzz",
    )
    done = run(tree, "-m", "pytest", "-q", "-p", "no:cacheprovider", *parts, "-k", f"{NAME} or registered")
    assert done.returncode == 0, done.stdout
    passed = int(done.stdout.rpartition(" passed")[0].split()[-1])
    assert passed > 25, done.stdout
    done = run(
        tree,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/architecture",
        "-k",
        f"{NAME} or arrows or table",
    )
    assert done.returncode == 0, done.stdout


def test_its_bench_is_read_by_the_edge(tree: Path) -> None:
    done = run(tree, "-m", "casewatch", "edge", "check", f"var/{NAME}/edge.toml")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("name", "said"), [("Gate-Box", "which name"), (NAME, "exists"), ("lock_8a", "exists")]
)
def test_what_cannot_be_made_is_refused_and_nothing_written(tree: Path, name: str, said: str) -> None:
    before = {path: path.read_bytes() for path in tree.rglob("*.py")}
    done = run(tree, "script/new_driver.py", name)
    assert done.returncode == 2
    assert said in done.stderr
    assert {path: path.read_bytes() for path in tree.rglob("*.py")} == before
