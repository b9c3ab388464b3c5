"""The promises that a world's end shows kept or broken: what only a world that sees everything can ask.

What trials with real processes ask too is left to their oracle.
"""

from typing import TYPE_CHECKING

from central.ingest.pipeline import WAITING_MAX
from contract import chain
from contract.limits import BATCHES_IN_FLIGHT
from contract.rows import EdgeKind, decode_row
from edge.outbox import LIVE_WAITING_MAX
from tests.chaos import oracle
from tests.sim.record import history

if TYPE_CHECKING:
    from tests.sim.station import Station
    from tests.sim.world import World

Violation = tuple[str, str]


def is_settled(world: "World") -> bool:
    """Everybody is up, has been heard, and owes nothing."""
    for station in world.stations:
        if _must_be_found(world, station.name):
            if not _is_found(world, station.name):
                return False
            continue
        if _is_found(world, station.name):
            continue
        agent = station.agent
        if agent is None or station.contacts is None or not hasattr(agent, "_outbox"):
            return False
        if agent._outbox.queued or agent._journal._pending or station.contacts.wanted:
            return False
        if not agent._outbox.is_open or not station.sees_all():
            return False
    supervision = world.centre.supervision
    if not world.centre.process.is_running or supervision is None:
        return False
    links = dict(world.centre.ask("SELECT edge, state FROM edge_link"))
    cursors = dict(world.centre.ask("SELECT edge, seq FROM edge_cursor"))
    return all(
        links.get(one.name) == "online"
        and cursors.get(one.name) == one.journal.head
        and supervision._heard_mono.get(one.name, 0.0) > world.quiet_at
        for one in world.stations
        if not _is_found(world, one.name)
    ) and not _standing(world)


def bounds(world: "World") -> None:
    """P9, at each look."""
    ingest = world.centre.ingest
    if ingest is not None:
        waiting = len(ingest._urgent) + len(ingest._log)
        most = WAITING_MAX * len(world.stations)
        if waiting > most:
            world.fail("P9", f"{waiting} messages wait at the centre, bound {most}")
    for station in world.stations:
        outbox = getattr(station.agent, "_outbox", None)
        if outbox is not None:
            if len(outbox._in_flight) > BATCHES_IN_FLIGHT:
                world.fail("P9", f"{station.name}: {len(outbox._in_flight)} batches in flight")
            if "restore_store" not in world.done and station.name not in world.rolled_back:
                stored = world.stored(station.name)
                if outbox.receipted > stored:
                    world.fail(
                        "P1", f"{station.name} holds {outbox.receipted} for receipted, {stored} are stored"
                    )
            if len(outbox._live) > LIVE_WAITING_MAX:
                world.fail("P9", f"{station.name}: {len(outbox._live)} live rows wait")


def judge(world: "World") -> list[Violation]:
    found: list[Violation] = []
    if not is_settled(world):
        found.append(("P2", f"not settled after the quiet time: {_why(world)}"))
    for station in world.stations:
        found += _chain_is_whole(world, station)
        if station.name in world.revoked and _is_found(world, station.name):
            found += _revoked_is_shut_out(world, station)
        elif _is_found(world, station.name):
            found += _past_is_kept(world, station)
        else:
            found += _journal_is_at_the_centre(world, station)
            if station.name not in world.begun_anew:  # what was lost with the disk was told to nobody
                found += _openings_are_told(world, station)
        if _must_be_found(world, station.name) and not _is_found(world, station.name):
            found.append(("P6", f"{station.name} has another past, or a copy, and no fault says so"))
    found += _no_fault_without_cause(world)
    return found + [(one.promise, one.says) for one in oracle.judge(history(world))]


def _must_be_found(world: "World", name: str) -> bool:
    """A copy speaks beside it, it lacks what the centre holds, or nobody may believe it."""
    if name in world.begun_anew:
        is_back = name in world.rolled_back  # on an image that may be the right one
        return world.begun_anew[name] > 0 and not is_back and "restore_store" not in world.done
    if name in world.clones or (name in world.revoked and "restore_store" not in world.done):
        return True
    if "restore_store" in world.done:
        return False  # the only witness has forgotten it too
    return name in world.rolled_back and world.rolled_back[name] > world.lost_above.get(name, 0)


FOUND = {"edge_rolled_back", "forked", "two_machines", "key_revoked", "epoch_unknown"}


def _is_found(world: "World", name: str) -> bool:
    """It stands on the board that this edge is not what it was: from now on a person decides."""
    return any(kind in FOUND and station == name for kind, station in world.watch.standing())


def _why(world: "World") -> str:
    links = dict(world.centre.ask("SELECT edge, state FROM edge_link"))
    cursors = dict(world.centre.ask("SELECT edge, seq FROM edge_cursor"))
    parts = [f"centre running {world.centre.process.is_running}"]
    for one in world.stations:
        outbox = getattr(one.agent, "_outbox", None)
        head = one.journal.head if one.journal else None
        open_ = outbox.is_open if outbox else None
        queued = outbox.queued if outbox else None
        parts.append(
            f"{one.name}: link {links.get(one.name)}, cursor {cursors.get(one.name)}, head {head}, "
            f"queued {queued}, open {open_}, starts {one.process.starts}"
        )
    parts += [f"{kind} of {station} stands" for kind, station in world.watch.standing()]
    return "; ".join(parts)


