"""One running county a module and one Chromium for all tests of the board; each test has pages of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.support import chromium as system_chromium
from tests.support import mosquitto as system_mosquitto
from tests.support.api import Http
from tests.support.world import World

OpenPage = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test in this folder needs both programs; without one it is skipped and says so."""
    missing = [
        name
        for name, path in (("chromium", system_chromium.PATH), ("mosquitto", system_mosquitto.PATH))
        if path is None
    ]
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(180))
            if missing:
                item.add_marker(pytest.mark.skip(reason=f"not installed: {', '.join(missing)}"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with system_chromium.chromium() as running:
        yield running


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One station; the test module says with MODULES and CAMERAS how large."""
    modules, cameras = request.module.MODULES, request.module.CAMERAS
    county = World(tmp_path_factory.mktemp("county"), modules=modules, cameras=cameras)
    try:
        yield county.start()
    finally:
        county.stop()
        for client in [_clients.pop(key) for key in list(_clients) if key[0] == county.board]:
            client.close()


@pytest.fixture
def open_page(browser: Browser, world: World) -> Iterator[OpenPage]:
    """`open_page("/desk", "李四")` opens a page signed in as that watcher, in a context of its own.

    Further keywords go to the context; `script` runs in the page before its own.
    """
    contexts: list[BrowserContext] = []

    def open_as(path: str, name: str = "tester", script: str = "", **options: Any) -> Page:
        client = world.centre if name == "tester" else _client(world, name)
        context = browser.new_context(
            **({"viewport": {"width": 1920, "height": 1080}, "locale": "zh-CN"} | options)
        )
        contexts.append(context)
        if script:
            context.add_init_script(script)
        key, _, value = client.cookie.partition("=")
        context.add_cookies([{"name": key, "value": value, "url": world.board, "sameSite": "Strict"}])
        page = context.new_page()
        page.goto(world.board + path)
        page.wait_for_selector("[data-testid=tile], [data-testid=queue]")
        return page

    yield open_as
    for context in contexts:
        context.close()


_clients: dict[tuple[str, str], Http] = {}


def _client(world: World, name: str) -> Http:
    """A further watcher's own session, made once a county."""
    key = (world.board, name)
    if key not in _clients:
        _clients[key] = Http(world.board)
        world.sign_in(_clients[key], name)
    return _clients[key]
