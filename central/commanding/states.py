"""The states of a command and every way between them, as data. What is not in the table cannot happen.

The edge's rows are the truth: one that comes after all moves a command that was thought unanswered.
"""

from enum import StrEnum

from contract.rows import EdgeKind


class State(StrEnum):
    WAITING = "waiting"
    """For its edge to be reached; not for long: an order that a person has forgotten is not carried out."""
    SENT = "sent"
    ACCEPTED = "accepted"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    ABANDONED = "abandoned"
    """Accepted before the edge restarted: nobody knows whether it was carried out."""
    UNANSWERED = "unanswered"
    """Never sent, or no row has told of it; by now the edge would refuse it."""


class Step(StrEnum):
    SEND = "send"
    ACCEPT = "accept"
    DO = "do"
    FAIL = "fail"
    REFUSE = "refuse"
    ABANDON = "abandon"
    GIVE_UP = "give_up"


STEPS = {
    EdgeKind.COMMAND_ACCEPTED: Step.ACCEPT,
    EdgeKind.COMMAND_DONE: Step.DO,
    EdgeKind.COMMAND_FAILED: Step.FAIL,
    EdgeKind.COMMAND_REFUSED: Step.REFUSE,
    EdgeKind.COMMAND_ABANDONED: Step.ABANDON,
}
"""What a row of an edge does to the command it names."""

_ANSWERS = {
    Step.DO: State.DONE,
    Step.FAIL: State.FAILED,
    Step.ABANDON: State.ABANDONED,
}
_ASKED = (State.SENT, State.UNANSWERED)

TRANSITIONS: dict[tuple[State, Step], State] = {
    (State.WAITING, Step.SEND): State.SENT,
    (State.WAITING, Step.GIVE_UP): State.UNANSWERED,
    (State.SENT, Step.GIVE_UP): State.UNANSWERED,
    **{(state, Step.ACCEPT): State.ACCEPTED for state in _ASKED},
    **{(state, Step.REFUSE): State.REFUSED for state in _ASKED},
    **{(state, step): to for state in (*_ASKED, State.ACCEPTED) for step, to in _ANSWERS.items()},
}

OPEN = (State.WAITING, State.SENT, State.ACCEPTED)
"""Something may still come of it by itself."""


def after(state: State, step: Step) -> State | None:
    """The state that `step` leads to, None where it cannot happen."""
    return TRANSITIONS.get((state, step))


def befores(step: Step) -> list[State]:
    """The states that `step` may find."""
    return [state for state, known in TRANSITIONS if known is step]
