"""The board's pages as they were built: central/board/dist. Open to anyone; they hold no data."""

import re
from pathlib import Path

import structlog
from aiohttp import web

from central.web.access import ACCESS, Anyone
from central.web.errors import NotFound

DIST = Path(__file__).parents[1] / "board" / "dist"
PAGES = {"/": "index.html", "/wall": "wall.html", "/desk": "desk.html"}
NOT_BUILT = "The board's pages are not built. Run script/build-board, then load this page again.\n"

_NAME = re.compile(r"^[A-Za-z0-9_-][A-Za-z0-9._-]*$")
_log = structlog.get_logger(__name__)


def add_pages(app: web.Application, dist: Path = DIST) -> None:
    """Pages are asked for anew each time; assets carry a hash in their name and are kept for ever."""
    if not (dist / "index.html").is_file():
        _log.warning("board_pages_missing", folder=str(dist), hint="run script/build-board")

    async def page(request: web.Request) -> web.StreamResponse:
        file = dist / PAGES[request.path]
        if not file.is_file():
            return web.Response(text=NOT_BUILT, status=503)
        return web.FileResponse(file, headers={"Cache-Control": "no-cache"})

    async def asset(request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if not _NAME.match(name) or not (file := dist / "assets" / name).is_file():
            raise NotFound
        return web.FileResponse(file, headers={"Cache-Control": "public, max-age=31536000, immutable"})

    for path, handler in (*((path, page) for path in PAGES), ("/assets/{name}", asset)):
        app.router.add_get(path, handler)
        app[ACCESS]["GET", path] = app[ACCESS]["HEAD", path] = Anyone.PUBLIC
