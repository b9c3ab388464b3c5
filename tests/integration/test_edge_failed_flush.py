"""A flush that fails ends the journal for good, wherever it is: in a commit or in a checkpoint.

strace makes the system call fail. Where it is not there, or may not trace, none of this was shown.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge.journal_file import FILE_NAME
from edge.journal_verify import verify

ROOT = Path(__file__).parents[2]
WRITER = """
import asyncio, sys
from pathlib import Path
from edge import journal_file
from edge.errors import EdgeError
from edge.journal import Journal
from tests.support.journals import EDGE, FixedClock, draft

journal_file.CHECKPOINT_PAGES = 40

async def write():
    journal = await Journal.open(Path(sys.argv[1]), EDGE, FixedClock())
    told = 0
    for tries in range(60):
        try:
            await journal.append([draft()])
            told += 1
        except EdgeError as error:
            print(error.code, told, flush=True)
            try:
                await journal.append([draft()])
            except EdgeError as again:
                print(again.code, told, flush=True)
            return
    print("none", told)

asyncio.run(write())
"""


def write(folder: Path, *injected: str) -> list[str]:
    """What a writer tells: the code of each error, and how many rows had been durable."""
    tracer = ["strace", "-f", "-o", "/dev/null", *injected] if injected else []
    done = subprocess.run(
        [*tracer, sys.executable, "-c", WRITER, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    if injected and "Operation not permitted" in done.stderr:
        pytest.skip("NOT SHOWN: a failed flush; this machine does not let strace trace")
    return [line for line in done.stdout.splitlines() if line.startswith(("edge.", "none"))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A journal is there, so that the first flush of a file is one of a commit or a checkpoint."""
    if shutil.which("strace") is None:
        pytest.skip("NOT SHOWN: a failed flush; strace is not installed")
    assert write(tmp_path) == ["none 60"]
    return tmp_path


@pytest.mark.parametrize("part", ["-wal", ""], ids=["commit", "checkpoint"])
def test_a_flush_that_fails_ends_the_journal(folder: Path, part: str) -> None:
    path = folder / (FILE_NAME + part)
    said = write(folder, "-P", str(path), "-e", "inject=fdatasync,fsync:error=EIO:when=1")
    assert [line.split()[0] for line in said] == ["edge.journal_failed", "edge.journal_failed"]
    told = int(said[0].split()[1])
    assert write(folder) == ["none 60"]
    verdict = verify(folder / FILE_NAME)
    assert verdict.bad_seq is None
    assert verdict.last >= 60 + told + 60


def test_a_write_without_room_is_no_failed_flush(folder: Path) -> None:
    path = folder / f"{FILE_NAME}-wal"
    said = write(folder, "-P", str(path), "-e", "inject=pwrite64:error=ENOSPC:when=4..6")
    assert [line.split()[0] for line in said] == ["edge.journal_full", "edge.journal_full"]
    assert write(folder) == ["none 60"]
    assert verify(folder / FILE_NAME).bad_seq is None
