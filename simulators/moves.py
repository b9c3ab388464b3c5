"""How a contact can move faster than any poll: bounce, chatter, a train of pulses. Pure."""

from random import Random

from simulators.activity import Planned
from simulators.plant import ACTIVE_VALUE, point_kind, rest_value
from simulators.scenario import Move

BOUNCE_S = (0.0005, 0.005)
CHATTER_S = (0.02, 0.2)


def planned(move: Move, seed: int) -> list[Planned]:
    """Every change of a move, in order of time.

    `bounce`: it opens and closes `times`, every 0.5 to 5 ms, before it stays open. `chatter`: a loose door,
    opening and closing `times`, every 20 to 200 ms. `pulses`: `times` openings of `ms` each, with as much
    rest between them. Chatter and pulses end at rest.
    """
    dice = Random(f"{seed} {move.at_s}")  # noqa: S311 - repeatable, nothing secret
    changes = []
    for point in move.points:
        rest, active = rest_value(point), ACTIVE_VALUE.get(point_kind(point), "")
        edges = (
            [active, rest] * move.times if move.how != "bounce" else [active, rest] * move.times + [active]
        )
        at_s = move.at_s
        for value in edges:
            changes.append(Planned(at_s, point, value))
            if move.how == "pulses":
                at_s += move.ms / 1_000
            else:
                at_s += dice.uniform(*(BOUNCE_S if move.how == "bounce" else CHATTER_S))
    return sorted(changes)
