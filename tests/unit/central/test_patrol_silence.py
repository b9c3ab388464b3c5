"""Each silence is an alarm of its own: what raises it, within which time, and what ends it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import insert, update

from central.board_model import Fault
from central.commanding.schema import maintenance
from central.patrol.clockwork import Clockwork
from central.patrol.places import Places
from central.patrol.settling import Settling, settle
from central.patrol.supervision import Supervision
from central.store.database import Store
from central.trust import keys
from central.trust.schema import edge_key
from contract.limits import BEAT_INTERVAL_S, COMMAND_VALID_MAX_S, SILENCE_AFTER_S
from contract.messages import Mode
from contract.points import Clock
from tests.support.county import RULES, STATIONS, T0
from tests.support.heard_centre import WHOLE, Centre

BEAT_MS = int(BEAT_INTERVAL_S * 1_000)
DAY_MS = 86_400_000
HOUR_MS = 3_600_000
DOOR = "liuxu.int1.door"


@pytest.fixture
async def centre(tmp_path: Path) -> AsyncIterator[Centre]:
    store = Store(f"sqlite:///{tmp_path}/casewatch.db")
    await store.open()
    made = Centre(store)
    await made.hear(made.journal.birth(**WHOLE))
    yield made
    await store.close()


async def told(centre: Centre) -> list[tuple[str, str]]:
    return [(kind, detail) for kind, _, detail in await centre.faults()]


async def standing(centre: Centre) -> list[Fault]:
    return (await centre.board()).faults


async def test_an_edge_that_says_goodbye_is_stopped_and_no_silence_follows(centre: Centre) -> None:
    centre.supervision.heard("liuxu", 0.0)
    await centre.hear(centre.journal.goodbye("stop"))
    assert (await centre.station()).link == "stopped"
    assert (await centre.room()).door == "unknown"
    await centre.clockwork.tick(T0 + 60_000, 60.0)
    assert await told(centre) == [("service_stopped", "stop")]
    await centre.hear(centre.journal.birth(**WHOLE))
    assert await told(centre) == []


@pytest.mark.parametrize("reason", ["will", ""])
async def test_a_lost_connection_is_told_apart_from_silence(centre: Centre, reason: str) -> None:
    await centre.hear(centre.journal.goodbye(reason))  # type: ignore[arg-type]
    assert await told(centre) == [("station_lost", "connection")]
    assert (await centre.station()).link == "lost"


async def test_a_will_that_comes_after_the_silence_is_no_second_fault(centre: Centre) -> None:
    await centre.clockwork.tick(T0 + 16_000, SILENCE_AFTER_S + 1)
    (before,) = await standing(centre)
    await centre.hear(centre.journal.goodbye("will"), now_ms=T0 + 90_000)
    assert await standing(centre) == [before]


async def test_a_goodbye_that_was_on_its_way_explains_the_silence(centre: Centre) -> None:
    await centre.clockwork.tick(T0 + 16_000, SILENCE_AFTER_S + 1)
    await centre.hear(centre.journal.goodbye("stop"))
    assert await told(centre) == [("service_stopped", "stop")]


def test_the_centre_looks_as_soon_as_an_edge_may_be_silent() -> None:
    supervision = Supervision()
    supervision.heard("liuxu", 100.4)
    assert supervision.wait_s(114.9, 1.0) == pytest.approx(0.51)
    assert supervision.silent(114.9 + supervision.wait_s(114.9, 1.0)) == ["liuxu"]
    assert supervision.wait_s(101.0, 1.0) == Supervision().wait_s(5.0, 1.0) == 1.0


async def test_a_point_that_the_birth_does_not_tell_of_is_an_alarm_and_its_tile_says_so(
    centre: Centre,
) -> None:
    birth = centre.journal.birth(**WHOLE)
    short = replace(birth, points=[point for point in birth.points if point.id != DOOR])
    await centre.hear(short)
    assert await centre.faults() == [("point_disabled", DOOR, "untold")]
    assert ((await centre.room()).quality, (await centre.room()).door) == ("untold", "unknown")
    await centre.hear(birth)
    assert await centre.faults() == []
    assert (await centre.room()).door == "closed"


async def test_a_disabled_point_is_disabled_and_not_silent_too(centre: Centre) -> None:
    await centre.rows(("point.quality", DOOR), quality="disabled", was="good")
    assert await centre.faults() == [("point_disabled", DOOR, "disabled")]
    assert (await centre.room()).quality == "disabled"
    await centre.rows(("point.quality", DOOR), quality="good", was="disabled")
    assert await centre.faults() == []


async def beats(centre: Centre, count: int, *, skew_ms: int = 0, clock: Clock = Clock.SYNCED) -> None:
    for _ in range(count):
        centre.now_ms += BEAT_MS
        beat = replace(centre.journal.beat(), at=centre.now_ms + skew_ms, clock=clock)
        await centre.hear(beat, now_ms=centre.now_ms)


async def test_a_clock_that_was_set_is_an_alarm_until_it_is_synchronised_again(centre: Centre) -> None:
    centre.journal.write("clock.stepped", None, step_ms=-7_200_000)
    await centre.hear(centre.journal.batch())
    assert await told(centre) == [("clock_stepped", "stepped_by -7200")]
    await beats(centre, 5, clock=Clock.STEPPED)
    await beats(centre, 2)
    assert len(await told(centre)) == 1, "two sound beats are not three"
    await beats(centre, 1)
    assert await told(centre) == []


async def test_a_step_between_sound_beats_stands_for_three_more_of_them(centre: Centre) -> None:
    await beats(centre, 4)
    centre.journal.write("clock.stepped", None, step_ms=-7_200_000)
    await centre.hear(centre.journal.batch(), now_ms=centre.now_ms)
    await beats(centre, 2)
    assert await told(centre) == [("clock_stepped", "stepped_by -7200")]
    await beats(centre, 1)
    assert await told(centre) == []


async def test_a_clock_that_tells_another_time_is_an_alarm_within_three_beats(centre: Centre) -> None:
    await beats(centre, 3)
    await beats(centre, 2, skew_ms=-9_000)
    assert await told(centre) == []
    await beats(centre, 1, skew_ms=-9_000)
    assert await told(centre) == [("clock_stepped", "behind 9")]
    await beats(centre, 10, skew_ms=-12_000)
    assert await told(centre) == [("clock_stepped", "behind 9")], "one raise, however far it runs"


async def permit(centre: Centre, from_ms: int, until_ms: int) -> None:
    values = {"edge": "liuxu", "from_ms": from_ms, "until_ms": until_ms, "reason": "换锁", "who": "陈静"}
    await centre.store.write(lambda tx: tx.conn.execute(insert(maintenance).values(values)))


async def test_maintenance_stands_from_its_beginning_to_its_end_by_the_centres_clock(centre: Centre) -> None:
    await permit(centre, T0 + 1_000, T0 + HOUR_MS)
    await centre.clockwork.tick(T0 + 999, 0.0)
    assert await told(centre) == []
    for now_ms in (T0 + 1_000, T0 + 60_000, T0 + HOUR_MS - 1):
        await centre.clockwork.tick(now_ms, 0.0)
        assert await told(centre) == [("maintenance", f"until {T0 + HOUR_MS} 陈静")]
    await centre.clockwork.tick(T0 + HOUR_MS, 0.0)
    assert await told(centre) == []


async def test_maintenance_that_was_ended_early_is_over_at_once(centre: Centre) -> None:
    await permit(centre, T0, T0 + HOUR_MS)
    await centre.clockwork.tick(T0 + 1, 0.0)
    await centre.store.write(lambda tx: tx.conn.execute(update(maintenance).values(ended_ms=T0 + 9)))
    await centre.clockwork.tick(T0 + 10, 0.0)
    assert await told(centre) == []


async def test_an_edge_in_maintenance_that_nobody_here_allowed_is_shown_as_such(centre: Centre) -> None:
    await centre.hear(replace(centre.journal.birth(**WHOLE), modes=[Mode.MAINTENANCE]))
    await centre.clockwork.tick(T0 + 1, 0.0)
    assert await told(centre) == [("maintenance", "unpermitted")]
    centre.journal.write("maintenance.ended", None, permission=1, why="over")
    await centre.hear(centre.journal.batch())
    await centre.clockwork.tick(T0 + 2, 0.0)
    assert await told(centre) == []


async def test_an_edge_may_end_its_maintenance_as_much_later_as_its_command_was_valid(centre: Centre) -> None:
    await permit(centre, T0 - HOUR_MS, T0)
    await centre.hear(replace(centre.journal.birth(**WHOLE), modes=[Mode.MAINTENANCE]))
    await centre.clockwork.tick(T0 + COMMAND_VALID_MAX_S * 1_000 - 1, 0.0)
    assert await told(centre) == []
    await centre.clockwork.tick(T0 + COMMAND_VALID_MAX_S * 1_000, 0.0)
    assert await told(centre) == [("maintenance", "unpermitted")]


async def test_settings_that_changed_are_an_alarm_unless_maintenance_was_allowed(centre: Centre) -> None:
    await permit(centre, T0, T0 + HOUR_MS)
    centre.journal.write("config.changed", None, sha256="ab" * 32, was="cd" * 32)
    await centre.hear(centre.journal.batch(), now_ms=T0 + HOUR_MS - 1)
    assert await told(centre) == []
    centre.journal.write("config.changed", None, sha256="ef" * 32, was="ab" * 32)
    await centre.hear(centre.journal.batch(2), now_ms=T0 + HOUR_MS)
    assert ("settings_changed", "config efefefef") in await told(centre)


async def test_a_permission_covers_no_change_that_was_made_before_it(centre: Centre) -> None:
    await permit(centre, T0, T0 + HOUR_MS)
    centre.journal.write("config.changed", None, at=T0 - DAY_MS, sha256="ab" * 32, was="cd" * 32)
    await centre.hear(centre.journal.batch(), now_ms=T0 + 1)
    assert ("settings_changed", "config abababab") in await told(centre)


async def test_one_permission_covers_both_the_change_and_the_word_of_it(centre: Centre) -> None:
    await permit(centre, T0 - DAY_MS, T0 - HOUR_MS)
    await permit(centre, T0, T0 + HOUR_MS)
    centre.journal.write("config.changed", None, at=T0 - DAY_MS, sha256="ab" * 32, was="cd" * 32)
    await centre.hear(centre.journal.batch(), now_ms=T0 + 1)
    assert ("settings_changed", "config abababab") in await told(centre)


async def test_a_birth_with_other_settings_is_an_alarm_though_no_row_tells_of_them(centre: Centre) -> None:
    changed = replace(centre.journal.birth(**WHOLE), config="ab" * 32)
    await centre.hear(changed)
    assert await told(centre) == [("settings_changed", "config abababab")]
    await centre.hear(replace(changed, seq=0))
    (before,) = await standing(centre)
    await centre.store.write(
        lambda tx: settle(tx, Places(STATIONS), before.id, Settling("1", "陈静", "查明", T0))
    )
    await centre.hear(changed)
    assert await told(centre) == [], "it was looked into, and is the same"


async def test_other_settings_at_a_birth_within_a_permission_are_taken_over(centre: Centre) -> None:
    await permit(centre, T0, T0 + HOUR_MS)
    changed = replace(centre.journal.birth(**WHOLE), config="ab" * 32)
    await centre.hear(changed, now_ms=T0 + HOUR_MS - 1)
    await centre.hear(changed, now_ms=T0 + HOUR_MS)
    assert await told(centre) == []


async def test_a_simulated_edge_says_so_until_it_starts_as_a_true_one(centre: Centre) -> None:
    await centre.rows(("door.open", DOOR), simulated=True)
    assert await told(centre) == [("simulated", "rows")]
    await centre.hear(centre.journal.birth(**WHOLE))
    assert await told(centre) == [("simulated", "rows")], "the same start"
    centre.journal.session += 1
    await centre.hear(replace(centre.journal.birth(**WHOLE), modes=[Mode.SIMULATED]))
    assert await told(centre) == [("simulated", "mode")]
    assert (await centre.room()).simulated
    centre.journal.session += 1
    await centre.hear(centre.journal.birth(**WHOLE))
    assert await told(centre) == []
    assert not (await centre.room()).simulated


async def test_an_edge_without_keys_is_an_alarm_as_long_as_it_has_none(centre: Centre) -> None:
    await centre.hear(replace(centre.journal.birth(**WHOLE), modes=[Mode.INSECURE]))
    assert await told(centre) == [("insecure", "mode")]
    await centre.hear(centre.journal.birth(**WHOLE))
    assert await told(centre) == []


async def test_a_full_disk_is_an_alarm_until_there_is_room(centre: Centre) -> None:
    for kind, free_mb in (("disk.low", 90), ("disk.low", 40), ("disk.enough", 900)):
        centre.journal.write(kind, None, free_mb=free_mb)
    await centre.hear(centre.journal.batch(1, 2))
    assert await told(centre) == [("disk_low", "free 90")]
    await centre.hear(centre.journal.batch(3))
    assert await told(centre) == []


async def test_a_certificate_warns_at_30_7_and_1_days_and_when_it_is_over(centre: Centre) -> None:
    ends_ms = T0 + 100 * DAY_MS
    key = {"edge": "liuxu", "public": "0" * 64, "certificate": "", "from_ms": T0, "reason": ""}
    await centre.store.write(lambda tx: tx.conn.execute(insert(edge_key).values(expires_ms=ends_ms, **key)))
    seen = []
    for before_ms in (31 * DAY_MS, 30 * DAY_MS, 7 * DAY_MS, DAY_MS, 0, -DAY_MS):
        await centre.clockwork.tick(ends_ms - before_ms, 0.0)
        seen.append(await told(centre))
    words = ["month", "week", "day", "over", "over"]
    assert seen == [[], *([("certificate_expires", f"{word} {ends_ms}")] for word in words)]
    newer = key | {"public": "1" * 64, "expires_ms": ends_ms + 365 * DAY_MS}
    await centre.store.write(lambda tx: tx.conn.execute(insert(edge_key).values(newer)))
    await centre.clockwork.tick(ends_ms, 0.0)
    assert await told(centre) == [("certificate_expires", f"over {ends_ms}")], "a key that nobody uses"
    await centre.store.write(lambda tx: keys.supersede_others(tx.conn, "liuxu", newer["public"], ends_ms))
    await centre.clockwork.tick(ends_ms, 0.0)
    assert await told(centre) == []


async def test_a_journal_that_was_touched_stands_whatever_comes_after(centre: Centre) -> None:
    centre.journal.write("journal.touched", None, verdict="rows", row=17)
    await centre.hear(centre.journal.batch())
    centre.journal.session += 1
    await centre.hear(centre.journal.birth(**WHOLE))
    await beats(centre, 4)
    assert await told(centre) == [("journal_touched", "row 17")]


async def test_a_restart_of_the_centre_neither_ends_nor_repeats_a_fault(centre: Centre) -> None:
    centre.journal.write("journal.touched", None, row=3)
    await centre.hear(centre.journal.batch())
    await permit(centre, T0, T0 + HOUR_MS)
    await centre.clockwork.tick(T0 + 1, 0.0)
    await centre.hear(centre.journal.goodbye("stop"))
    before, changes = await standing(centre), len(centre.changes)
    again = Clockwork(centre.store, STATIONS, RULES, Supervision(), lambda: T0)
    for second in range(20):
        await again.tick(T0 + 2_000 + second * 1_000, 1_000.0 + second)
    assert await standing(centre) == before
    assert {fault.kind for fault in before} == {"journal_touched", "maintenance", "service_stopped"}
    assert len(centre.changes) == changes
