"""HTTP control of the simulators: read and set points, take devices offline, read the record of changes."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from simulators.control.layout import layout
from simulators.errors import BadValue, PortBusy, SimulatorError, UnknownDevice, UnknownPoint
from simulators.installation import Installation
from simulators.plant import VALUES, point_kind

BODY_MAX_BYTES = 1024
FOLDER = Path(__file__).parent
FILES = {"/": "page.html", "/page.css": "page.css", "/page.js": "page.js"}
STATUS: dict[type[SimulatorError], int] = {
    UnknownPoint: 404,
    UnknownDevice: 404,
    BadValue: 422,
    PortBusy: 409,
}
Body = TypeVar("Body", bound=msgspec.Struct)


class PointBody(msgspec.Struct, forbid_unknown_fields=True):
    value: str


class DeviceBody(msgspec.Struct, forbid_unknown_fields=True):
    """`restart`: the device was without power, its counters start from nothing."""

    online: bool
    restart: bool = False


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
                web.get("/record", self._record),
                web.post("/devices/{device}", self._set_device),
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

    async def _record(self, request: web.Request) -> web.Response:
        after = request.query.get("after", "0")
        if not after.isdecimal():
            raise BadValue(f"after: {after!r} is no number of a change")
        return _json({"changes": self._installation.plant.changes(int(after))})

    async def _set_device(self, request: web.Request) -> web.Response:
        device, body = request.match_info["device"], await _body(request, DeviceBody)
        await self._installation.set_online(device, online=body.online, restart=body.restart)
        return _json({"device": device, "online": body.online})


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
        return _json({"code": fault.code, "message": str(fault)}, STATUS[type(fault)])


def _json(content: Any, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(content), status=status, content_type="application/json")


def _file(name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def serve(_: web.Request) -> web.StreamResponse:
        headers = {
            "Content-Security-Policy": "default-src 'self'; img-src data:",
            "Cache-Control": "no-cache",
        }
        return web.FileResponse(FOLDER / name, headers=headers)

    return serve
