"""`script/fuzz`: a million inputs a codec through atheris, and what came of it.

Each codec is fuzzed in a process of its own, for libFuzzer ends its process when it is done. What took long
there is timed again here, where no byte code is instrumented. Inputs that made a property fail stay under
var/fuzz/<codec>/crashes; make a vector of each in tests/contract.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import Progress, TextColumn
from rich.table import Column, Table

from tests.fuzz import properties

FOLDER = Path("var/fuzz")
RUNS = 1_000_000
SMOKE_S = 30
START_S = 2
"""What a codec's process takes before its first input."""
INPUT_MAX_BYTES = 1_024
_DONE = re.compile(r"Done (\d+) runs in (\d+) second")
_PROGRESS = re.compile(r"#(\d+)\s.*?cov: (\d+).*?exec/s: (\d+)")


class Verdict(msgspec.Struct):
    """What a codec's campaign showed."""

    name: str
    inputs: int = 0
    seconds: float = 0.0
    coverage: int = 0
    crashes: int = 0
    worst_ms: float = 0.0
    """Of 4 KB, judged once."""
    said: str = ""


def main() -> int:
    arguments = _arguments()
    known = properties.names()
    wanted = [name for name in known if not arguments.codec or name.startswith(tuple(arguments.codec))]
    if not wanted:
        sys.exit(f"script/fuzz: no codec begins so; there are {', '.join(known)}")
    console = Console()
    workers = min(len(wanted), os.cpu_count() or 1)
    limit = f"-runs={arguments.runs}"
    if arguments.smoke:
        limit = f"-max_total_time={max(1, SMOKE_S * workers // len(wanted) - START_S)}"
    with (
        Progress(TextColumn("{task.description}"), console=console) as progress,
        ThreadPoolExecutor(workers) as pool,
    ):
        verdicts = list(pool.map(lambda name: _campaign(name, limit, progress), wanted))
    for verdict in verdicts:
        verdict.worst_ms = _worst_ms(properties.target(verdict.name), verdict.name)
    _show(verdicts, console)
    return any(verdict.crashes or verdict.said for verdict in verdicts)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("codec", nargs="*", help="beginnings of names; none: all")
    parser.add_argument("--runs", type=int, default=RUNS, help=f"inputs a codec (default {RUNS})")
    parser.add_argument("--smoke", action="store_true", help=f"all codecs in {SMOKE_S} s instead")
    return parser.parse_args()


def _campaign(name: str, limit: str, progress: Progress) -> Verdict:
    own = FOLDER / name
    for part in ("corpus", "crashes", "slow"):
        (own / part).mkdir(parents=True, exist_ok=True)
    for old in (*(own / "slow").iterdir(), *(own / "crashes").iterdir()):
        old.unlink()
    words = [
        str(own / "corpus"),
        limit,
        f"-max_len={INPUT_MAX_BYTES}",
        "-seed=1",
        "-timeout=10",
        "-rss_limit_mb=2048",
    ]
    words.append(f"-artifact_prefix={own / 'crashes'}/")
    if properties.words(name):  # libFuzzer refuses an empty dictionary
        dictionary = own / "words"
        escaped = ("".join(f"\\x{byte:02x}" for byte in word) for word in properties.words(name))
        dictionary.write_text("".join(f'"{word}"\n' for word in escaped))
        words.append(f"-dict={dictionary}")
    command = [sys.executable, "-m", "tests.fuzz.fuzz_one", str(own / "slow"), name, *words]
    verdict = Verdict(name)
    began_s = time.monotonic()
    task = progress.add_task(f"{name}: …", total=None)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace") as child:
        assert child.stderr is not None
        last: list[str] = []
        for line in child.stderr:
            last = [*last, line.rstrip()][-30:]
            for inputs, coverage, speed in _figures(line):
                verdict.inputs, verdict.coverage = inputs, coverage
                said = f"{name}: {inputs:,} inputs, {coverage} places reached, {speed:,} a second"
                progress.update(task, description=said)
            if done := _DONE.search(line):
                verdict.inputs = int(done[1])
    verdict.seconds = time.monotonic() - began_s
    verdict.crashes = len(list((own / "crashes").iterdir()))
    if child.returncode:
        verdict.said = "\n".join(last)
    progress.remove_task(task)
    progress.console.print(
        f"{name}: {verdict.inputs:,} inputs, {verdict.crashes} crashes, {verdict.seconds:.0f} s"
    )
    return verdict


def _figures(line: str) -> Iterator[tuple[int, int, int]]:
    if found := _PROGRESS.search(line):
        yield int(found[1]), int(found[2]), int(found[3])


def _worst_ms(target: properties.Target, name: str) -> float:
    """The slowest judgement of 4 KB made of what was slow, and of what reached new places."""
    judge_s = target.judge_s
    files = [path for part in ("slow", "corpus") for path in (FOLDER / name / part).iterdir()]
    inputs = [data for path in files if len(data := path.read_bytes()) > 2]
    return 1_000 * max((min(judge_s(data) for _ in range(15)) for data in inputs), default=0.0)


def _show(verdicts: list[Verdict], console: Console) -> None:
    table = Table(
        Column("codec", no_wrap=True), "inputs", "a second", "places reached", "crashes", "worst ms per 4 KB"
    )
    for v in verdicts:
        rate = f"{v.inputs / max(v.seconds, 0.001):,.0f}"
        table.add_row(v.name, f"{v.inputs:,}", rate, str(v.coverage), str(v.crashes), f"{v.worst_ms:.2f}")
    console.print(table)
    for v in verdicts:
        if v.said:
            console.print(f"{v.name} ended badly:", v.said, markup=False, highlight=False)


if __name__ == "__main__":
    sys.exit(main())
