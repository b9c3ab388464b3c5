"""What rows, births, beats and silence make of the board: stations, rooms, cabinets and faults."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from central.ingest.readmission import readmit
from central.patrol.clockwork import Clockwork
from central.patrol.supervision import Supervision
from central.store.database import Store
from contract.limits import SILENCE_AFTER_S
from contract.points import PointType
from tests.support import county, heard_centre
from tests.support.county import RULES, STATIONS, T0, Journal
from tests.support.heard_centre import WHOLE, Centre


@pytest.fixture
async def centre(tmp_path: Path) -> AsyncIterator[Centre]:
    store = Store(f"sqlite:///{tmp_path}/casewatch.db")
    await store.open()
    made = Centre(store)
    await made.hear(made.journal.birth(**WHOLE))
    yield made
    await store.close()


async def test_a_station_that_was_never_heard_shows_nothing_as_known(centre: Centre) -> None:
    board = await centre.board()
    linhu = board.stations[1]
    assert (linhu.link, linhu.order) == ("never", 1)
    assert [(room.door, room.picture) for room in board.rooms if room.station == "linhu"] == [
        ("unknown", "unknown")
    ]


async def test_a_birth_shows_every_point_as_it_stands(centre: Centre) -> None:
    room, cabinet = await centre.room(), await centre.cabinet()
    assert (room.door, room.quality, room.picture, room.since_ms) == ("closed", "good", "ok", T0)
    assert (await centre.room("liuxu.lawyer")).picture == "none"
    assert [(slot.lock, slot.item) for slot in cabinet.slots] == [("closed", "present"), ("closed", "absent")]
    assert (await centre.station()).link == "online"


async def test_the_board_told_by_changes_is_the_board_read_anew(centre: Centre) -> None:
    await centre.rows(
        ("door.open", "liuxu.int1.door"),
        ("lock.open", "liuxu.cab1.s01.lock"),
        ("item.absent", "liuxu.cab1.s01.item"),
        ("picture.covered", "liuxu.int1.picture"),
    )
    told = {(change.kind, entity["id"]): entity for change in centre.changes
            for entity in [msgspec.json.decode(change.entity)]}  # fmt: skip
    board = msgspec.json.decode(msgspec.json.encode(await centre.board()))
    for kind, name in (("room", "rooms"), ("alert", "alerts"), ("cabinet", "cabinets"), ("fault", "faults")):
        for entity in board[name]:
            if (kind, entity["id"]) in told:
                assert told[kind, entity["id"]] == entity
    assert {kind for kind, _ in told} == {"station", "room", "alert", "cabinet", "fault"}


async def test_a_point_is_of_its_places_type_whatever_the_edge_calls_it(centre: Centre) -> None:
    birth = centre.journal.birth(liuxu__int1__picture="ok", liuxu__int1__door="closed")
    door, picture = (p for p in birth.points if p.id in {"liuxu.int1.picture", "liuxu.int1.door"})
    lies = [
        replace(picture, type=PointType.DOOR, value="open"),
        replace(door, type=PointType.ITEM, value="present"),
    ]
    await centre.hear(replace(birth, points=lies))
    room = await centre.room()
    assert (room.door, room.picture) == ("unknown", "unknown")
    assert {kind for kind, _, _ in await centre.faults()} == {"point_disabled"}, "those it does not tell of"


async def test_a_room_shows_its_session_and_the_alert_that_waits(centre: Centre) -> None:
    await centre.rows(("door.open", "liuxu.int1.door"), simulated=True)
    room = await centre.room()
    assert (room.door, room.simulated, room.alert_id) == ("open", True, "1")
    assert (room.session.id, room.session.opens, room.session.started_ms) == ("1", 1, T0)


async def test_what_only_the_counter_saw_reaches_a_person_too(centre: Centre) -> None:
    await centre.rows(("point.pulse", "liuxu.int1.door"), count=2, window_ms=100)
    assert [(alert.opens, alert.cond) for alert in (await centre.board()).alerts] == [(2, "CLOSED")]
    await centre.rows(("door.open", "liuxu.int1.door"), missed=3)
    assert [alert.opens for alert in (await centre.board()).alerts] == [6]


async def test_a_first_reading_is_a_state_and_raises_nothing(centre: Centre) -> None:
    fresh = Journal("linhu")
    fresh.write("point.baseline", "linhu.int1.door", value="open")
    await centre.hear(fresh.beat(), fresh.batch())
    assert (await centre.room("linhu.int1")).door == "open"
    assert (await centre.board()).alerts == []


async def test_a_module_that_vanishes_and_returns_invents_no_opening(centre: Centre) -> None:
    door = "liuxu.int1.door"
    await centre.rows(("point.quality", door), quality="comm_fail", was="good")
    room = await centre.room()
    assert (room.door, room.quality) == ("unknown", "comm_fail")
    assert await centre.faults() == [("point_silent", door, "comm_fail")]
    await centre.rows(("point.quality", door), quality="good", was="comm_fail")
    assert (await centre.room()).door == "closed"
    assert await centre.faults() == []
    assert (await centre.board()).alerts == []


@pytest.mark.parametrize(
    ("kind", "point", "data"),
    [
        ("picture.ok", "liuxu.int1.door", {}),
        ("door.ajar", "liuxu.int1.door", {}),
        ("edge.started", "liuxu.int1.door", {}),
        ("door.open", "liuxu.int1.picture", {}),
        ("item.absent", "liuxu.cab1.s01.lock", {}),
        ("point.baseline", "liuxu.int1.door", {"value": "\x01"}),
        ("point.baseline", "liuxu.int1.door", {"value": 3}),
        ("door.open", "liuxu.elsewhere.door", {}),
        ("point.pulse", "liuxu.int1.door", {"count": -5}),
    ],
)
async def test_a_row_that_makes_no_sense_of_its_point_is_evidence_and_moves_nothing(
    centre: Centre, kind: str, point: str, data: dict[str, object]
) -> None:
    before = await centre.board()
    await centre.rows((kind, point), **data)
    after = await centre.board()
    assert replace(after, seq=before.seq) == before


async def test_an_unheard_of_quality_cannot_be_believed(centre: Centre) -> None:
    await centre.rows(("point.quality", "liuxu.int1.door"), quality="splendid")
    assert ((await centre.room()).door, (await centre.room()).quality) == ("unknown", "device_error")


async def test_a_covered_camera_is_a_fault_until_the_picture_is_back(centre: Centre) -> None:
    await centre.rows(("picture.covered", "liuxu.int1.picture"))
    assert (await centre.room()).picture == "covered"
    assert await centre.faults() == [("picture", "liuxu.int1.picture", "covered")]
    await centre.rows(("picture.ok", "liuxu.int1.picture"))
    assert await centre.faults() == []


async def test_silence_turns_the_station_unknown_and_clears_no_alert(centre: Centre) -> None:
    await centre.rows(("door.open", "liuxu.int1.door"))
    centre.supervision.heard("liuxu", 100.0)
    await centre.clockwork.tick(T0 + 1, 100.0 + SILENCE_AFTER_S)
    assert (await centre.station()).link == "online"
    await centre.clockwork.tick(T0 + 1, 100.1 + SILENCE_AFTER_S)
    station, room = await centre.station(), await centre.room()
    assert (station.link, station.link_since_ms) == ("lost", T0 + 1)
    assert (room.door, room.quality, room.picture) == ("unknown", "comm_fail", "unknown")
    assert [(alert.cond, alert.state) for alert in (await centre.board()).alerts] == [("UNKNOWN", "UNACK")]
    assert {slot.lock for slot in (await centre.cabinet()).slots} == {"unknown"}
    assert await centre.faults() == [("station_lost", None, "silent")]
    before = len(centre.changes)
    await centre.clockwork.tick(T0 + 2, 200.0)
    assert len(centre.changes) == before


async def test_a_station_that_is_back_shows_the_doors_as_its_birth_tells_them(centre: Centre) -> None:
    await centre.rows(("door.open", "liuxu.int1.door"))
    await centre.hear(centre.journal.goodbye())
    centre.journal.write("door.closed", at=T0 + 1)
    await centre.hear(centre.journal.birth(**WHOLE))
    room = await centre.room()
    assert (room.door, room.alert_id) == ("closed", "1")
    assert [alert.cond for alert in (await centre.board()).alerts] == ["CLOSED"]
    assert await centre.faults() == []


async def test_the_backlog_behind_a_birth_moves_no_door_back(centre: Centre) -> None:
    centre.journal.write("door.open", at=T0)
    centre.journal.write("door.closed", at=T0 + 5_000)
    await centre.hear(centre.journal.birth(**WHOLE), now_ms=T0 + 9_000)
    await centre.hear(centre.journal.batch(1, 1), now_ms=T0 + 9_100)
    assert (await centre.room()).door == "closed"
    assert [(alert.opens, alert.cond) for alert in (await centre.board()).alerts] == [(1, "CLOSED")]


async def test_a_live_row_is_not_undone_by_the_backlog_that_follows(centre: Centre) -> None:
    for n in range(4):
        centre.journal.write("door.open" if n % 2 else "door.closed", at=T0 + n)
    await centre.hear(centre.journal.live(4))
    await centre.hear(centre.journal.batch(1, 3))
    assert (await centre.room()).door == "open"
    await centre.hear(centre.journal.batch(4, 4))
    (alert,) = (await centre.board()).alerts
    assert (alert.opens, alert.chain_pending, alert.cond) == (2, False, "OPEN")


async def test_a_will_of_an_older_session_says_nothing(centre: Centre) -> None:
    old_will = centre.journal.goodbye()
    centre.journal.session = 2
    await centre.hear(centre.journal.birth(**WHOLE))
    await centre.hear(old_will)
    assert (await centre.station()).link == "online"
    await centre.hear(centre.journal.goodbye("will"))
    assert (await centre.station()).link == "lost"


async def test_a_birth_of_an_older_session_says_nothing(centre: Centre) -> None:
    old = centre.journal.birth(**{**WHOLE, "liuxu__int1__door": "open"})
    centre.journal.session = 2
    await centre.hear(centre.journal.birth(**WHOLE))
    await centre.hear(old)
    assert (await centre.room()).door == "closed"


async def test_the_starts_of_a_new_journal_are_counted_anew(centre: Centre) -> None:
    centre.journal.session = 57
    await centre.hear(centre.journal.birth(**WHOLE), centre.journal.goodbye("will"))
    fresh = Journal(epoch=8)
    await centre.store.write(lambda tx: readmit(tx, "liuxu", 8, "console", T0, reason="new disk"))
    await centre.hear(fresh.beat())
    assert (await centre.station()).link == "online"
    await centre.hear(fresh.birth(**{**WHOLE, "liuxu__int1__door": "open"}))
    assert (await centre.room()).door == "open"
    fresh.write("maintenance.began", None, permission=1)
    fresh.session += 1
    await centre.hear(fresh.batch(), fresh.birth(**WHOLE))
    assert (await centre.room()).door == "closed"
    await centre.hear(fresh.goodbye("will"))
    assert (await centre.station()).link == "lost"


async def test_a_beat_brings_a_lost_station_back_and_tells_its_backlog(centre: Centre) -> None:
    await centre.hear(centre.journal.goodbye())
    await centre.hear(centre.journal.beat(queued=120), now_ms=T0 + 5)
    station = await centre.station()
    assert (station.link, station.queued, station.link_since_ms) == ("online", 120, T0 + 5)
    assert (await centre.room()).door == "closed"
    before = len(centre.changes)
    await centre.hear(centre.journal.beat(queued=120))
    assert len(centre.changes) == before


async def test_after_a_restart_silence_counts_from_the_start(centre: Centre) -> None:
    clockwork = Clockwork(centre.store, STATIONS, RULES, anew := Supervision(), lambda: T0)
    anew.expect(["liuxu"], 1_000.0)
    await clockwork.tick(T0, 1_000.0 + SILENCE_AFTER_S)
    assert (await centre.station()).link == "online"
    await clockwork.tick(T0, 1_001.0 + SILENCE_AFTER_S)
    assert (await centre.station()).link == "lost"


def test_a_sign_of_life_that_comes_out_of_order_takes_nothing_back() -> None:
    supervision = Supervision()
    supervision.heard("liuxu", 50.0)
    supervision.heard("liuxu", 40.0)
    assert supervision.silent(50.0 + SILENCE_AFTER_S) == []
    supervision.left("liuxu")
    assert supervision.silent(500.0) == []


async def test_a_cabinet_with_locks_only_has_no_item_to_be_silent_about(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    birth = centre.journal.birth(**WHOLE)
    birth = replace(birth, points=[point for point in birth.points if point.type is not PointType.ITEM])
    await centre.hear(birth)
    untold = [("point_disabled", f"liuxu.cab1.s0{n}.item", "untold") for n in (1, 2)]
    assert await centre.faults() == untold
    liuxu = STATIONS[0]
    cabinet = replace(liuxu.cabinets[0], items=False)
    stations = (replace(liuxu, cabinets=(cabinet,)), *STATIONS[1:])
    monkeypatch.setattr(county, "STATIONS", stations)
    monkeypatch.setattr(heard_centre, "STATIONS", stations)
    await centre.hear(birth)
    assert await centre.faults() == [], "also of what stood before the settings said so"
    slots = (await centre.cabinet()).slots
    assert [(slot.lock, slot.item, slot.quality) for slot in slots] == [("closed", "none", "good")] * 2
