"""What a world saw, as the history that `tests.chaos.oracle` judges: the trials with real processes and the
simulated ones have one judge for what both can see.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from central.commanding.sending import VALID_ELSE_S
from contract.limits import BEAT_INTERVAL_S
from contract.rows import decode_row
from tests.chaos.history import (
    Acted,
    Alert,
    Commanded,
    Fault,
    History,
    Journal,
    Place,
    Receipted,
    Record,
    Store,
    StoredRow,
    Told,
)

if TYPE_CHECKING:
    from tests.sim.station import Station
    from tests.sim.world import World

COMMAND_ENDS_S = VALID_ELSE_S + BEAT_INTERVAL_S
"""From when it was first sent; it counts from a beat that the centre had by then."""


def history(world: "World") -> History:
    """At the end: all that was told and receipted stands against what is held then."""
    records = [*_centre(world), *_commands(world)]
    for station in world.stations:
        records += _station(world, station)
    return History(records)


def _station(world: "World", station: "Station") -> Iterator[Record]:
    """An edge with two pasts may have told the first to nobody: it is judged by whether it was found."""
    if station.name in world.rolled_back or station.name in world.clones:
        return
    for (epoch, seq), hashes in station.watch.told.items():
        for one in hashes:
            yield Told(Place(station.name, epoch, seq, one), "any", 0)
    if station.name in world.begun_anew:
        return
    rows = station.rows()
    places = [Place(station.name, epoch, seq, one.hex()) for (epoch, seq), one in sorted(rows.items())]
    epoch = places[0].epoch if places else 0
    yield Journal(f"{station.name}'s disk", station.name, epoch, 0, places)


def _centre(world: "World") -> Iterator[Record]:
    if "restore_store" not in world.done:
        for place in world.watch.receipted:
            yield Receipted(Place(*place), 0)
    rows = world.centre.ask("SELECT edge, epoch, seq, hash, row FROM event ORDER BY id")
    kinds = ((place, decode_row(raw)) for *place, raw in rows)
    yield Store("the centre", 0, [StoredRow(Place(*place), row.kind, row.point, 0) for place, row in kinds])
    for kind, station in world.watch.standing():
        yield Fault(kind, station, None, 0, None)
    for number, room, edge_ms in world.centre.ask("SELECT id, room, edge_ms FROM alert"):
        yield Alert(str(number), room, edge_ms)


def _commands(world: "World") -> Iterator[Record]:
    for lock, asked_at in world.commanded.items():
        ends_at = world.watch.sent_at.get(lock, asked_at) + COMMAND_ENDS_S
        yield Commanded(lock, lock, int(asked_at * 1e9), int(ends_at * 1e9))
    for station in (*world.stations, *world.clones.values()):
        for lock, at in station.acts:
            yield Acted(lock, int(at * 1e9))
