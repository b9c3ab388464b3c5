"""Two of the trials of `script/chaos`, small, so that neither they nor the promise they show rots."""

import subprocess
import sys

import pytest

from tests.support.mosquitto import PATH
from tests.support.power_cut import cannot_cut
from tests.support.processes import ENVIRONMENT, ROOT

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(PATH is None, reason="mosquitto is not installed"),
    pytest.mark.timeout(180),
]


@pytest.mark.parametrize(
    ("play", "trials", "lacks"),
    [("1.edge", 4, cannot_cut()), ("10.shuffled", 1, "")],
    ids=["power", "messages"],
)
def test_a_trial_keeps_every_promise(play: str, trials: int, lacks: str) -> None:
    if lacks:
        pytest.skip(lacks)
    words = ["--only", play, "--trials", str(trials), "--workers", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", *words],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "kept" in done.stdout
