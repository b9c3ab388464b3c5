"""The table of rights: what each role may do. Everything not in it is refused."""

from enum import StrEnum

from msgspec import Struct

from central.board_model import Person


class Role(StrEnum):
    WATCHER = "watcher"
    """案管值班员: watches the board, looks in, writes it down."""
    ADMINISTRATOR = "administrator"
    """系统管理员: accounts and devices; never a look into a room, never a review."""


class Right(StrEnum):
    SEE_BOARD = "see_board"
    """Stations, rooms, alerts, faults, and their changes as they happen."""
    READ_EVENTS = "read_events"
    """The stored journal rows of the edges."""
    VIEW_PICTURE = "view_picture"
    PATROL = "patrol"
    """Claim, release and review an alert."""
    SETTLE_FAULT = "settle_fault"
    """End, with a reason, a fault that no message ends: somebody answers for it by name."""
    READ_REVIEWS = "read_reviews"
    INVITE = "invite"
    READ_METRICS = "read_metrics"
    COMMAND = "command"
    """Open a slot of a cabinet, ask for a reading."""
    MAINTAIN = "maintain"
    """Give leave to work on a station's devices, and take it back."""


RIGHTS: dict[Role, frozenset[Right]] = {
    Role.WATCHER: frozenset(
        {
            Right.SEE_BOARD,
            Right.READ_EVENTS,
            Right.VIEW_PICTURE,
            Right.PATROL,
            Right.SETTLE_FAULT,
            Right.READ_REVIEWS,
            Right.COMMAND,
        }
    ),
    Role.ADMINISTRATOR: frozenset(
        {
            Right.SEE_BOARD,
            Right.READ_EVENTS,
            Right.SETTLE_FAULT,
            Right.INVITE,
            Right.READ_METRICS,
            Right.MAINTAIN,
        }
    ),
}


class User(Struct, frozen=True):
    """Who is signed in; `id` is the account's."""

    id: str
    name: str
    role: Role

    @property
    def person(self) -> Person:
        return Person(self.id, self.name)

    def may(self, right: Right) -> bool:
        return right in RIGHTS[self.role]
