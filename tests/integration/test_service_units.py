"""The shipped service units, as systemd itself reads and rates them."""

import shutil
import subprocess

import pytest

from tests.support.processes import ROOT

UNITS = ROOT / "config" / "systemd"
ANALYZE = shutil.which("systemd-analyze")
WORST = {"casewatch-edge": 1.7, "casewatch-central": 1.1, "casewatch-broker": 1.1}

pytestmark = pytest.mark.skipif(ANALYZE is None, reason="systemd is not installed: nobody has read the units")


@pytest.mark.parametrize("name", WORST)
def test_a_service_is_exposed_no_more_than_the_document_says(name: str) -> None:
    """`--threshold` is in tenths: above it the command fails."""
    unit = UNITS / f"{name}.service"
    limit = f"--threshold={WORST[name] * 10:.0f}"
    done = subprocess.run(
        [str(ANALYZE), "security", "--offline=true", "--no-pager", limit, str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-600:]
    document = (ROOT / "docs" / "threats.md").read_text()
    assert str(WORST[name]) in document


def test_the_units_are_well_formed() -> None:
    """But that the program is not installed where they start it."""
    units = [str(path) for path in sorted(UNITS.iterdir())]
    done = subprocess.run([str(ANALYZE), "verify", *units], capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if "casewatch" in line]
    assert [line for line in said if "is not executable" not in line] == []
