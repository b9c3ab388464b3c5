"""One codec under atheris, until libFuzzer ends it: `python -m tests.fuzz.fuzz_one FOLDER NAME WORDS…`."""

import heapq
import itertools
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["device_drivers", "contract"]):
    from tests.fuzz import properties

SLOW_KEPT = 32


def noting_slow(feed: Callable[[bytes], None], folder: Path) -> Callable[[bytes], None]:
    """The same, keeping on disk the inputs that took longest."""
    slowest: list[tuple[float, int]] = []
    numbers = itertools.count()

    def noted(data: bytes) -> None:
        before_s = time.perf_counter()
        feed(data)
        took_s = time.perf_counter() - before_s
        if len(slowest) == SLOW_KEPT and took_s <= slowest[0][0]:
            return
        number = next(numbers)
        (folder / str(number)).write_bytes(data)
        heapq.heappush(slowest, (took_s, number))
        if len(slowest) > SLOW_KEPT:
            _, old = heapq.heappop(slowest)
            (folder / str(old)).unlink()

    return noted


if __name__ == "__main__":
    folder, name, *words = sys.argv[1:]
    logging.disable()  # pymodbus has a word for every frame that it cannot decode
    atheris.Setup([sys.argv[0], *words], noting_slow(properties.target(name).feed, Path(folder)))
    atheris.Fuzz()
