"""`plan` shows what a bus is asked and what that costs, also where `check` refuses it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edge.bus_load import bus_load
from edge.commands import app
from edge.plan import plan
from edge.settings_check import as_written
from edge.technician.bus_plan import report, verdict
from tests.support.edge_settings import SOUND

SERIAL = """
[[bus]]
id = "cab"
kind = "serial"
device = "/dev/serial/by-id/x"
[[device]]
id = "locks1"
bus = "cab"
driver = "lock_8a"
interval_ms = {interval_ms}
[[point]]
id = "liuxu.cab1.s01.lock"
type = "lock"
device = "locks1"
channel = "lock:1"
"""


def settings_file(folder: Path, interval_ms: int = 500) -> Path:
    path = folder / "edge.toml"
    path.write_text(SOUND + SERIAL.format(interval_ms=interval_ms))
    return path


def run(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, words)
    return result.exit_code, result.stdout, result.stderr


def test_every_read_is_there_with_its_cost(tmp_path: Path) -> None:
    code, output, _ = run("plan", str(settings_file(tmp_path)), "--json")
    assert code == 0
    io, cab = json.loads(output)["buses"]
    (read,) = cab["reads"]
    assert (read["device"], read["unit"], read["poll_class"], read["period_ms"]) == (
        "locks1",
        1,
        "cabinet",
        500,
    )
    assert (read["exchanges"], read["sent_bytes"], read["received_bytes"]) == (1, 5, 7)
    assert read["device_ms"] == 10
    assert read["use"] == pytest.approx((read["wire_ms"] + read["device_ms"]) / 500)
    assert (io["verdict"], cab["verdict"]) == ("ok", "ok")


def test_the_sum_is_what_check_computes(tmp_path: Path) -> None:
    settings = as_written(settings_file(tmp_path))
    assert settings is not None
    for shown, planned in zip(report(settings).buses, plan(settings), strict=True):
        load = bus_load(planned.bus, planned.polls)
        assert (
            shown.use
            == pytest.approx(sum(read.use for read in shown.reads))
            == pytest.approx(load.utilisation)
        )
        assert (shown.blind_ms, shown.blind_beside_dead_ms) == (load.blind_ms, load.blind_dead_ms)


@pytest.mark.parametrize(
    ("use", "word"), [(0.49, "ok"), (0.50, "warned"), (0.69, "warned"), (0.70, "refused"), (1.3, "refused")]
)
def test_the_thresholds_are_those_of_check(use: float, word: str) -> None:
    assert verdict(use) == word


def test_a_refused_bus_is_shown_and_ends_with_1(tmp_path: Path) -> None:
    code, output, errors = run("plan", str(settings_file(tmp_path, interval_ms=40)))
    assert code == 1
    assert "REFUSED" in output
    assert "of bus cab would be in use" in errors


def test_a_warned_bus_says_so(tmp_path: Path) -> None:
    code, output, _ = run("plan", str(settings_file(tmp_path, interval_ms=60)))
    assert (code, "WARNED" in output) == (0, True)


def test_settings_that_are_none_are_told_and_end_with_1(tmp_path: Path) -> None:
    path = tmp_path / "edge.toml"
    path.write_text("[edge]\n")
    code, output, errors = run("plan", str(path))
    assert (code, output) == (1, "")
    assert "edge.id: is missing" in errors


def test_what_is_piped_has_no_colour_and_no_frame(tmp_path: Path) -> None:
    _, output, _ = run("plan", str(settings_file(tmp_path)))
    assert "\x1b" not in output
    assert "─" not in output
    assert "blind 574 ms" in output
