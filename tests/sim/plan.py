"""From a seed to a schedule: who there is, and what befalls them when. Pure.

Each schedule takes a few kinds of fault and plays them hard, instead of a little of everything: what breaks
a system is mostly two or three things at a time. When the last fault is over comes a quiet time.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

HOUR_MS = 3_600_000
SLOTS = 4
TEN_YEARS_MS = 87_660 * HOUR_MS
STEPS_MS = (HOUR_MS, -HOUR_MS, TEN_YEARS_MS, -TEN_YEARS_MS)
PLACES = ("step", "before", "after", "commit", "send")
"""Where a process can be made to die: see `Process.arm`."""


@dataclass(frozen=True)
class Act:
    """At `at` seconds from the start: `what`, to whom (an edge's index, -1 the centre), with what."""

    at: float
    what: str
    whom: int
    how: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return f"{self.at:7.3f} {self.what} {self.whom if self.whom >= 0 else 'centre'} {self.how or ''}"


@dataclass(frozen=True)
class Plan:
    seed: int
    edges: int
    doors: int
    themes: tuple[str, ...]
    acts: tuple[Act, ...]
    ends_at: float
    """Every fault is over."""
    slots: int = 0
    """Of each station's cabinet: each is opened by one command at most."""


def make(seed: int) -> Plan:
    dice = random.Random(seed)
    edges = dice.choices((1, 2, 3), (60, 30, 10))[0]
    doors = dice.randint(1, 3)
    ends_at = dice.uniform(8.0, 40.0)
    themes = tuple(sorted(dice.sample(sorted(THEMES), dice.choices((1, 2, 3, 4), (20, 40, 30, 10))[0])))
    acts = list(_life(dice, edges, doors, ends_at))
    for theme in themes:
        acts += THEMES[theme](dice, edges, ends_at)
    acts.sort(key=lambda act: act.at)
    return Plan(seed, edges, doors, themes, tuple(acts), ends_at, SLOTS if "commands" in themes else 0)


def _life(dice: random.Random, edges: int, doors: int, ends_at: float) -> Iterator[Act]:
    """Doors move, now and then many rows come at once."""
    for edge in range(edges):
        for _ in range(dice.randint(2, 14)):
            yield Act(dice.uniform(0.5, ends_at), "flip", edge, (dice.randrange(doors),))
        for _ in range(dice.randint(0, 2)):
            yield Act(dice.uniform(0.5, ends_at), "burst", edge, (dice.choice((1, 10, 70, 300)),))


def _someone(dice: random.Random, edges: int) -> int:
    return dice.choice((-1, dice.randrange(edges)))


def _times(dice: random.Random, most: int, ends_at: float) -> Iterator[float]:
    for _ in range(dice.randint(1, most)):
        yield dice.uniform(0.2, ends_at - 0.1)


def _kills(dice: random.Random, edges: int, ends_at: float) -> Iterator[Act]:
    for at in _times(dice, 5, ends_at):
        place = dice.choice(PLACES)
        count = dice.randint(1, 60 if place == "step" else 6)
        yield Act(at, "arm", _someone(dice, edges), (place, count, dice.choice(("kill", "power"))))


def _stops(dice: random.Random, edges: int, ends_at: float) -> Iterator[Act]:
    for at in _times(dice, 3, ends_at):
        yield Act(at, "stop", dice.randrange(edges))


def _cuts(dice: random.Random, edges: int, ends_at: float) -> Iterator[Act]:
    for at in _times(dice, 4, ends_at):
        whom = _someone(dice, edges)
        for_s = dice.choice((0.3, 3.0, 12.0, 25.0)) * dice.uniform(0.5, 1.5)
        for direction in dice.choice((("up",), ("down",), ("up", "down"))):
            yield Act(at, "stall", whom, (direction, for_s))


def _resets(dice: random.Random, edges: int, ends_at: float) -> Iterator[Act]:
    for at in _times(dice, 6, ends_at):
        yield Act(at, "reset", _someone(dice, edges))


def _broker(dice: random.Random, edges: int, ends_at: float) -> Iterator[Act]:
    for at in _times(dice, 3, ends_at):
        yield Act(at, "broker", -1, (dice.choice((0.01, 0.5, 4.0, 20.0)) * dice.uniform(0.5, 1.5),))


def _noise(dice: random.Random, edges: int, ends_at: float) -> Iterator[Act]:
    for at in _times(dice, 2, ends_at):
        how = (dice.choice((0.0, 0.1, 0.5)), dice.choice((0.1, 0.4)), dice.choice((0.1, 1.0, 8.0)))
        yield Act(at, "noise", -1, how)


def _replays(dice: random.Random, edges: int, ends_at: float) -> Iterator[Act]:
    for at in _times(dice, 6, ends_at):
        yield Act(at, "replay", -1, (dice.choice((1, 1, 5, 100)), dice.random()))


def _slow_disks(dice: random.Random, edges: int, ends_at: float) -> Iterator[Act]:
    for at in _times(dice, 2, ends_at):
        yield Act(at, "slow", _someone(dice, edges), (dice.choice((0.05, 0.5, 2.0)), dice.uniform(1, 15)))


def _sick_disks(dice: random.Random, edges: int, ends_at: float) -> Iterator[Act]:
    for at in _times(dice, 2, ends_at):
        if dice.random() < 0.5:
            yield Act(at, "sync_fails", dice.randrange(edges))
            yield Act(at + dice.uniform(0.01, 6), "arm", dice.randrange(edges), ("step", 1, "power"))
        else:
            yield Act(at, "store_full", -1, (dice.uniform(0.1, 15),))


def _clocks(dice: random.Random, edges: int, ends_at: float) -> Iterator[Act]:
    for at in _times(dice, 4, ends_at):
        yield Act(at, "step_clock", _someone(dice, edges), (dice.choice(STEPS_MS),))


def _old_store(dice: random.Random, edges: int, ends_at: float) -> Iterator[Act]:
    kept_at = dice.uniform(0.2, ends_at - 1)
    yield Act(kept_at, "keep_store", -1)
    yield Act(dice.uniform(kept_at, ends_at), "restore_store", -1)


def _commands(dice: random.Random, edges: int, ends_at: float) -> Iterator[Act]:
    for edge in range(edges):
        for slot in range(dice.randint(1, SLOTS)):
            at = dice.uniform(2.0, ends_at)
            yield Act(at, "command", edge, (slot,))
            if dice.random() < 0.5:
                again_at = at + dice.choice((0.1, 2.0, 10.0, 40.0)) * dice.random()
                yield Act(again_at, "say_again", edge, ("down/command",))


def _old_edge(dice: random.Random, edges: int, ends_at: float) -> Iterator[Act]:
    edge, kept_at = dice.randrange(edges), dice.uniform(1.0, ends_at - 1)
    yield Act(kept_at, "keep_disk", edge)
    yield Act(dice.uniform(kept_at, ends_at), "roll_back", edge)


def _lost_disk(dice: random.Random, edges: int, ends_at: float) -> Iterator[Act]:
    yield Act(dice.uniform(1.0, ends_at - 0.1), "lose_disk", dice.randrange(edges))


def _clone(dice: random.Random, edges: int, ends_at: float) -> Iterator[Act]:
    yield Act(dice.uniform(1.0, ends_at - 0.1), "clone", dice.randrange(edges))


def _revoke(dice: random.Random, edges: int, ends_at: float) -> Iterator[Act]:
    yield Act(dice.uniform(0.5, ends_at - 0.1), "revoke", dice.randrange(edges))


def _forge(dice: random.Random, edges: int, ends_at: float) -> Iterator[Act]:
    for at in _times(dice, 8, ends_at):
        yield Act(
            at,
            "forge",
            -1,
            (dice.choice(("unsigned", "altered", "foreign key", "other edge")), dice.random()),
        )


THEMES: dict[str, Callable[[random.Random, int, float], Iterator[Act]]] = {
    "kills": _kills,
    "stops": _stops,
    "cuts": _cuts,
    "resets": _resets,
    "broker": _broker,
    "noise": _noise,
    "replays": _replays,
    "slow disks": _slow_disks,
    "sick disks": _sick_disks,
    "clocks": _clocks,
    "old store": _old_store,
    "commands": _commands,
    "old edge": _old_edge,
    "lost disk": _lost_disk,
    "clone": _clone,
    "revoke": _revoke,
    "forge": _forge,
}
