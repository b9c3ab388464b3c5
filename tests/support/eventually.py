"""Waiting for something to become true, with a bound and a message."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(
    look: Callable[[], T | None], within_s: float = 20.0, what: str = "it", every_s: float = 0.05
) -> T:
    """The first truthy answer of `look`, asked every `every_s`. Fails after `within_s`."""
    ends_at = time.monotonic() + within_s
    while True:
        answer = look()
        if answer:
            return answer
        if time.monotonic() > ends_at:
            raise AssertionError(f"{what} did not come within {within_s:.0f} s; last look: {answer!r}")
        time.sleep(every_s)
