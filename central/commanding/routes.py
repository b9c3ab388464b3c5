"""Commands and maintenance over HTTP: `/api/v1/commands`, `/api/v1/maintenance`."""

from collections.abc import Callable
from typing import Annotated, Literal

from msgspec import Meta, Struct

from central.accounts.roles import Right, User
from central.commanding import queries, requests, windows
from central.commanding.queries import Given
from central.commanding.requests import FOR_MIN_S, REASON_MAX_CHARS, Order, Who
from central.commanding.windows import Window
from central.errors import Refused
from central.free_text import Text
from central.patrol.places import Places
from central.settings import StationSettings
from central.store.database import Store
from central.web.endpoints import Call, Endpoint, Nothing
from central.web.errors import NotFound, Problem
from contract.ids import EdgeIdText, PointIdText
from contract.limits import MAINTENANCE_MAX_S

ActionId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{8,64}$")]
Reason = Annotated[Text, Meta(min_length=1, max_length=REASON_MAX_CHARS)]
PageSize = Annotated[int, Meta(ge=1, le=500)]
Millis = Annotated[int, Meta(ge=0, lt=2**53)]


class CommandAct(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`point`: the lock of the slot that is to open, or what is to be read again."""

    action_id: ActionId
    action: Literal["open_slot", "reread"]
    edge: EdgeIdText
    point: PointIdText
    reason: Reason


class CommandQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """`before_ms`: only commands given before; the `made_ms` of the last one shown gets the next page."""

    edge: EdgeIdText | None = None
    before_ms: Millis | None = None
    limit: PageSize = 100


class CommandReply(Struct, frozen=True):
    command: Given


class CommandsReply(Struct, frozen=True):
    """Newest first."""

    commands: list[Given]


class MaintenanceAct(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    edge: EdgeIdText
    for_s: Annotated[int, Meta(ge=FOR_MIN_S, le=MAINTENANCE_MAX_S)]
    reason: Reason


class EndAct(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    reason: Reason


class MaintenanceQuery(Struct, frozen=True, forbid_unknown_fields=True):
    edge: EdgeIdText | None = None
    limit: PageSize = 100


class WindowReply(Struct, frozen=True):
    maintenance: Window


class WindowsReply(Struct, frozen=True):
    """Newest first."""

    maintenance: list[Window]


class CommandRoutes:
    """`clock` gives wall time in ms; `came` is called when there is something to send."""

    def __init__(
        self,
        store: Store,
        stations: tuple[StationSettings, ...],
        clock: Callable[[], int],
        came: Callable[[], None],
    ) -> None:
        self._store = store
        self._places = Places(stations)
        self._clock = clock
        self._came = came

    def endpoints(self) -> list[Endpoint]:
        read, command, maintain = Right.READ_EVENTS, Right.COMMAND, Right.MAINTAIN
        return [
            Endpoint(
                method="GET", path="/api/v1/commands", access=read, handler=self.list_commands,
                query=CommandQuery, reply=CommandsReply, summary="Commands, what came of them, newest first",
            ),
            Endpoint(
                method="POST", path="/api/v1/commands", access=command, handler=self.give,
                body=CommandAct, reply=CommandReply, summary="Open a slot, or have a point read",
            ),
            Endpoint(
                method="GET", path="/api/v1/maintenance", access=read, handler=self.list_windows,
                query=MaintenanceQuery, reply=WindowsReply, summary="Leave to maintain, newest first",
            ),
            Endpoint(
                method="POST", path="/api/v1/maintenance", access=maintain, handler=self.begin,
                body=MaintenanceAct, reply=WindowReply, summary="Give leave to maintain a station's devices",
            ),
            Endpoint(
                method="POST", path="/api/v1/maintenance/{id}/end", access=maintain, handler=self.end,
                body=EndAct, reply=WindowReply, statuses=(404,), summary="Take the leave back",
            ),
        ]  # fmt: skip

    async def list_commands(self, call: Call[Nothing, CommandQuery]) -> CommandsReply:
        asked = call.query
        return CommandsReply(
            await self._store.read(
                lambda conn: queries.list_commands(conn, asked.edge, asked.before_ms, asked.limit)
            )
        )

    async def give(self, call: Call[CommandAct, Nothing]) -> CommandReply:
        body, who = call.body, _who(call.user)
        asked = Order(body.action_id, body.edge, body.action, body.point, body.reason)
        try:
            given = await self._store.write(
                lambda tx: requests.order(tx, self._places, asked, who, self._clock())
            )
        except Refused as error:
            raise Problem(422, error.code, str(error)) from error
        self._came()
        return CommandReply(given)

    async def list_windows(self, call: Call[Nothing, MaintenanceQuery]) -> WindowsReply:
        asked = call.query
        return WindowsReply(
            await self._store.read(lambda conn: windows.list_windows(conn, asked.edge, asked.limit))
        )

    async def begin(self, call: Call[MaintenanceAct, Nothing]) -> WindowReply:
        body, who = call.body, _who(call.user)
        try:
            window = await self._store.write(
                lambda tx: requests.begin_maintenance(
                    tx,
                    self._places,
                    body.edge,
                    for_s=body.for_s,
                    reason=body.reason,
                    who=who,
                    now_ms=self._clock(),
                )
            )
        except Refused as error:
            raise Problem(422, error.code, str(error)) from error
        self._came()
        return WindowReply(window)

    async def end(self, call: Call[EndAct, Nothing]) -> WindowReply:
        number, who = call.part("id"), _who(call.user)
        if not number.isascii() or not number.isdigit() or len(number) > 15:
            raise NotFound
        window = await self._store.write(
            lambda tx: requests.end_maintenance(
                tx, int(number), reason=call.body.reason, who=who, now_ms=self._clock()
            )
        )
        if window is None:
            raise NotFound
        self._came()
        return WindowReply(window)


def _who(user: User) -> Who:
    return user.id, user.name
