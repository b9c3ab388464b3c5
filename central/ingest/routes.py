"""The stored journal rows over HTTP: `/api/v1/events`."""

from typing import Annotated

from msgspec import Meta, Struct

from central.accounts.roles import Right
from central.free_text import Text
from central.settings import StationSettings
from central.store import events
from central.store.database import Store
from central.web.endpoints import Call, Endpoint, Nothing
from central.web.errors import Problem


class EventQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """`after`: an event's id; ids are in commit order. `last`: the newest so many, instead of a page.
    `room`: only rows of this room's points, from its own station's edge.
    """

    after: Annotated[int, Meta(ge=0, lt=2**53)] = 0
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 200
    last: Annotated[int, Meta(ge=1, le=1_000)] | None = None
    room: Annotated[Text, Meta(max_length=64)] | None = None


class EventsReply(Struct, frozen=True):
    """Oldest first. `next`: the `after` of the next page, null when there is no more."""

    events: list[events.StoredEvent]
    next: int | None


class EventRoutes:
    """Handlers over the store's events."""

    def __init__(self, store: Store, stations: tuple[StationSettings, ...]) -> None:
        self._store = store
        self._origins = {
            room.id: events.Origin(station.edge, (*room.doors, *((room.camera,) if room.camera else ())))
            for station in stations
            for room in station.rooms
        }

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="GET", path="/api/v1/events", access=Right.READ_EVENTS, handler=self.list_events,
                query=EventQuery, reply=EventsReply, statuses=(404,),
                summary="Stored journal rows, in commit order",
            )
        ]  # fmt: skip

    async def list_events(self, call: Call[Nothing, EventQuery]) -> EventsReply:
        asked = call.query
        if asked.room is not None and asked.room not in self._origins:
            raise Problem(404, "room.not_found", "no such room")
        origin = self._origins[asked.room] if asked.room else None
        if asked.last is not None:
            count = asked.last
            newest = await self._store.read(lambda conn: events.last_events(conn, count, origin))
            return EventsReply(newest, None)
        found = await self._store.read(
            lambda conn: events.list_events(conn, asked.after, asked.limit, origin)
        )
        return EventsReply(*found)
