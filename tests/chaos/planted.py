"""Puts bugs in on purpose and looks whether the tests find them: `script/chaos --planted`.

A patch in `planted/` begins with what it breaks and who has to notice:

    Breaks: P1, a row is told that a power cut takes
    Targets: tests/sim/test_sim.py::test_what_was_told tests/chaos/test_durable_calls.py

then comes the unified diff. The targets have to pass without the patch, and one of them has to fail with it.
A patch that does not apply any more is an error, not a bug that was found; so is a test run that broke down.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATCHES = Path(__file__).with_name("planted")
RUN_MAX_S = 300
PASSED, FAILED = 0, 1
"""Pytest's exit codes: every other one says that there was no proper run."""


@dataclass(frozen=True)
class Bug:
    name: str
    breaks: str
    targets: tuple[str, ...]
    patch: Path


@dataclass(frozen=True)
class Run:
    code: int
    failed: str
    """The first test that failed."""
    tail: str
    seconds: float


def bugs() -> list[Bug]:
    return [_bug(path) for path in sorted(PATCHES.glob("*.patch"))]


def _bug(path: Path) -> Bug:
    head = path.read_text().partition("--- ")[0]
    fields = dict(re.findall(r"^(\w+): (.+)$", head, re.MULTILINE))
    return Bug(path.stem, fields["Breaks"], tuple(fields["Targets"].split()), path)


def copy_tree(folder: Path) -> None:
    """The files of this checkout as they are, with what was built beside them."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        source = ROOT / name
        if source.is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / name)
    built = ROOT / "central" / "board" / "dist"
    if built.is_dir():
        shutil.copytree(built, folder / "central" / "board" / "dist", dirs_exist_ok=True)


def apply(bug: Bug, folder: Path, *, is_undone: bool = False) -> bool:
    # -C0: the lines that are taken away have to be there, those around them may have changed.
    command = ["git", "apply", "-C0", *(["--reverse"] if is_undone else []), str(bug.patch)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr.strip())
    return done.returncode == 0


def run(targets: tuple[str, ...], folder: Path) -> Run:
    """The targets in the copy, until one fails."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *targets]
    began = time.perf_counter()
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=RUN_MAX_S,
        )
    except subprocess.TimeoutExpired:
        return Run(-1, "", f"no end within {RUN_MAX_S} s", time.perf_counter() - began)
    failed = re.search(r"^FAILED (\S+)", done.stdout, re.MULTILINE)
    return Run(
        done.returncode,
        failed.group(1) if failed else "",
        "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:]),
        time.perf_counter() - began,
    )


def try_bug(bug: Bug, folder: Path) -> bool:
    """True where it was found."""
    if not apply(bug, folder):
        print(f"ERROR       {bug.name}: the patch does not apply any more")
        return False
    found = run(bug.targets, folder)
    if not apply(bug, folder, is_undone=True):
        raise SystemExit(f"{bug.name}: the patch does not go away again")
    if found.code == FAILED and found.failed:
        print(f"caught      {bug.name} in {found.seconds:.1f} s by {found.failed}", flush=True)
        return True
    if found.code == PASSED:
        print(f"NOT CAUGHT  {bug.name} in {found.seconds:.1f} s: {bug.breaks}", flush=True)
    else:
        print(f"ERROR       {bug.name}: the run broke down\n{found.tail}", flush=True)
    return False


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="script/chaos --planted", description=__doc__)
    parser.add_argument("--only", help="bugs whose names contain this")
    asked = parser.parse_args(words)
    chosen = [bug for bug in bugs() if asked.only is None or asked.only in bug.name]
    with tempfile.TemporaryDirectory(prefix="casewatch-planted-") as name:
        folder = Path(name)
        copy_tree(folder)
        sound = run(tuple(dict.fromkeys(target for bug in chosen for target in bug.targets)), folder)
        if sound.code != PASSED:
            print(f"ERROR       the targets do not pass without a bug\n{sound.tail}")
            return 1
        print(f"sound       all targets pass without a bug in {sound.seconds:.1f} s", flush=True)
        caught = sum([try_bug(bug, folder) for bug in chosen])
    print(f"{caught} of {len(chosen)} planted bugs caught")
    return 0 if caught == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
