"""Forced, ajar and jammed, in virtual time: the watch itself, and the rows that points make of it."""

import pytest

from contract.ids import PointId
from contract.points import Clock
from contract.rows import EdgeKind
from device_drivers.driver import Fault, Observation
from edge.clock import Stamp
from edge.lock_watch import LockWatch
from edge.points import Points
from edge.proposals import PointMemory, Proposal
from edge.settings import PointSettings

LOCK = PointId("liuxu.cab1.s01.lock")
OTHER = PointId("liuxu.cab1.s02.lock")
S = 1_000_000_000


def watch_closed_at(second: float = 0) -> LockWatch:
    watch = LockWatch()
    see(watch, second, is_open=False)
    return watch


def see(watch: LockWatch, second: float, *, is_open: bool, is_ajar: bool = False):
    return watch.see(LOCK, is_open=is_open, is_ajar=is_ajar, now_ns=int(second * S))


@pytest.mark.parametrize(
    ("commanded", "last_closed", "seen_open", "said"),
    [
        (None, 0, 1, {"forced": True}),
        (0, 1, 2, {}),
        (0, 4.9, 5, {}),
        (0, 5.1, 6, {"forced": True}),
        (10, 9.9, 11, {}),
        (1, 0, 60, {"perhaps_forced": True}),
    ],
    ids=["no command", "at once", "late", "too late", "closed before", "a silent bus between"],
)
def test_an_opening_is_forced_unless_a_command_just_before_explains_it(
    commanded, last_closed, seen_open, said
) -> None:
    watch = watch_closed_at()
    if commanded is not None:
        watch.command(LOCK, commanded * S)
    see(watch, last_closed, is_open=False)
    assert watch.explain(LOCK, int(seen_open * S)) == said


def test_a_command_explains_one_opening_and_no_other() -> None:
    watch = watch_closed_at()
    watch.command(LOCK, 1 * S)
    assert watch.explain(LOCK, 2 * S) == {}
    assert watch.explain(LOCK, 2 * S) == {}, "not told as long as no row is durable"
    watch.told_open(LOCK)
    see(watch, 3, is_open=False)
    assert watch.explain(LOCK, 4 * S) == {"forced": True}


def test_a_command_for_one_lock_explains_no_other() -> None:
    watch = watch_closed_at()
    watch.command(OTHER, 0)
    assert watch.explain(LOCK, 1 * S) == {"forced": True}


def test_a_lock_is_ajar_once_it_has_been_open_for_long_enough() -> None:
    watch = watch_closed_at()
    assert see(watch, 1, is_open=True) is None
    assert see(watch, 30.9, is_open=True) is None
    assert see(watch, 31, is_open=True) == (EdgeKind.LOCK_AJAR, {"open_s": 30})
    assert see(watch, 40, is_open=True, is_ajar=True) is None


def test_closing_starts_the_next_opening_anew() -> None:
    watch = watch_closed_at()
    see(watch, 1, is_open=True)
    see(watch, 20, is_open=False)
    see(watch, 21, is_open=True)
    assert see(watch, 50, is_open=True) is None
    assert see(watch, 51, is_open=True) == (EdgeKind.LOCK_AJAR, {"open_s": 30})


def test_a_lock_that_stays_closed_after_its_command_is_jammed_once_a_command() -> None:
    watch = watch_closed_at()
    watch.command(LOCK, 1 * S)
    assert see(watch, 3.9, is_open=False) is None
    jammed = see(watch, 4, is_open=False)
    assert jammed == (EdgeKind.LOCK_JAMMED, {"wait_s": 3})
    assert see(watch, 4.1, is_open=False) == jammed, "not told as long as no row is durable"
    watch.told_jammed(LOCK)
    assert see(watch, 5, is_open=False) is None
    watch.command(LOCK, 10 * S)
    assert see(watch, 13, is_open=False) == jammed


def test_a_lock_that_opened_and_was_shut_again_is_not_jammed() -> None:
    watch = watch_closed_at()
    watch.command(LOCK, 1 * S)
    see(watch, 2, is_open=True)
    assert see(watch, 10, is_open=False) is None


class Cabinet:
    """Two locks and a door through Points, sample by sample; `restart` keeps what the journal keeps."""

    def __init__(self) -> None:
        self.second = 1_000.0
        self.memories: dict[PointId, PointMemory] = {}
        self.restart()

    def restart(self) -> None:
        settings = [
            PointSettings(id=LOCK, type="lock", device="locks1", channel="lock:1"),
            PointSettings(id=OTHER, type="lock", device="locks1", channel="lock:2", inverted=True),
            PointSettings(id="liuxu.int1.door", type="door", device="locks1", channel="di:1"),
        ]
        self.points = Points(settings, [], self.memories, is_simulated=False, last_at=0)

    def propose(self, channel: str, *, active: bool, fault: Fault | None = None) -> Proposal:
        stamp = Stamp(int(self.second * 1_000), int(self.second * S), "b0", Clock.FREE)
        return self.points.observe("locks1", [Observation(channel, active, fault=fault)], stamp)

    def see(self, *, active: bool, after_s: float = 0.5, channel: str = "lock:1", **options):
        self.second += after_s
        proposal = self.propose(channel, active=active, **options)
        self.points.commit(proposal)
        self.memories = {**self.memories, **proposal.memories}
        return [(draft.kind, draft.data) for draft in proposal.drafts]

    def command(self, lock: PointId = LOCK) -> None:
        self.points.commanded(lock, int(self.second * S))


