"""The patrol's decisions: sessions and alerts of one room, told as a table of what happens when."""

import itertools

import pytest

from central.patrol.engine import Edge, Patrol, PointState, door_of
from central.patrol.states import RESTING, TERMINAL, TRANSITIONS, Act, State, after, at_rest
from tests.support.county import RULES, T0

MINUTE = 60_000
IDLE = RULES.session_idle_s * 1_000
MAX = RULES.session_max_s * 1_000
LAPSE = RULES.lapse_after_s * 1_000
HOUR = 60 * MINUTE


class Room:
    """A room whose only door is moved by the test."""

    def __init__(self) -> None:
        ids = itertools.count(1)
        self.patrol = Patrol([], RULES, lambda: next(ids))
        self.cond = "CLOSED"

    def move(self, to: str, at: int, *, received: int | None = None, late: bool = False, opens: int = 1):
        was, self.cond = self.cond, self.cond if late else to
        edge = Edge(
            at_ms=at,
            received_ms=at if received is None else received,
            opens=opens if to == "OPEN" else 0,
            is_current=not late,
            was_open=was == "OPEN",
            is_pending=False,
        )
        return self.patrol.moved("liuxu", "liuxu.int1", edge, self.cond)

    def open(self, at: int, **more):
        return self.move("OPEN", at, **more)

    def close(self, at: int, **more):
        return self.move("CLOSED", at, **more)

    def visit(self, at: int, stay_ms: int = 5_000, **more):
        use = self.open(at, **more)
        self.close(at + stay_ms, **more)
        return use

    @property
    def kinds(self) -> list[str]:
        return [moment.kind for moment in self.patrol.moments]


@pytest.fixture
def room() -> Room:
    return Room()


def test_the_first_opening_begins_a_session_and_raises_its_alert_at_once(room: Room) -> None:
    use = room.open(T0, received=T0 + 40)
    assert (use.session.started_ms, use.session.opens, use.session.ended_ms) == (T0, 1, None)
    assert (use.alert.state, use.alert.level, use.alert.cond) == (State.UNACK, 1, "OPEN")
    assert (use.alert.edge_ms, use.alert.raised_ms, use.alert.late_ms) == (T0, T0 + 40, 40)
    assert use.alert.lapse_at_ms == T0 + 40 + LAPSE
    assert room.kinds == ["raised"]


def test_an_opening_of_a_moment_reaches_a_person_like_any_other(room: Room) -> None:
    room.open(T0)
    room.close(T0 + 1)
    assert [use.alert.state for use in room.patrol.uses] == [State.UNACK]


def test_openings_within_a_session_count_on_its_one_alert(room: Room) -> None:
    first = room.visit(T0)
    again = room.visit(T0 + 10 * MINUTE, opens=3)
    assert again is first
    assert first.session.opens == 4
    assert first.alert.rev == 1
    assert room.kinds == ["raised", "closed", "opened", "closed"]


def test_a_closing_that_belongs_to_no_session_raises_nothing(room: Room) -> None:
    assert room.close(T0) is None
    assert room.patrol.uses == []


def test_a_session_ends_when_the_door_was_closed_and_nothing_moved_for_the_idle_time(room: Room) -> None:
    use = room.visit(T0)
    end = T0 + 5_000 + IDLE
    assert room.patrol.passed(end - 1) == []
    assert room.patrol.passed(end) == [use]
    assert use.session.ended_ms == end
    assert use.alert.state == State.RTN_UNACK
    assert room.patrol.live is None


def test_a_door_that_stands_open_keeps_the_session(room: Room) -> None:
    use = room.open(T0)
    assert room.patrol.passed(T0 + IDLE * 3) == []
    assert use.session.ended_ms is None


def test_a_session_of_a_whole_day_is_split_while_the_door_stands_open(room: Room) -> None:
    first = room.open(T0)
    ended, begun = room.patrol.passed(T0 + MAX)
    assert (ended, ended.session.ended_ms) == (first, T0 + MAX)
    assert (begun.session.opens, begun.alert.state, begun.alert.cond) == (0, State.UNACK, "OPEN")


def test_an_unknown_door_ends_no_session_and_clears_no_alert(room: Room) -> None:
    use = room.visit(T0)
    assert room.patrol.stand("UNKNOWN", T0 + MINUTE) == [use]
    assert room.patrol.passed(T0 + IDLE * 2) == []
    assert room.patrol.passed(T0 + MAX) == []
    assert (use.alert.cond, use.alert.state, use.session.ended_ms) == ("UNKNOWN", State.UNACK, None)
    room.patrol.stand("CLOSED", T0 + MAX + 1)
    assert room.patrol.passed(T0 + MAX + 1) == [use]


def test_a_claimed_alert_stays_claimed_when_its_session_ends(room: Room) -> None:
    use = room.visit(T0)
    use.alert.state, use.alert.owner_id = State.CLAIMED, "1"
    room.patrol.passed(T0 + 5_000 + IDLE)
    assert use.alert.state == State.CLAIMED
    assert use.session.ended_ms is not None


def test_the_next_opening_after_the_idle_time_is_a_session_of_its_own(room: Room) -> None:
    first = room.visit(T0)
    second = room.open(T0 + 5_000 + IDLE + 1)
    assert second is not first
    assert first.session.ended_ms == T0 + 5_000 + IDLE
    assert (first.alert.state, second.alert.state) == (State.RTN_UNACK, State.UNACK)


