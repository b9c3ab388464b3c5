"""The work states of an alert and every way between them, as data: alarms.md 2.2 and 2.3.

What is not in the table cannot happen. UNACK 待巡, CLAIMED 已接, REVIEWING 巡查中, RTN_UNACK 离室未巡,
LAPSED 漏巡, REVIEWED 已巡.
"""

from enum import StrEnum


class State(StrEnum):
    UNACK = "UNACK"
    CLAIMED = "CLAIMED"
    REVIEWING = "REVIEWING"
    RTN_UNACK = "RTN_UNACK"
    LAPSED = "LAPSED"
    REVIEWED = "REVIEWED"


class Act(StrEnum):
    """What moves an alert: a person's act, or the system's on their behalf."""

    CLAIM = "claim"
    VIEW = "view"
    """The owner's player has really shown enough of the room's picture. Never a hover or a click."""
    REVIEW = "review"
    UNSEEN = "unseen"
    """The owner reports that there was no picture: not patrolled."""
    RELEASE = "release"
    SESSION_END = "session_end"
    LAPSE = "lapse"


RESTING = frozenset({State.UNACK, State.RTN_UNACK, State.LAPSED})
"""Nobody's: where an alert waits, and where a released one returns."""

TERMINAL = frozenset({State.REVIEWED})

TRANSITIONS: dict[tuple[State, Act], State] = {
    # row 2; a lapsed alert gets an owner and stays lapsed: no acknowledgement clears it (row 9)
    (State.UNACK, Act.CLAIM): State.CLAIMED,
    (State.RTN_UNACK, Act.CLAIM): State.CLAIMED,
    (State.LAPSED, Act.CLAIM): State.LAPSED,
    # rows 3 and 9
    (State.CLAIMED, Act.VIEW): State.REVIEWING,
    (State.LAPSED, Act.VIEW): State.REVIEWING,
    # row 4; from CLAIMED and LAPSED only where the room has no camera
    (State.REVIEWING, Act.REVIEW): State.REVIEWED,
    (State.CLAIMED, Act.REVIEW): State.REVIEWED,
    (State.LAPSED, Act.REVIEW): State.REVIEWED,
    # row 4b
    (State.CLAIMED, Act.UNSEEN): State.LAPSED,
    (State.LAPSED, Act.UNSEEN): State.LAPSED,
    # row 5; `at_rest` says where it really returns
    (State.CLAIMED, Act.RELEASE): State.UNACK,
    (State.REVIEWING, Act.RELEASE): State.UNACK,
    (State.LAPSED, Act.RELEASE): State.LAPSED,
    # rows 7 and 8
    (State.UNACK, Act.SESSION_END): State.RTN_UNACK,
    (State.UNACK, Act.LAPSE): State.LAPSED,
    (State.RTN_UNACK, Act.LAPSE): State.LAPSED,
}


def after(state: State, act: Act) -> State | None:
    """The state that `act` leads to, None where it cannot happen."""
    return TRANSITIONS.get((state, act))


def at_rest(*, has_ended: bool, has_lapsed: bool) -> State:
    """Where an alert without owner belongs: 漏巡 stays 漏巡, an ended session is not in use again."""
    if has_lapsed:
        return State.LAPSED
    return State.RTN_UNACK if has_ended else State.UNACK
