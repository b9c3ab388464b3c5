"""The doctor's look at the journal and at the agent that writes it: read only, beside a running agent."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from contract.rows import decode_row
from edge.journal_file import FILE_NAME, ROW_COLUMNS
from edge.journal_verify import Verdict as Verified
from edge.journal_verify import verify
from edge.settings import Settings
from edge.technician.finding import Finding, Verdict

NEWEST_ROWS = 1_000
RECEIPT_LATE_S = 300
CLOCK_BACK_MS = 2_000


def check_agent(agent: int | None) -> Finding:
    """`agent`: the process that holds the data folder, 0 for one that does not say, None for none."""
    if agent is None:
        return Finding("agent", Verdict.DOUBTFUL, "does not run", "systemctl start casewatch-edge")
    return Finding("agent", Verdict.OK, f"runs, process {agent or 'unknown'}")


def check_journal(settings: Settings) -> Iterator[Finding]:
    """The newest rows, how far the centre receipted them, and the clock against the last of them."""
    path = settings.data_dir / FILE_NAME
    if not path.exists():
        yield Finding(
            "journal", Verdict.DOUBTFUL, f"{path} is not there yet", "the agent makes it at its first start"
        )
        return
    try:
        found = verify(path, NEWEST_ROWS)
        newest, waiting = _row_times(path, found)
    except (sqlite3.Error, ValueError, KeyError) as error:
        mend = (
            "run this as the agent's user; else casewatch edge journal verify, and keep the file as evidence"
        )
        yield Finding("journal", Verdict.FAULT, f"{path} cannot be read: {error}", mend)
        return
    if found.bad_seq is not None:
        mend = "keep the file as it is: it is evidence; casewatch edge journal verify tells more"
        yield Finding("journal", Verdict.FAULT, f"row {found.bad_seq} {found.fault}", mend)
        return
    yield Finding(
        "journal", Verdict.OK, f"the newest {min(NEWEST_ROWS, found.last)} rows are sound, head {found.last}"
    )
    now_ms = time.time_ns() // 1_000_000
    yield judge_receipts(found, waiting, now_ms)
    if newest is not None and newest > now_ms + CLOCK_BACK_MS:
        behind_s = (newest - now_ms) / 1_000
        mend = "set the clock before anything is tried: timedatectl set-ntp true"
        yield Finding("clock", Verdict.FAULT, f"the newest row is {behind_s:.0f} s in the future", mend)


def judge_receipts(found: Verified, waiting: int | None, now_ms: int) -> Finding:
    """`waiting`: wall ms of the oldest row without a receipt. The agent notes receipts every minute."""
    text = f"the centre receipted {found.receipted} of {found.last} rows"
    if waiting is None or now_ms - waiting < 1_000 * RECEIPT_LATE_S:
        return Finding("receipts", Verdict.OK, text)
    late_min = (now_ms - waiting) / 60_000
    mend = (
        "nothing is lost, rows wait here; see broker and centre, and whether the centre admitted this journal"
    )
    return Finding("receipts", Verdict.DOUBTFUL, f"{text}; the next waits for {late_min:.0f} min", mend)


def _row_times(path: Path, found: Verified) -> tuple[int | None, int | None]:
    """Wall ms of the newest row, and of the oldest that waits for its receipt."""
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:

        def at(seq: int) -> int | None:
            row = db.execute(f"SELECT {ROW_COLUMNS} FROM row WHERE seq = ?", (seq,)).fetchone()  # noqa: S608
            return decode_row(row[1]).at if row else None

        return at(found.last), at(max(found.receipted, found.first - 1) + 1)
    finally:
        db.close()
