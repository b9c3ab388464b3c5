"""The promises that a world's end shows kept or broken."""

from typing import TYPE_CHECKING


from central.ingest.pipeline import WAITING_MAX
from contract import chain
from contract.limits import BATCHES_IN_FLIGHT
from contract.rows import EdgeKind, decode_row
from edge.outbox import LIVE_WAITING_MAX

if TYPE_CHECKING:
    from tests.sim.station import Station
    from tests.sim.world import World

Violation = tuple[str, str]


def is_settled(world: "World") -> bool:
    """Everybody is up, has been heard, and owes nothing."""
    for station in world.stations:
        agent = station.agent
        if agent is None or station.contacts is None or not hasattr(agent, "_outbox"):
            return False
        if agent._outbox.queued or agent._journal._pending or station.contacts.wanted:
            return False
        if not agent._outbox.is_open or not station.sees_all():
            return False
    if not world.centre.process.is_running:
        return False
    links = dict(world.centre.ask("SELECT edge, state FROM edge_link"))
    cursors = dict(world.centre.ask("SELECT edge, seq FROM edge_cursor"))
    return (
        all(
            links.get(one.name) == "online" and cursors.get(one.name) == one.journal.head
            for one in world.stations
        )
        and not world.watch.standing
    )


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
            if len(outbox._live) > LIVE_WAITING_MAX:
                world.fail("P9", f"{station.name}: {len(outbox._live)} live rows wait")


def judge(world: "World") -> list[Violation]:
    found: list[Violation] = []
    if not is_settled(world):
        found.append(("P2", f"not settled after the quiet time: {_why(world)}"))
    for station in world.stations:
        found += _told_is_kept(station)
        found += _journal_is_at_the_centre(world, station)
        found += _openings_are_told(world, station)
    found += _faults_are_paired(world)
    return found


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
    parts += [f"{fault.kind} of {fault.station} stands" for fault in world.watch.standing.values()]
    return "; ".join(parts)


def _told_is_kept(station: "Station") -> list[Violation]:
    """P1 and P6: what was ever told is on the disk after all power cuts, and only it."""
    rows = {place: hashed.hex() for place, hashed in station.rows().items()}
    found = []
    for place, hashes in sorted(station.watch.told.items()):
        if len(hashes) > 1:
            found.append(("P6", f"{station.name}: row {place} was told with {len(hashes)} contents"))
        elif rows.get(place) not in hashes:
            what = "is gone" if place not in rows else "is another"
            found.append(("P1", f"{station.name}: row {place} was told and {what}"))
    return found[:5]


def _journal_is_at_the_centre(world: "World", station: "Station") -> list[Violation]:
    """P2, P3, P4: the same rows, once, in order, in one chain."""
    stored = world.centre.ask(
        "SELECT epoch, seq, hash, row FROM event WHERE edge=? ORDER BY id", station.name
    )
    journal = station.rows()
    found: list[Violation] = []
    places = [(epoch, seq) for epoch, seq, _, _ in stored]
    if len(set(places)) != len(places):
        found.append(("P4", f"{station.name}: a row stands twice at the centre"))
    if places != sorted(places) or [seq for _, seq in places] != list(range(1, len(places) + 1)):
        found.append(("P3", f"{station.name}: rows at the centre have gaps or another order"))
    missing = sorted(journal.keys() - set(places))
    if missing:
        found.append(("P2", f"{station.name}: {len(missing)} rows are missing, first {missing[0]}"))
    extra = sorted(set(places) - journal.keys())
    if extra:
        found.append(("P1", f"{station.name}: {len(extra)} rows are at the centre alone, first {extra[0]}"))
    previous = None
    for epoch, seq, hashed, row in stored:
        previous = chain.anchor(station.name, epoch) if previous is None else previous
        previous = chain.link(previous, row)
        if previous.hex() != hashed or journal.get((epoch, seq), previous) != previous:
            found.append(("P3", f"{station.name}: row {seq} is not the journal's"))
            break
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
    pending = world.centre.ask("SELECT count(*) FROM alert WHERE chain_pending")
    if pending != [(0,)]:
        found.append(("P2", f"{pending[0][0]} alerts still wait for the chain"))
    return found


def _faults_are_paired(world: "World") -> list[Violation]:
    """P7: one raise, one clear."""
    if world.is_store_old:
        return []
    return [
        ("P7", f"{subject}: raised {count} times, cleared {world.watch.cleared[subject]} times")
        for subject, count in world.watch.raised.items()
        if count != world.watch.cleared[subject]
    ]
