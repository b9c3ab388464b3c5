"""The built pages: hashed assets for ever, pages each time anew, nothing outside their folder."""

from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from central.web.access import ACCESS
from central.web.middleware import answer_problems
from central.web.pages import add_pages


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("secret")
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    for name in ("index.html", "wall.html", "desk.html", "assets/wall-1a2b.js"):
        (folder / name).write_text(f"<!-- {name} -->")
    return folder


@pytest.fixture
async def client(dist: Path):
    app = web.Application(middlewares=[answer_problems])
    app[ACCESS] = {}
    add_pages(app, dist)
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.mark.parametrize(("path", "name"), [("/", "index"), ("/wall", "wall"), ("/desk", "desk")])
async def test_a_page_is_asked_for_anew_each_time(client: TestClient, path: str, name: str) -> None:
    response = await client.get(path)
    assert (response.status, await response.text()) == (200, f"<!-- {name}.html -->")
    assert (response.content_type, response.headers["Cache-Control"]) == ("text/html", "no-cache")


async def test_an_asset_is_kept_for_ever(client: TestClient) -> None:
    response = await client.get("/assets/wall-1a2b.js")
    assert response.status == 200
    assert "javascript" in response.content_type
    assert response.headers["Cache-Control"].endswith("immutable")


@pytest.mark.parametrize("name", ["..%2f..%2fsecret.txt", "..", "%2e%2e", ".hidden", "nothing.js", "a%00b"])
async def test_nothing_outside_the_folder_of_assets_is_served(client: TestClient, name: str) -> None:
    response = await client.get(URL(f"/assets/{name}", encoded=True))
    assert response.status in {400, 404} or response.url.path == "/"
    assert "secret" not in await response.text()


async def test_pages_that_are_not_built_say_how_to_build_them(client: TestClient, dist: Path) -> None:
    (dist / "wall.html").unlink()
    response = await client.get("/wall")
    assert response.status == 503
    assert "script/build-board" in await response.text()
