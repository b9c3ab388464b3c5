"""docs/limits.md says what the code does, and no queue is without a bound that somebody has thought of."""

import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/limits.md").read_text()
_QUOTED = re.compile(r"\[([\w/]+)\.py\]\(\.\./[\w/]+\.py\)((?:,? `[A-Z_]+` = [\d,]+)+)")
BOUNDED_OTHERWISE = {
    "edge/orders.py": 2,  # commands of the last two minutes: ACCEPTED_MAX and REFUSED_MAX
    "edge/outbox.py": 1,  # batches in flight: BATCHES_IN_FLIGHT
    "central/ingest/pipeline.py": 2,  # both lanes: WAITING_MAX of each edge
    "central/video/relay.py": 1,  # one pull a camera
}


def quoted() -> list[tuple[str, str, int]]:
    """Module, constant and figure of each that the document names."""
    return [
        (module.replace("/", "."), name, int(figure.replace(",", "")))
        for module, constants in _QUOTED.findall(DOCUMENT)
        for name, figure in re.findall(r"`([A-Z_]+)` = ([\d,]*\d)", constants)
    ]


def test_every_figure_beside_a_name_is_held_to_the_code() -> None:
    assert len(quoted()) == len(re.findall(r"`[A-Z_]+` = ", DOCUMENT)) > 40


@pytest.mark.parametrize(("module", "name", "figure"), quoted())
def test_a_figure_is_that_of_the_code(module: str, name: str, figure: int) -> None:
    assert getattr(importlib.import_module(module), name) == figure


def unbounded(path: Path) -> int:
    """Queues and deques that are made without a size."""
    count = 0
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and (name := ast.unparse(node.func)).endswith(("deque", "Queue")):
            sizes = [word.arg for word in node.keywords] + node.args[1 if name.endswith("deque") else 0 :]
            count += not sizes
    return count


def test_no_queue_is_without_a_bound() -> None:
    found = {
        str(path.relative_to(ROOT)): count
        for package in ("contract", "edge", "central", "device_drivers")
        for path in (ROOT / package).rglob("*.py")
        if "node_modules" not in path.parts and "replay" not in path.name and (count := unbounded(path))
    }
    assert found == BOUNDED_OTHERWISE
