"""HTTP control of the simulators: points and their record, cables, frames, faults, acts of devices."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from aiohttp import web
from msgspec import Meta

from simulators.control.fault_words import FAULT_WORDS
from simulators.control.layout import layout
from simulators.errors import BadValue, PortBusy, SimulatorError, UnknownAct, UnknownDevice, UnknownPoint
from simulators.faults import OF_THE_LINE, Fault, FaultKind
from simulators.installation import Installation
from simulators.plant import VALUES, point_kind
from simulators.scenario import How, Move

BODY_MAX_BYTES = 1024
DIGITS_MAX = 15
FOLDER = Path(__file__).parent
FILES = {
    "/": "page.html",
    "/page.css": "page.css",
    **{f"/{module.name}": module.name for module in FOLDER.glob("*.js")},
}
STATUS: dict[type[SimulatorError], int] = {
    UnknownPoint: 404,
    UnknownDevice: 404,
    UnknownAct: 422,
    BadValue: 422,
    PortBusy: 409,
}
Body = TypeVar("Body", bound=msgspec.Struct)


class PointBody(msgspec.Struct, forbid_unknown_fields=True):
    value: str


class MoveBody(msgspec.Struct, forbid_unknown_fields=True):
    """As Move, of one point, at once."""

    how: How
    times: Annotated[int, Meta(ge=1, le=10_000)] = 5
    ms: Annotated[float, Meta(gt=0, le=60_000)] = 100.0


class CableBody(msgspec.Struct, forbid_unknown_fields=True):
    online: bool


class ActBody(msgspec.Struct, forbid_unknown_fields=True):
    act: str


class FaultBody(msgspec.Struct, forbid_unknown_fields=True):
    """As Fault, on a cable."""

    cable: str
    kind: FaultKind
    unit: int | None = None
    p: Annotated[float, Meta(gt=0, le=1)] = 1.0
    every: Annotated[int, Meta(ge=0, le=10_000)] = 0
    count: Annotated[int, Meta(ge=0, le=10_000)] = 0
    ms: Annotated[float, Meta(ge=0, le=60_000)] = 600.0
    code: Annotated[int, Meta(ge=1, le=11)] = 4


class HealBody(msgspec.Struct, forbid_unknown_fields=True):
    """Nothing named: every fault of every cable. An id is one of its cable's."""

    cable: str | None = None
    id: int | None = None


