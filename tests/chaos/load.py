"""Contacts that move all the while: every door in turn, each move at a random moment of its own."""

import itertools
import random
import threading
import time

from tests.support.api import Http
from tests.support.world import World


class Load:
    """Moves doors in a thread of its own from `start` until `stop`; `pause` and `resume` between."""

    def __init__(self, world: World, rate_hz: float, seed: int) -> None:
        self.sent = 0
        self._world = world
        self._gap_s = 1 / rate_hz
        self._random = random.Random(seed)
        self._is_open = dict.fromkeys(world.doors, False)
        self._may_run = threading.Event()
        self._is_over = False
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    def start(self) -> "Load":
        self._may_run.set()
        self._thread.start()
        return self

    def pause(self) -> None:
        self._may_run.clear()

    def resume(self) -> None:
        self._may_run.set()

    def stop(self) -> None:
        self._is_over = True
        self._may_run.set()
        self._thread.join(20)

    def _run(self) -> None:
        simulators = Http(self._world.simulators.address)
        for door in itertools.cycle(self._world.doors):
            self._may_run.wait()
            if self._is_over:
                break
            time.sleep(self._random.uniform(0, 2 * self._gap_s))
            value = "closed" if self._is_open[door] else "open"
            simulators.post(f"/points/{door}", {"value": value})
            self._is_open[door] = value == "open"
            self.sent += 1
        simulators.close()