def test_an_alert_lapses_unless_somebody_has_it(room: Room) -> None:
    room.visit(T0)
    room.visit(T0 + HOUR)
    claimed, left = room.patrol.uses
    claimed.alert.state, claimed.alert.owner_id = State.CLAIMED, "1"
    assert room.patrol.lapsed(T0 + LAPSE - 1) == []
    assert room.patrol.lapsed(T0 + HOUR + LAPSE) == [left]
    assert (left.alert.state, left.alert.lapsed, left.alert.level) == (State.LAPSED, True, 3)
    assert room.patrol.lapsed(T0 + HOUR + LAPSE + 1) == []


def test_backlog_of_the_present_use_counts_on_its_alert_and_moves_no_door(room: Room) -> None:
    use = room.open(T0)
    room.visit(T0 - 10 * MINUTE, received=T0 + 1_000, late=True)
    assert use.session.opens == 2
    assert use.session.started_ms == T0 - 10 * MINUTE
    assert use.alert.cond == "OPEN"


def test_backlog_of_an_older_use_raises_an_alert_that_has_ended_already(room: Room) -> None:
    present = room.open(T0)
    old = T0 - 8 * HOUR
    past = room.open(old, received=T0 + 1_000, late=True)
    room.close(old + 5_000, received=T0 + 1_000, late=True)
    again = room.visit(old + 5 * MINUTE, received=T0 + 1_000, late=True)
    assert past is again is not present
    assert past.session.opens == 2
    assert past.session.ended_ms == old + 5 * MINUTE + 5_000 + IDLE
    assert (past.alert.state, past.alert.cond) == (State.RTN_UNACK, "CLOSED")
    assert (past.alert.late_ms, past.alert.lapse_at_ms) == (8 * HOUR + 1_000, T0 + 1_000 + LAPSE)
    assert present.session.opens == 1


def test_ten_days_of_backlog_make_the_sessions_that_there_were(room: Room) -> None:
    days = 10
    for day in range(days):
        at = T0 - (days - day) * 24 * HOUR
        for visit in range(3):
            room.visit(at + visit * 10 * MINUTE, received=T0, late=True)
    assert [use.session.opens for use in room.patrol.uses] == [3] * days
    assert [use.session.ended_ms is None for use in room.patrol.uses] == [True] + [False] * (days - 1)


def test_an_edge_with_its_clock_set_back_cannot_hide_an_opening_in_yesterdays_alert(room: Room) -> None:
    yesterday = room.visit(T0)
    room.patrol.passed(T0 + 5_000 + IDLE)
    room.patrol.lapsed(T0 + 5_000 + IDLE)
    new = room.open(T0 + MINUTE, received=T0 + 12 * HOUR)
    assert new is not yesterday
    assert new.alert.state == State.UNACK


def test_a_clock_that_runs_ahead_cannot_stretch_a_session(room: Room) -> None:
    use = room.visit(T0 + 30 * 24 * HOUR, received=T0)
    assert room.patrol.passed(T0 + IDLE) == [use]


def test_late_rows_never_open_a_reviewed_alert_again(room: Room) -> None:
    use = room.visit(T0)
    room.patrol.passed(T0 + 5_000 + IDLE)
    use.alert.state = State.REVIEWED
    late = room.open(T0 + MINUTE, received=T0 + 2 * HOUR, late=True)
    assert late is not use
    assert late.alert.state == State.UNACK


@pytest.mark.parametrize(
    ("doors", "link", "seen"),
    [
        ([("closed", "good")], "online", "closed"),
        ([("open", "good")], "online", "open"),
        ([("open", "good")], "lost", "unknown"),
        ([("open", "good")], "never", "unknown"),
        ([("closed", "comm_fail")], "online", "unknown"),
        ([("", "stale")], "online", "unknown"),
        ([("closed", "simulated")], "online", "closed"),
        ([("closed", "good"), ("open", "good")], "online", "open"),
        ([("closed", "good"), ("closed", "tamper")], "online", "unknown"),
        ([("closed", "tamper"), ("open", "good")], "online", "open"),
    ],
)
def test_a_rooms_door_is_what_its_contacts_prove(doors, link: str, seen: str) -> None:
    states = [PointState("liuxu", f"p{n}", value, quality) for n, (value, quality) in enumerate(doors)]
    assert door_of(states, link) == seen


def test_an_older_row_of_a_point_is_told_from_a_newer_one() -> None:
    state = PointState("liuxu", "p", epoch=7, seq=100)
    assert [state.is_moved_by(7, seq) for seq in (99, 100, 101)] == [False, False, True]
    assert state.is_moved_by(8, 1)


def test_no_act_leads_out_of_a_reviewed_alert_and_none_but_a_review_into_it() -> None:
    assert {act for state, act in TRANSITIONS if state in TERMINAL} == set()
    assert {act for (_, act), to in TRANSITIONS.items() if to in TERMINAL} == {Act.REVIEW}


def test_a_lapsed_alert_is_left_by_looking_or_by_a_review_and_by_nothing_else() -> None:
    ways = {act: to for (state, act), to in TRANSITIONS.items() if state is State.LAPSED and to is not state}
    assert ways == {Act.VIEW: State.REVIEWING, Act.REVIEW: State.REVIEWED}
    assert after(State.LAPSED, Act.CLAIM) is State.LAPSED


def test_only_what_nobody_holds_lapses() -> None:
    lapsing = {state for (state, act), _ in TRANSITIONS.items() if act is Act.LAPSE}
    assert lapsing == RESTING - {State.LAPSED}


@pytest.mark.parametrize(
    ("ended", "lapsed", "state"),
    [
        (False, False, State.UNACK),
        (True, False, State.RTN_UNACK),
        (False, True, State.LAPSED),
        (True, True, State.LAPSED),
    ],
)
def test_a_released_alert_returns_where_it_belongs(ended: bool, lapsed: bool, state: State) -> None:
    assert at_rest(has_ended=ended, has_lapsed=lapsed) is state
