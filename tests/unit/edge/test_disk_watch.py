"""Room on the disk: what is told of it, when, and what is no longer kept."""

from contract.ids import PointId
from contract.rows import EdgeKind
from edge.disk_watch import LOW_BYTES, SHORT_BYTES, DiskWatch, Room, Shedding
from edge.proposals import PointMemory, Proposal
from tests.support.journals import DOOR, STAMP, draft, proposal

MODEM = PointId("centre.modem")
DISK_BYTES = 100 * 2**30


def watch(was_low: bool = False) -> DiskWatch:
    return DiskWatch(was_low=was_low)


def seen(disk: DiskWatch, *free: int, is_full: bool = False) -> list[Room]:
    rooms = []
    for free_bytes in free:
        disk.see(free_bytes, DISK_BYTES, is_full=is_full)
        rooms.append(disk.room)
    return rooms


def test_less_and_less_room_is_low_then_short() -> None:
    rooms = seen(watch(), LOW_BYTES, LOW_BYTES - 1, SHORT_BYTES, SHORT_BYTES - 1, 0)
    assert rooms == [Room.ENOUGH, Room.LOW, Room.LOW, Room.SHORT, Room.SHORT]


def test_room_has_to_double_before_it_counts_as_back() -> None:
    disk = watch()
    seen(disk, 0)
    rooms = seen(disk, 2 * SHORT_BYTES - 1, 2 * SHORT_BYTES, 2 * LOW_BYTES - 1, 2 * LOW_BYTES)
    assert rooms == [Room.SHORT, Room.LOW, Room.LOW, Room.ENOUGH]


def test_on_a_small_disk_the_thresholds_are_shares_of_it() -> None:
    disk = watch()
    disk.see(900_000, 8_000_000, is_full=False)
    assert disk.room is Room.ENOUGH
    disk.see(700_000, 8_000_000, is_full=False)
    assert disk.room is Room.LOW
    disk.see(199_000, 8_000_000, is_full=False)
    assert disk.room is Room.SHORT


def test_a_journal_that_finds_no_room_is_believed_before_the_disk() -> None:
    assert seen(watch(), DISK_BYTES, is_full=True) == [Room.SHORT]


def test_low_and_enough_are_told_once_each() -> None:
    disk = watch()
    seen(disk, LOW_BYTES - 1)
    assert disk.row(LOW_BYTES - 1) == (EdgeKind.DISK_LOW, {"free_mb": 255})
    assert disk.row(LOW_BYTES - 1) is not None, "not durable yet: told again"
    disk.told(EdgeKind.DISK_LOW)
    seen(disk, 0)
    assert disk.row(0) is None
    seen(disk, DISK_BYTES)
    assert disk.row(DISK_BYTES) == (EdgeKind.DISK_ENOUGH, {"free_mb": 102_400})
    disk.told(EdgeKind.DISK_ENOUGH)
    assert disk.row(DISK_BYTES) is None


def test_a_start_with_room_ends_what_an_earlier_one_told() -> None:
    disk = watch(was_low=True)
    seen(disk, DISK_BYTES)
    row = disk.row(DISK_BYTES)
    assert row is not None
    assert row[0] is EdgeKind.DISK_ENOUGH


def shedding() -> Shedding:
    return Shedding({DOOR: "door", MODEM: "modem", "liuxu.int1.picture": "picture"})


def test_what_security_hangs_on_is_never_shed() -> None:
    shed = shedding()
    for kind in ("door.open", "point.quality", "card.read", "lock.jammed", "point.pulse"):
        kept = proposal(kind)
        assert shed.sift(kept) is kept
    covered = proposal("picture.covered", PointId("liuxu.int1.picture"), "covered")
    assert shed.sift(covered) is covered
    for kind in EdgeKind:
        if kind is not EdgeKind.SMS_REPORT:
            assert shed.sift(Proposal(STAMP, [draft(kind, None)], {})), kind
    assert shed.rows == 0


def test_a_modem_is_shed_and_its_state_stays_as_it_was_known() -> None:
    shed = shedding()
    assert not shed.sift(proposal("modem.unregistered", MODEM, "unregistered"))
    assert shed.rows == 1


def test_a_proposal_keeps_what_is_no_telemetry() -> None:
    both = Proposal(
        STAMP,
        [draft("modem.unregistered", MODEM), draft("door.open")],
        {MODEM: PointMemory("unregistered"), DOOR: PointMemory("open")},
    )
    kept = shedding().sift(both)
    assert [entry.kind for entry in kept.drafts] == ["door.open"]
    assert set(kept.memories) == {DOOR}


def test_a_state_that_is_proposed_at_every_poll_counts_once_and_each_report_for_itself() -> None:
    shed = shedding()
    for _ in range(5):
        shed.sift(proposal("modem.unregistered", MODEM))
    assert shed.rows == 1
    shed.sift(proposal("point.quality", MODEM))
    assert shed.rows == 2
    for _ in range(3):
        shed.sift(Proposal(STAMP, [draft("sms.report", MODEM, to="100")], {}))
    assert shed.rows == 5
    shed.told(5)
    assert shed.rows == 0