@pytest.fixture
def cabinet() -> Cabinet:
    cabinet = Cabinet()
    cabinet.see(active=False)
    return cabinet


def test_an_opening_by_key_says_that_it_was_forced(cabinet: Cabinet) -> None:
    assert cabinet.see(active=True) == [("lock.open", {"was": "closed", "forced": True})]
    assert cabinet.see(active=False) == [("lock.closed", {"was": "open"})]


def test_an_opening_that_was_told_does_not(cabinet: Cabinet) -> None:
    cabinet.command()
    assert cabinet.see(active=True) == [("lock.open", {"was": "closed"})]
    assert cabinet.see(active=False) == [("lock.closed", {"was": "open"})]


def test_an_inverted_lock_is_watched_by_what_it_is_and_not_by_its_contact(cabinet: Cabinet) -> None:
    cabinet.see(active=True, channel="lock:2")
    opened = cabinet.see(active=False, channel="lock:2")
    assert opened == [("lock.open", {"was": "closed", "forced": True})]
    assert cabinet.see(active=False, channel="lock:2", after_s=30) == [("lock.ajar", {"open_s": 30})]


def test_a_door_is_no_lock(cabinet: Cabinet) -> None:
    cabinet.see(active=False, channel="di:1")
    assert cabinet.see(active=True, channel="di:1") == [("door.open", {"was": "closed"})]
    assert cabinet.see(active=True, channel="di:1", after_s=60) == []


def test_an_ajar_lock_is_told_once_an_opening(cabinet: Cabinet) -> None:
    cabinet.see(active=True)
    assert cabinet.see(active=True, after_s=29) == []
    assert cabinet.see(active=True, after_s=1) == [("lock.ajar", {"open_s": 30})]
    assert cabinet.see(active=True, after_s=60) == []
    cabinet.see(active=False)
    cabinet.see(active=True)
    assert cabinet.see(active=True, after_s=30) == [("lock.ajar", {"open_s": 30})]


def test_a_jammed_lock_is_told_once_a_command(cabinet: Cabinet) -> None:
    cabinet.command()
    assert cabinet.see(active=False, after_s=2.5) == []
    assert cabinet.see(active=False) == [("lock.jammed", {"wait_s": 3})]
    assert cabinet.see(active=False) == []


def test_a_fault_is_neither_open_nor_closed(cabinet: Cabinet) -> None:
    cabinet.command()
    kinds = [kind for kind, _ in cabinet.see(active=False, after_s=4, fault=Fault.DEVICE_ERROR)]
    assert kinds == ["point.quality"]
    kinds = [kind for kind, _ in cabinet.see(active=False)]
    assert kinds == ["point.quality"], "it may have opened and been closed: nobody saw"


def test_nothing_is_told_as_long_as_no_row_is_durable(cabinet: Cabinet) -> None:
    cabinet.see(active=True)
    cabinet.second += 30
    first, again = (cabinet.propose("lock:1", active=True) for _ in range(2))
    assert [draft.kind for draft in first.drafts] == ["lock.ajar"]
    assert again.drafts == first.drafts


def test_a_restart_tells_nothing_again(cabinet: Cabinet) -> None:
    cabinet.see(active=True)
    cabinet.see(active=True, after_s=30)
    cabinet.restart()
    assert cabinet.see(active=True) == []
    assert cabinet.see(active=True, after_s=60) == []


def test_a_lock_left_open_over_a_restart_is_ajar_when_it_has_been_seen_open_for_long_enough(
    cabinet: Cabinet,
) -> None:
    cabinet.see(active=True)
    cabinet.restart()
    assert cabinet.see(active=True) == []
    assert cabinet.see(active=True, after_s=30) == [("lock.ajar", {"open_s": 30})]


def test_a_lock_that_opened_while_nobody_watched_was_forced(cabinet: Cabinet) -> None:
    cabinet.restart()
    assert cabinet.see(active=True) == [("lock.open", {"was": "closed", "forced": True})]


def test_the_very_first_reading_of_an_open_lock_is_a_state_and_no_opening() -> None:
    assert Cabinet().see(active=True) == [("point.baseline", {"value": "open"})]
