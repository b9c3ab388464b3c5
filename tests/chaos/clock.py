"""Row 7: the wall clock of edge or centre is set by an hour, by ten years, to 1970, and back."""

import time

from tests.chaos.ground import STATION, Ground, Play
from tests.chaos.history import Demand, Fact
from tests.support.wall_clock import WallClock, cannot_set

STEPS_S = (3_600, -3_600, 10 * 365 * 86_400, -1_700_000_000, 0)
"""How far from the true time; the last but one is in 1973 or before, the last is right again."""
BEATS_S = 12.0


def at_the_edge(ground: Ground) -> None:
    station = ground.station()
    set_to = WallClock(station.edge, ground.folder).set_to
    station.start()
    station.flip_at(20, ground.seed)
    for step_s in _steps(ground):
        set_ns = time.monotonic_ns()
        set_to(step_s)
        time.sleep(BEATS_S)
        beats = station.tap.beats(STATION, set_ns)
        says = f"the edge beats on after its clock was set to {step_s:+d} s"
        station.history.note(Fact("P10", says, len(beats) >= 2))
        if step_s:
            station.history.note(
                Demand("P10", ["clock_stepped"], set_ns, 12.0, f"clock set to {step_s:+d} s")
            )
        ground.tried += 1
    station.conclude()
    rows = sum(event["row"]["kind"] == "clock.stepped" for event in station.events())
    says = f"each of {ground.tried} steps is a row ({rows})"
    station.history.note(Fact("P10", says, rows >= ground.tried))


def at_the_centre(ground: Ground) -> None:
    """Silence is judged, rows are stored and receipted as if nothing were."""
    station = ground.station()
    set_to = WallClock(station.central, ground.folder).set_to
    station.start()
    station.flip_at(20, ground.seed)
    for step_s in _steps(ground):
        had = station.cursor()
        set_to(step_s)
        time.sleep(8.0)
        says = f"the centre stores on after its clock was set to {step_s:+d} s"
        station.history.note(Fact("P10", says, station.cursor() > had))
        ground.tried += 1
    set_to(0)
    time.sleep(1)
    station.sign_in_again()
    station.conclude()


def _steps(ground: Ground) -> list[int]:
    ground.not_proven(
        "leap second, and a monotonic clock that is shifted (`unshare --time`): in the simulation only"
    )
    steps = [STEPS_S[n % len(STEPS_S)] for n in range(ground.trials)]
    first, rest = steps[0], steps[1:]
    ground.random.shuffle(rest)
    return [first or 3_600, *rest]


PLAYS = (
    Play(7, "edge", "the edge's clock is set", at_the_edge, 2, 10, a_run=5, smoke_s=40, needs=(cannot_set,)),
    Play(
        7,
        "centre",
        "the centre's clock is set",
        at_the_centre,
        3,
        10,
        a_run=5,
        smoke_s=40,
        needs=(cannot_set,),
    ),
)
