"""The house's sizes: a file is one idea, a function fits on a screen."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("contract", "device_drivers", "edge", "central", "simulators")
SOURCES = sorted(
    path
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if "node_modules" not in path.parts and "migrations" not in path.parts
)
TESTS = sorted((ROOT / "tests").rglob("*.py"))
BANNED = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_source_file_is_one_idea(path: Path) -> None:
    lines = path.read_text().count("\n")
    assert lines <= 400, f"{lines} lines: is there a second idea inside?"


@pytest.mark.parametrize("path", TESTS, ids=relative)
def test_a_test_file_stays_readable(path: Path) -> None:
    assert path.read_text().count("\n") <= 600


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_function_fits_on_a_screen(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            length = node.end_lineno - node.lineno + 1
            assert length <= 50, f"{node.name} at line {node.lineno}: {length} lines"


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_name_says_what_is_inside_and_the_docstring_too(path: Path) -> None:
    assert not BANNED & {path.stem, path.parent.name}
    text = path.read_text()
    assert not text.strip() or ast.get_docstring(ast.parse(text)), "a module says what it is"