def _chain_is_whole(world: "World", station: "Station") -> list[Violation]:
    """P3, P6: whatever was done to the edge, the centre holds one chain without a gap."""
    previous = None
    rows = world.centre.ask("SELECT epoch, seq, hash, row FROM event WHERE edge=? ORDER BY id", station.name)
    for expected, (epoch, seq, hashed, row) in enumerate(rows, start=1):
        previous = chain.anchor(station.name, epoch) if previous is None else previous
        previous = chain.link(previous, row)
        if seq != expected or previous.hex() != hashed:
            return [("P3", f"{station.name}: row {seq} at the centre does not continue the chain")]
    return []


def _past_is_kept(world: "World", station: "Station") -> list[Violation]:
    """P6: an edge with two pasts, found: what the centre held of the first it still holds."""
    stored = world.stored(station.name)
    had = world.rolled_back.get(station.name, 0)
    if stored < had and "restore_store" not in world.done:
        return [("P6", f"{station.name}: {had} rows were stored before it was rolled back, {stored} are")]
    return []


def _revoked_is_shut_out(world: "World", station: "Station") -> list[Violation]:
    """Nothing that a revoked key signs is stored; an older store knows nothing of it."""
    stored, then = world.stored(station.name), world.revoked[station.name]
    if stored > then and "restore_store" not in world.done:
        return [("P6", f"{station.name}: {stored - then} rows were stored after its key was revoked")]
    return []


def _journal_is_at_the_centre(world: "World", station: "Station") -> list[Violation]:
    """P2, P3, P4: the same rows, once, in order, in one chain."""
    stored = world.centre.ask("SELECT epoch, seq, hash, id FROM event WHERE edge=? ORDER BY id", station.name)
    journal = station.rows()
    found: list[Violation] = []
    places = [(epoch, seq) for epoch, seq, _, _ in stored]
    missing = sorted(journal.keys() - set(places))
    if missing:
        found.append(("P2", f"{station.name}: {len(missing)} rows are missing, first {missing[0]}"))
    extra = sorted(set(places) - journal.keys())
    if extra:
        found.append(("P1", f"{station.name}: {len(extra)} rows are at the centre alone, first {extra[0]}"))
    differing = [
        seq for epoch, seq, hashed, _ in stored if journal.get((epoch, seq), b"").hex() not in {"", hashed}
    ]
    if differing:
        found.append(("P3", f"{station.name}: row {differing[0]} is not the journal's"))
    return found


def _openings_are_told(world: "World", station: "Station") -> list[Violation]:
    """P2 and P4 up to the alerts: each opening of a contact counts once, however often it was said."""
    found: list[Violation] = []
    rows = [
        decode_row(row) for (row,) in world.centre.ask("SELECT row FROM event WHERE edge=?", station.name)
    ]
    for n, door in enumerate(station.doors):
        told = sum(
            (row.kind == "door.open") + int(row.data.get("missed", 0) or 0)
            if row.kind != EdgeKind.POINT_PULSE
            else int(row.data.get("count", 0) or 0)
            for row in rows
            if row.point == door
        )
        if told != station.opened[n]:
            found.append(("P2", f"{door}: {station.opened[n]} openings, {told} told"))
        room = door.rpartition(".")[0]
        ((counted,),) = world.centre.ask(
            "SELECT COALESCE(SUM(opens), 0) FROM room_session WHERE room=?", room
        )
        if counted != told:
            found.append(("P4", f"{room}: {told} openings stored, {counted} counted in its sessions"))
        state = world.centre.ask("SELECT value, quality FROM point_state WHERE point=?", door)
        want = "open" if station.is_open[n] else "closed"
        if state != [(want, "good")]:
            found.append(("P2", f"{door}: is {want}, the board has {state}"))
    pending = world.centre.ask(
        "SELECT count(*) FROM alert WHERE chain_pending AND room LIKE ?", f"{station.name}.%"
    )
    if pending != [(0,)]:
        found.append(("P2", f"{pending[0][0]} alerts still wait for the chain"))
    return found


STICKY = {
    "bad_signature": ("forge",),
    "key_revoked": ("revoke",),
    "forked": ("roll_back", "clone"),
    "two_machines": ("clone", "roll_back"),
    "edge_rolled_back": ("roll_back", "clone"),
}
"""Faults that stay until a person has looked, and the act without which none may come."""


def _standing(world: "World") -> list[tuple[str, str]]:
    """What stands and should not: everything that goes by itself once all is well."""
    stands = world.watch.standing()
    found = {station for kind, station in stands if kind in FOUND}
    return [(kind, station) for kind, station in stands if kind not in STICKY and station not in found]


def _no_fault_without_cause(world: "World") -> list[Violation]:
    """P6 and P7 the other way round: an alarm for a crime that nobody committed."""
    return [
        ("P7", f"{kind} of {station}, without {STICKY[kind]}")
        for kind, station in sorted(world.watch.ever)
        if kind in STICKY and not world.done.intersection(STICKY[kind])
    ]
