"""The patrol over HTTP: the board's entities, the acts on an alert, the review log."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

from msgspec import Meta, Struct

from central.accounts.roles import Right
from central.board_model import Alert, AlertState, Cabinet, Room, Station
from central.errors import ActError, Conflict, NotFound
from central.free_text import Text
from central.patrol import queries
from central.patrol.desk import Desk, ReviewForm
from central.settings import StationSettings
from central.store.database import Store, Transaction
from central.web.endpoints import Call, Endpoint, Nothing
from central.web.errors import Problem

ActionId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{8,64}$")]
"""Made by the page for one press of a key; the same id again gets the same answer."""
Revision = Annotated[int, Meta(ge=0, lt=2**53)]
PageSize = Annotated[int, Meta(ge=1, le=500)]
After = Annotated[int, Meta(ge=0, lt=2**53)]


class ClaimAct(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`rev`: the alert as the person saw it."""

    action_id: ActionId
    rev: Revision


class ReleaseAct(ClaimAct, frozen=True):
    reason: Annotated[Text, Meta(min_length=1, max_length=500)]


class ReviewAct(ReviewForm, frozen=True):
    """An act whose content is the review log's form."""

    action_id: ActionId
    rev: Revision


class AlertQuery(Struct, frozen=True, forbid_unknown_fields=True):
    state: AlertState | None = None
    after: After | None = None
    limit: PageSize = 100


class ReviewQuery(Struct, frozen=True, forbid_unknown_fields=True):
    room: Annotated[Text, Meta(max_length=64)] | None = None
    after: After | None = None
    limit: PageSize = 100


class StationsReply(Struct, frozen=True):
    stations: list[Station]
    rooms: list[Room]
    cabinets: list[Cabinet]


class AlertReply(Struct, frozen=True):
    alert: Alert


class AlertsReply(Struct, frozen=True):
    """Newest first; `next` is the `after` of the next page."""

    alerts: list[Alert]
    next: int | None


class ReviewsReply(Struct, frozen=True):
    reviews: list[queries.Review]
    next: int | None


class PatrolRoutes:
    """Handlers over the desk and the store; `clock` gives wall time in ms."""

    def __init__(
        self, store: Store, desk: Desk, stations: tuple[StationSettings, ...], clock: Callable[[], int]
    ) -> None:
        self._store = store
        self._desk = desk
        self._stations = stations
        self._clock = clock

    def endpoints(self) -> list[Endpoint]:
        see, patrol = Right.SEE_BOARD, Right.PATROL
        alert = "/api/v1/alerts/{id}"
        return [
            Endpoint(
                method="GET", path="/api/v1/stations", access=see, handler=self.list_stations,
                reply=StationsReply, summary="Stations, rooms and cabinets as they are now",
            ),
            Endpoint(
                method="GET", path="/api/v1/alerts", access=see, handler=self.list_alerts,
                query=AlertQuery, reply=AlertsReply, summary="Alerts, newest first",
            ),
            Endpoint(
                method="GET", path="/api/v1/reviews", access=Right.READ_REVIEWS, handler=self.list_reviews,
                query=ReviewQuery, reply=ReviewsReply, summary="The review log, newest first",
            ),
            Endpoint(
                method="POST", path=f"{alert}/claim", access=patrol, handler=self.claim,
                body=ClaimAct, reply=AlertReply, statuses=(404, 409), summary="Take an alert",
            ),
            Endpoint(
                method="POST", path=f"{alert}/release", access=patrol, handler=self.release,
                body=ReleaseAct, reply=AlertReply, statuses=(404, 409), summary="Give a claim back",
            ),
            Endpoint(
                method="POST", path=f"{alert}/review", access=patrol, handler=self.review,
                body=ReviewAct, reply=AlertReply, statuses=(404, 409), summary="Save the review log",
            ),
        ]  # fmt: skip

    async def list_stations(self, _call: Call[Nothing, Nothing]) -> StationsReply:
        board = await self._store.read(lambda conn: queries.snapshot(conn, self._stations))
        return StationsReply(board.stations, board.rooms, board.cabinets)

    async def list_alerts(self, call: Call[Nothing, AlertQuery]) -> AlertsReply:
        asked = call.query
        found = await self._store.read(
            lambda conn: queries.list_alerts(conn, asked.state, asked.after, asked.limit)
        )
        return AlertsReply(*found)

    async def list_reviews(self, call: Call[Nothing, ReviewQuery]) -> ReviewsReply:
        asked = call.query
        found = await self._store.read(
            lambda conn: queries.list_reviews(conn, asked.room, asked.after, asked.limit)
        )
        return ReviewsReply(*found)

    async def claim(self, call: Call[ClaimAct, Nothing]) -> AlertReply:
        body, person = call.body, call.user.person
        return await self._act(
            lambda tx: self._desk.claim(tx, call.part("id"), person, body.action_id, body.rev, self._clock())
        )

    async def release(self, call: Call[ReleaseAct, Nothing]) -> AlertReply:
        body, person = call.body, call.user.person
        return await self._act(
            lambda tx: self._desk.release(
                tx, call.part("id"), person, body.action_id, body.rev, body.reason, self._clock()
            )
        )

    async def review(self, call: Call[ReviewAct, Nothing]) -> AlertReply:
        body, person = call.body, call.user.person
        return await self._act(
            lambda tx: self._desk.review(
                tx, call.part("id"), person, body.action_id, body.rev, body, self._clock()
            )
        )

    async def _act(self, work: Callable[[Transaction], Alert]) -> AlertReply:
        with _told_as_problem():
            return AlertReply(await self._store.write(work))


@contextmanager
def _told_as_problem() -> Iterator[None]:
    """What the desk refuses, as HTTP says it: 404, 409 with the alert as it is, 422 for a rule."""
    try:
        yield
    except NotFound as error:
        raise Problem(404, error.code, str(error)) from error
    except Conflict as error:
        raise Problem(409, error.code, str(error), alert=error.alert) from error
    except ActError as error:
        raise Problem(422, error.code, str(error)) from error
