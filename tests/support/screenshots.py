"""`script/screenshots`: the pictures of docs/images, taken from workshop and demo in a real browser."""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.support.api import Http
from tests.support.chromium import chromium
from tests.support.eventually import eventually
from tests.support.processes import CASEWATCH, ROOT

BOARD = "http://127.0.0.1:8460"
SIZE = {"width": 1920, "height": 1080}


WORKSHOP = "http://127.0.0.1:18480"


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="casewatch-pictures-") as run_dir:
        workshop(Path(run_dir), folder)
    with tempfile.TemporaryDirectory(prefix="casewatch-pictures-") as run_dir:
        told = Path(run_dir) / "told"
        with told.open("wb") as out:
            demo = subprocess.Popen(
                [*CASEWATCH, "demo", "--no-browser", "--run-dir", f"{run_dir}/demo"], stdout=out, cwd=ROOT
            )
        try:
            code = eventually(
                lambda: re.search(r"code\s+([0-9A-Z-]{20,})", told.read_text()), 90, "the sign-in code"
            )[1]
            centre = Http(BOARD)
            centre.post(
                "/api/v1/sessions", {"code": code, "name": "测试值班员", "password": "a long password"}
            )
            with chromium() as browser:
                take_all(browser, centre.cookie, folder)
            centre.close()
        finally:
            demo.terminate()
            demo.wait(30)


def workshop(run_dir: Path, folder: Path) -> None:
    """The simulators' page while the agent reads the workshop, with a fault and an open door on it."""
    shutil.copytree(ROOT / "config/workshop", run_dir / "config/workshop")
    commands = (["sim", "run", "workshop"], ["edge", "run", "config/workshop/edge.toml", "--insecure-dev"])
    running = []
    try:
        for command in commands:
            running.append(subprocess.Popen([*CASEWATCH, *command], cwd=run_dir, stderr=subprocess.DEVNULL))
            time.sleep(6)
        control = Http(WORKSHOP)
        control.post("/points/workshop.int2.door", {"value": "open"})
        control.post("/points/workshop.cab2.s01.lock", {"value": "open"})
        control.post("/faults", {"cable": "ws-line", "kind": "check", "every": 3})
        control.close()
        with chromium() as browser:
            page = browser.new_page(viewport={"width": 1500, "height": 1400}, locale="zh-CN")
            page.goto(WORKSHOP)
            page.wait_for_timeout(6_000)
            page.screenshot(path=folder / "workshop.png")
    finally:
        for process in reversed(running):
            process.terminate()
            process.wait(30)


def take_all(browser: Browser, cookie: str, folder: Path) -> None:
    """The wall and the desk in both languages, and a patrol in progress."""
    time.sleep(50)  # until the demo's day has something to show: a door, a dossier, a covered camera
    for language in ("zh", "en"):
        suffix = "" if language == "zh" else "-en"
        wall = open_page(browser, cookie, "/wall", language)
        wall.screenshot(path=folder / f"wall{suffix}.png")
        wall.context.close()
        desk = open_page(browser, cookie, "/desk", language)
        desk.keyboard.press("ArrowDown")
        desk.keyboard.press("Enter")
        desk.get_by_test_id("camera-time").first.wait_for()
        desk.get_by_test_id("viewed").first.wait_for()
        desk.wait_for_timeout(4_000)
        desk.screenshot(path=folder / f"desk{suffix}.png")
        desk.context.close()


def open_page(browser: Browser, cookie: str, path: str, language: str) -> Page:
    context = browser.new_context(viewport=SIZE, locale="zh-CN")
    key, _, value = cookie.partition("=")
    context.add_cookies([{"name": key, "value": value, "url": BOARD, "sameSite": "Strict"}])
    page = context.new_page()
    page.goto(BOARD + path)
    page.wait_for_selector("[data-testid=tile], [data-testid=card]")
    if language == "en":
        page.get_by_test_id("language").first.click()
    page.mouse.click(3, 3)
    page.wait_for_timeout(1_500)
    return page


if __name__ == "__main__":
    main(Path(sys.argv[1]))