class ControlServer:
    """Serves one installation at the scenario's control address; `port` is the real one once started."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._host, self.port = installation.scenario.control.host, installation.scenario.control.port
        app = web.Application(middlewares=[_refusals], client_max_size=BODY_MAX_BYTES)
        app.add_routes([web.get(path, _file(name)) for path, name in FILES.items()])
        app.add_routes(
            [
                web.get("/layout", self._layout),
                web.get("/points", self._points),
                web.post("/points/{point}", self._set_point),
                web.post("/points/{point}/moves", self._move),
                web.get("/record", self._record),
                web.get("/pictures/{room}", self._picture),
                web.post("/cables/{cable}", self._set_cable),
                web.post("/devices/{device}/acts", self._act),
                web.get("/devices/{device}/log", self._log),
                web.get("/faults", self._faults),
                web.post("/faults", self._inject),
                web.post("/faults/heal", self._heal),
                web.get("/frames", self._frames),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)

    async def start(self) -> None:
        """Listen. Raises PortBusy."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self.port).start()
        except OSError as fault:
            raise PortBusy(
                f"port {self._host}:{self.port} cannot be used: {os.strerror(fault.errno or 0)}"
            ) from fault
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _layout(self, _: web.Request) -> web.Response:
        return _json(layout(self._installation))

    async def _points(self, _: web.Request) -> web.Response:
        plant = self._installation.plant
        points = [
            {"id": point, "value": plant.value(point), "values": VALUES[point_kind(point)]}
            for point in plant.points
        ]
        return _json({"points": points})

    async def _set_point(self, request: web.Request) -> web.Response:
        point, body = request.match_info["point"], await _body(request, PointBody)
        change = self._installation.set_by_hand(point, body.value)
        return _json({"point": point, "value": body.value, "changed": change is not None, "change": change})

    async def _move(self, request: web.Request) -> web.Response:
        point, body = request.match_info["point"], await _body(request, MoveBody)
        self._installation.move_by_hand(Move(0.0, [point], body.how, body.times, body.ms))
        return _json({"point": point, "how": body.how})

    async def _record(self, request: web.Request) -> web.Response:
        return _json({"changes": self._installation.plant.changes(_number(request, "after"))})

    async def _picture(self, request: web.Request) -> web.Response:
        picture = await asyncio.to_thread(self._installation.snapshot, request.match_info["room"])
        return web.Response(body=picture, content_type="image/jpeg", headers={"Cache-Control": "no-store"})

    async def _set_cable(self, request: web.Request) -> web.Response:
        cable, body = request.match_info["cable"], await _body(request, CableBody)
        await self._installation.set_online(cable, online=body.online)
        return _json({"cable": cable, "online": body.online})

    async def _act(self, request: web.Request) -> web.Response:
        device, body = request.match_info["device"], await _body(request, ActBody)
        await self._installation.act(device, body.act)
        return _json({"device": device, "act": body.act})

    async def _log(self, request: web.Request) -> web.Response:
        return _json({"lines": self._installation.log(request.match_info["device"])})

    async def _faults(self, _: web.Request) -> web.Response:
        active = [
            {"id": entry.id, "cable": name, "left": entry.left, **msgspec.to_builtins(entry.fault)}
            for name, cable in self._installation.cables().items()
            for entry in cable.faults.active.values()
        ]
        kinds = [
            {"kind": kind, "zh": zh, "en": en, "of_line": kind in OF_THE_LINE}
            for kind, (zh, en) in FAULT_WORDS.items()
        ]
        return _json({"kinds": kinds, "active": active})

    async def _inject(self, request: web.Request) -> web.Response:
        body = await _body(request, FaultBody)
        fields = msgspec.structs.asdict(body)
        cable = fields.pop("cable")
        return _json({"id": await self._installation.inject(cable, Fault(**fields))})

    async def _heal(self, request: web.Request) -> web.Response:
        body = await _body(request, HealBody)
        if body.id is not None and body.cable is None:
            raise BadValue("an id is one of its cable's; name the cable")
        cables = self._installation.cables()
        names = [body.cable] if body.cable else list(cables)
        for name in names:
            await self._installation.cable(name).heal(body.id)
        return _json({"healed": names})

    async def _frames(self, request: web.Request) -> web.Response:
        frames = self._installation.frames(request.query.get("cable", ""), _number(request, "after"))
        return _json({"frames": frames})


def _number(request: web.Request, name: str) -> int:
    text = request.query.get(name, "0")
    if not text.isdecimal() or len(text) > DIGITS_MAX:
        raise BadValue(f"{name}: {text[:DIGITS_MAX]!r} is no number of up to {DIGITS_MAX} digits")
    return int(text)


async def _body(request: web.Request, kind: type[Body]) -> Body:
    """A JSON body. Other content types are refused: a foreign page's form could send them."""
    if request.content_type != "application/json":
        raise BadValue("the body must be application/json")
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except msgspec.DecodeError as fault:
        raise BadValue(f"body: {fault}") from fault


@web.middleware
async def _refusals(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """What the simulators refuse, as JSON with a stable code."""
    try:
        return await handler(request)
    except SimulatorError as fault:
        return _json({"code": fault.code, "message": str(fault)}, STATUS.get(type(fault), 409))


def _json(content: Any, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(content), status=status, content_type="application/json")


def _file(name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def serve(_: web.Request) -> web.StreamResponse:
        headers = {
            "Content-Security-Policy": "default-src 'self'; img-src 'self' data:",
            "Cache-Control": "no-cache",
        }
        return web.FileResponse(FOLDER / name, headers=headers)

    return serve
