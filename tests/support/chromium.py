"""The system's Chromium, headless, kept off the network."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

PATH = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser of our own; as root its sandbox has to stay off."""
    arguments = [*QUIET, "--no-sandbox"] if os.getuid() == 0 else QUIET
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PATH, args=arguments)
        try:
            yield browser
        finally:
            browser.close()
