"""Between the last write of a commit and the word that it is durable lies a sync, as the kernel sees it.

No test inside the process can know this: a library's setting may be ignored, a page may stay in the cache.
strace stands between process and kernel. Whether the disk does what it is told, only a power cut shows.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import ENVIRONMENT, ROOT

ROUNDS = 5
ACKED = "acked"

JOURNAL = """
import asyncio, os, sys
from pathlib import Path
from edge.clock import SystemClock
from edge.journal import Journal
from edge.proposals import Draft

async def main():
    clock = SystemClock()
    journal = await Journal.open(Path(sys.argv[1]), "liuxu", clock)
    for n in range(int(sys.argv[2])):
        await journal.append([Draft("door.open", clock.stamp(), "liuxu.int1.door", {"n": n})])
        os.write(1, b"acked\\n")
    await journal.close()

asyncio.run(main())
"""

STORE = """
import asyncio, os, sys
from central.store import audit
from central.store.database import Store

async def main():
    store = Store(f"sqlite:///{sys.argv[1]}/casewatch.db")
    await store.open()
    for n in range(int(sys.argv[2])):
        await store.write(
            lambda tx: audit.record(tx.conn, who="w", what="test.done", object_id=str(n), at_ms=n)
        )
        os.write(1, b"acked\\n")
    await store.close()

asyncio.run(main())
"""

CALL = re.compile(r"^(?:\d+ +)?(pwrite64|write|fdatasync|fsync)\(\d+<([^>]*)>(.*)")


def calls(log: str) -> list[tuple[str, str]]:
    """(call, file) in order; a word of the program is `("acked", "")`."""
    found = []
    for line in log.splitlines():
        match = CALL.match(line)
        if match:
            call, file, rest = match.groups()
            found.append((ACKED, "") if ACKED in rest else (call, file))
    return found


@pytest.mark.skipif(shutil.which("strace") is None, reason="NOT PROVEN: that a commit is synced (no strace)")
@pytest.mark.parametrize(("program", "wal"), [(JOURNAL, "journal.db-wal"), (STORE, "casewatch.db-wal")])
def test_nothing_is_called_durable_before_the_kernel_was_told_to_sync_it(
    tmp_path: Path, program: str, wal: str
) -> None:
    log = tmp_path / "calls"
    trace = ["strace", "-f", "-y", "-s", "64", "-e", "trace=write,pwrite64,fsync,fdatasync", "-o", str(log)]
    command = [*trace, sys.executable, "-c", program, str(tmp_path), str(ROUNDS)]
    subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, check=True, stdout=subprocess.DEVNULL)
    seen = calls(log.read_text())
    acked = [at for at, (call, _) in enumerate(seen) if call == ACKED]
    assert len(acked) == ROUNDS
    for at in acked:
        mine = [call for call, file in seen[:at] if file.endswith(wal)]
        assert "pwrite64" in mine
        assert mine[-1] in {"fdatasync", "fsync"}, f"the last write to {wal} was not synced: {mine[-4:]}"
