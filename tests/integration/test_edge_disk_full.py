"""The journal on a real small disk: full, without inodes, read-only; and back, without a restart."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.rows import decode_row
from edge import journal as journal_module
from edge.disk_watch import Shedding
from edge.errors import JournalFailed, JournalFull
from edge.journal import Journal
from edge.journal_file import FILE_NAME
from edge.journal_guard import JournalGuard
from edge.journal_verify import verify
from edge.proposals import Proposal
from edge.reserve import NAME
from tests.support.journals import DOOR, EDGE, FixedClock, Tries, draft, proposal
from tests.support.small_disk import fill, remount, small_disk

MODEM = "centre.modem"
DISK_BYTES = 16 * 2**20
INODES = 24


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", DISK_BYTES, INODES) as folder:
        yield folder


async def kinds(journal: Journal, first: int = 1) -> list[str]:
    return [decode_row(row.raw).kind for row in await journal.rows(first, 100_000)]


def exists(path: Path) -> bool:
    return path.exists()


async def start_and_write(folder: Path) -> None:
    journal = await Journal.open(folder, EDGE, FixedClock())
    try:
        for _ in range(5_000):
            await journal.append([draft()])
    finally:
        await journal.close()


async def grow(journal: Journal) -> None:
    """A journal that has been in use: its write-ahead log has its size."""
    for _ in range(400):
        await journal.append([draft()])


async def test_a_full_disk_sheds_telemetry_keeps_doors_and_heals(disk: Path, monkeypatch) -> None:
    monkeypatch.setattr(journal_module, "BLOCKED_RETRY_S", 0.05)
    journal = await Journal.open(disk, EDGE, FixedClock())
    journal.shedding = Shedding({DOOR: "door", MODEM: "modem"})
    guard = JournalGuard(journal, FixedClock())
    await grow(journal)
    await guard.look_at_disk()
    other = fill(disk)
    await guard.look_at_disk()
    assert "disk.low" in await kinds(journal, 400)

    committed: list[Proposal] = []
    await journal.keep(proposal("modem.unregistered", MODEM, "unregistered"), committed.append)
    assert committed == []
    doors = 0
    tries = Tries(journal, monkeypatch)
    no_room = asyncio.create_task(tries.failed(3))
    while not no_room.done():
        kept = asyncio.create_task(journal.keep(proposal(), committed.append))
        done, _ = await asyncio.wait({kept, no_room}, return_when=asyncio.FIRST_COMPLETED)
        doors += kept in done
    assert journal.is_full
    assert not exists(disk / NAME)
    assert doors >= 1_000, f"the reserve held {doors} rows of doors"

    head = journal.head
    await tries.failed(2)
    assert (journal.head, kept.done()) == (head, False)
    other.unlink()
    await asyncio.wait_for(kept, 10)
    await guard.look_at_disk()
    await guard.look_at_disk()
    told = await kinds(journal, head)
    assert [kind for kind in told if not kind.startswith("door")] == ["telemetry.shed", "disk.enough"]
    assert exists(disk / NAME)
    await journal.keep(proposal("modem.unregistered", MODEM, "unregistered"), committed.append)
    await journal.close()
    verdict = verify(disk / FILE_NAME)
    assert (verdict.bad_seq, verdict.last) == (None, journal.head)


async def test_a_start_on_a_full_disk_uses_the_reserve_and_then_says_that_it_is_full(disk: Path) -> None:
    journal = await Journal.open(disk, EDGE, FixedClock())
    await grow(journal)
    await journal.close()
    other = fill(disk)
    journal = await Journal.open(disk, EDGE, FixedClock())
    await journal.append([draft("edge.started", None, session=2)])
    await journal.close()
    fill(disk)
    with pytest.raises(JournalFull):
        await start_and_write(disk)
    other.unlink()
    journal = await Journal.open(disk, EDGE, FixedClock())
    await journal.append([draft()])
    await journal.close()
    assert verify(disk / FILE_NAME).bad_seq is None


async def test_a_disk_made_read_only_ends_the_agent_and_the_next_start_goes_on(disk: Path) -> None:
    journal = await Journal.open(disk, EDGE, FixedClock())
    await journal.append([draft()])
    await journal.close()
    remount(disk, "ro")
    try:
        with pytest.raises(JournalFailed):
            await Journal.open(disk, EDGE, FixedClock())
    finally:
        remount(disk, "rw")
    journal = await Journal.open(disk, EDGE, FixedClock())
    assert journal.head == 1
    await journal.close()


async def test_a_disk_without_inodes_costs_a_running_agent_nothing(disk: Path) -> None:
    journal = await Journal.open(disk, EDGE, FixedClock())
    guard = JournalGuard(journal, FixedClock())
    await guard.look_at_disk()
    files = []
    try:
        while True:
            path = disk / f"file{len(files)}"
            path.touch()
            files.append(path)
    except OSError:
        pass
    await guard.look_at_disk()
    for _ in range(300):
        await journal.append([draft()])
    await guard.look_at_file()
    assert await kinds(journal, 1) == ["disk.low", *["door.open"] * 300]
    for path in files:
        path.unlink()
    await guard.look_at_disk()
    assert (await kinds(journal, 302)) == ["disk.enough"]
    await journal.close()


async def test_a_start_without_inodes_says_that_the_disk_is_full(disk: Path) -> None:
    for count in range(INODES):
        try:
            (disk / f"file{count}").touch()
        except OSError:
            break
    with pytest.raises(JournalFull):
        await Journal.open(disk, EDGE, FixedClock())
