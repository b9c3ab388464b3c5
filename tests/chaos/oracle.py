"""The one judge of all trials. Pure: a history in, the promises it shows broken out.

It knows what each promise (docs/promises.md) says of records, and nothing of how a trial made them.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise

from msgspec import Struct

from contract.limits import SILENCE_AFTER_S
from tests.chaos.history import (
    Acted,
    Alert,
    Blind,
    Change,
    Clocks,
    Commanded,
    Demand,
    Ended,
    Fact,
    Fault,
    Figure,
    History,
    Journal,
    Place,
    Receipted,
    Silence,
    Store,
    StoredRow,
    Told,
    Verified,
)

PROMISES = tuple(f"P{n}" for n in range(1, 13))
LOOK_S = 6.0
"""A look at silence each second, a beat each five: how much later than silence itself an alarm may be."""
HEARD_S = 12.0
"""From the way being free again until a beat is through: reconnecting, and a beat."""
CRASH_CODE = 70
END_MS = 2**52
DOOR_KINDS = {"door.open": "open", "door.closed": "closed"}


class Violation(Struct, frozen=True):
    promise: str
    says: str


def judge(history: History) -> list[Violation]:
    """Every promise that this history shows broken, each at most a few times."""
    found = [violation for rule in RULES for violation in _first(rule(history))]
    return sorted(found, key=lambda violation: PROMISES.index(violation.promise))


def _first(violations: Iterator[Violation], count: int = 5) -> list[Violation]:
    every = list(violations)
    rest = len(every) - count
    return every if rest <= 0 else [*every[:count], Violation(every[0].promise, f"… and {rest} more like it")]


def told_is_durable(history: History) -> Iterator[Violation]:
    """P1: what anybody was told of an edge stands in its journal."""
    told = list(history.of(Told))
    for journal in history.of(Journal):
        held = {place.seq: place.hash for place in journal.places}
        for one in told:
            place = one.place
            if place.edge != journal.edge or one.mono_ns > journal.mono_ns or place.seq <= journal.base:
                continue
            if place.epoch != journal.epoch:
                yield Violation("P1", f"{journal.name}: began anew, row {_name(place)} was told before")
            elif place.seq not in held:
                yield Violation(
                    "P1", f"{journal.name}: row {_name(place)} was told ({one.lane}), is not there"
                )
            elif held[place.seq] != place.hash:
                yield Violation("P1", f"{journal.name}: row {_name(place)} was told as another")


def receipted_is_durable(history: History) -> Iterator[Violation]:
    """P1: what the centre receipted it holds."""
    receipts = list(history.of(Receipted))
    for store in history.of(Store):
        held = {_key(row.place): row.place.hash for row in store.rows}
        for receipt in receipts:
            if receipt.mono_ns > store.mono_ns or receipt.place.seq == 0:
                continue
            here = held.get(_key(receipt.place))
            if here != receipt.place.hash:
                what = "is not there" if here is None else "is another"
                yield Violation("P1", f"{store.name}: row {_name(receipt.place)} was receipted and {what}")


def every_change_arrived(history: History) -> Iterator[Violation]:
    """P2: each change of a contact is at the centre once; what fell into blind times is counted at least."""
    for store in _final(history):
        made, came = defaultdict(list), defaultdict(list)
        for change in history.of(Change):
            made[change.point].append(change)
        for row in store.rows:
            if row.point is not None and (row.kind in DOOR_KINDS or row.openings):
                came[row.point].append(row)
        blinds = list(history.of(Blind))
        for point in sorted(made.keys() | came.keys()):
            yield from _compare(point, made[point], came[point], blinds)


def _compare(
    point: str, made: list[Change], came: list[StoredRow], blinds: list[Blind]
) -> Iterator[Violation]:
    changes = iter(enumerate(made, start=1))
    last = None
    for row in came:
        if row.kind not in DOOR_KINDS:
            continue
        skipped, found = [], None
        for n, change in changes:
            fits = change.value == DOOR_KINDS[row.kind] and change.mono_ns <= row.mono_ns
            is_next_too = n + 1 < len(made) and made[n + 1].mono_ns <= row.mono_ns
            if fits and not (is_next_too and _is_blind(change.mono_ns, blinds)):
                found = change
                break
            skipped.append((n, change))
        if found is None:
            yield Violation("P2", f"{point}: {row.kind} in row {_name(row.place)} has no change behind it")
            return
        yield from _lost(point, skipped, blinds)
        last = found
    yield from _lost(point, list(changes), blinds)
    opened, told = sum(change.value == "open" for change in made), sum(row.openings for row in came)
    if opened != told:
        yield Violation("P2", f"{point}: {opened} openings, {told} told")
    if made and last is not None and last.value != made[-1].value:
        yield Violation("P2", f"{point}: is {made[-1].value}, the centre has {last.value}")


def _lost(point: str, skipped: list[tuple[int, Change]], blinds: list[Blind]) -> Iterator[Violation]:
    """A pair of changes that came and went in one blind time leaves only a count."""
    for n, change in skipped:
        if not _is_blind(change.mono_ns, blinds):
            yield Violation("P2", f"{point}#{n} ({change.value}) is lost")


def _is_blind(mono_ns: int, blinds: list[Blind]) -> bool:
    return any(blind.from_ns <= mono_ns <= blind.until_ns for blind in blinds)


def order_is_kept(history: History) -> Iterator[Violation]:
    """P3: an edge's rows stand in the order of their numbers, none skipped."""
    for store in history.of(Store):
        last: dict[tuple[str, int], int] = defaultdict(int)
        for row in store.rows:
            chain = (row.place.edge, row.place.epoch)
            if row.place.seq > last[chain] + 1 or row.place.seq < last[chain]:
                yield Violation("P3", f"{store.name}: {_name(row.place)} comes after {last[chain]}")
            last[chain] = max(last[chain], row.place.seq)


def nothing_counts_twice(history: History) -> Iterator[Violation]:
    """P4: a row stands once, and an opening raises one alert."""
    for store in history.of(Store):
        for key, count in Counter(_key(row.place) for row in store.rows).items():
            if count > 1:
                yield Violation("P4", f"{store.name}: row {key} stands {count} times")
    for (room, edge_ms), count in Counter((a.room, a.edge_ms) for a in history.of(Alert)).items():
        if count > 1:
            yield Violation("P4", f"{room}: the opening at {edge_ms} raised {count} alerts")


def files_are_judged_right(history: History) -> Iterator[Violation]:
    """P5: a touched file is told from a sound one, and where."""
    for one in history.of(Verified):
        if one.touched is None and one.code != 0:
            yield Violation("P5", f"{one.name}: a sound file is called bad at {one.said_seq}")
        elif one.touched is not None and one.code == 0:
            yield Violation("P5", f"{one.name}: was touched at {one.touched}, called sound")
        elif one.touched and one.said_seq not in one.touched:
            yield Violation("P5", f"{one.name}: was touched at {one.touched}, told of {one.said_seq}")


def one_place_one_content(history: History) -> Iterator[Violation]:
    """P6: two rows never stand at one (edge, epoch, seq) unseen, and never both at the centre."""
    contents: dict[tuple[str, int, int], set[str]] = defaultdict(set)
    places = [one.place for one in history.of(Told)]
    places += [place for journal in history.of(Journal) for place in journal.places]
    for place in places:
        contents[_key(place)].add(place.hash)
    is_seen = any(fault.kind in {"forked", "two_machines", "edge_rolled_back"} for fault in history.of(Fault))
    for key, hashes in contents.items():
        if len(hashes) > 1 and not is_seen:
            yield Violation("P6", f"row {key} was told with {len(hashes)} contents, no fault says so")
    held: dict[tuple[str, int, int], set[str]] = defaultdict(set)
    for store in history.of(Store):
        for row in store.rows:
            held[_key(row.place)].add(row.place.hash)
    for key, hashes in held.items():
        if len(hashes) > 1:
            yield Violation("P6", f"the centre held {len(hashes)} contents at {key}")


def silence_alarms_once(history: History) -> Iterator[Violation]:
    """P7: a silent station is lost within its time, once, and back when it is heard; no other is."""
    clocks = next(history.of(Clocks), None)
    if clocks is None:
        return
    lost = [fault for fault in history.of(Fault) if fault.kind == "station_lost"]
    yield from _overlapping(list(history.of(Fault)))
    silences = sorted(history.of(Silence), key=lambda silence: silence.from_ns)
    for silence in silences:
        since, until = _bounds(silence, clocks)
        alarm_by = since + (SILENCE_AFTER_S + LOOK_S) * 1_000
        inside = [f for f in lost if f.station == silence.station and since - 2_000 <= f.since_ms <= alarm_by]
        if END_MS > until > alarm_by and silence.is_noticeable and not inside:
            yield Violation("P7", f"{silence.station}: silent for {(until - since) / 1_000:.0f} s, not lost")
        for fault in inside:
            over = _end_of_series(until, silences, clocks) + HEARD_S * 1_000
            if (fault.cleared_ms or END_MS) > over:
                yield Violation("P7", f"{silence.station}: lost at {fault.since_ms}, not back in time")
    for fault in lost:
        if not any(_explains(silence, fault, clocks) for silence in silences):
            yield Violation("P7", f"{fault.station}: lost at {fault.since_ms} without a silence")


def _explains(silence: Silence, fault: Fault, clocks: Clocks) -> bool:
    since, until = _bounds(silence, clocks)
    return fault.station == silence.station and since - 2_000 <= fault.since_ms <= until + HEARD_S * 1_000


def _end_of_series(until: float, silences: list[Silence], clocks: Clocks) -> float:
    """Silences that follow before a beat must have got through are one."""
    for silence in silences:
        since, its_until = _bounds(silence, clocks)
        if since <= until + HEARD_S * 1_000:
            until = max(until, its_until)
    return until


def _bounds(silence: Silence, clocks: Clocks) -> tuple[float, float]:
    until_ns = silence.until_ns
    return _wall(silence.from_ns, clocks), END_MS if until_ns is None else _wall(until_ns, clocks)


def _overlapping(faults: list[Fault]) -> Iterator[Violation]:
    by_subject = defaultdict(list)
    for fault in faults:
        by_subject[fault.kind, fault.station, fault.point].append(fault)
    for subject, same in by_subject.items():
        same.sort(key=lambda fault: fault.since_ms)
        for before, after in pairwise(same):
            if before.cleared_ms is None or before.cleared_ms > after.since_ms:
                yield Violation(
                    "P7", f"{subject} was raised twice, at {before.since_ms} and {after.since_ms}"
                )


def deeds_are_noticed(history: History) -> Iterator[Violation]:
    """What was done stands on the board in time."""
    clocks = next(history.of(Clocks), None)
    faults = list(history.of(Fault))
    for demand in history.of(Demand):
        assert clocks is not None, "a demand needs the clocks"
        since = _wall(demand.from_ns, clocks)
        # One that stands already says so too.
        meant = [f for f in faults if f.kind in demand.kinds and (f.cleared_ms or END_MS) >= since]
        at = [max(f.since_ms, since) for f in meant]
        kinds = " or ".join(demand.kinds)
        if not at:
            yield Violation(demand.promise, f"{demand.why}: no fault {kinds}")
        elif min(at) > since + demand.within_s * 1_000:
            late_s = (min(at) - since) / 1_000
            yield Violation(demand.promise, f"{demand.why}: {kinds} only after {late_s:.1f} s")


def commands_act_once(history: History) -> Iterator[Violation]:
    """P8: a command acts at most once, in its time; nothing acts without one."""
    acts = sorted(history.of(Acted), key=lambda act: act.mono_ns)
    free = [command for command in history.of(Commanded) if command.is_valid]
    for act in acts:
        fitting = [c for c in free if c.point == act.point and c.mono_ns <= act.mono_ns <= c.until_ns]
        if not fitting:
            yield Violation("P8", f"{act.point} acted at {act.mono_ns} without a command that still could")
        else:
            free.remove(fitting[0])


def processes_end_as_meant(history: History) -> Iterator[Violation]:
    """P11, P12: nothing crashes, and who stops says why."""
    for ended in history.of(Ended):
        if ended.code not in ended.allowed:
            promise = "P11" if ended.code == CRASH_CODE else "P12"
            yield Violation(promise, f"{ended.process} ended with {ended.code}, allowed {ended.allowed}")


def figures_keep_their_bounds(history: History) -> Iterator[Violation]:
    for figure in history.of(Figure):
        if figure.value > figure.at_most:
            yield Violation(figure.promise, f"{figure.name}: {figure.value:.2f}, bound {figure.at_most:g}")


def facts_are_so(history: History) -> Iterator[Violation]:
    for fact in history.of(Fact):
        if not fact.is_so:
            yield Violation(fact.promise, f"it is not so that {fact.says}")


RULES: tuple[Callable[[History], Iterator[Violation]], ...] = (
    told_is_durable,
    receipted_is_durable,
    every_change_arrived,
    order_is_kept,
    nothing_counts_twice,
    files_are_judged_right,
    one_place_one_content,
    silence_alarms_once,
    deeds_are_noticed,
    commands_act_once,
    processes_end_as_meant,
    figures_keep_their_bounds,
    facts_are_so,
)


def _final(history: History) -> Iterator[Store]:
    return (store for store in history.of(Store) if store.is_final)


def _wall(mono_ns: int, clocks: Clocks) -> float:
    return clocks.wall_ms + (mono_ns - clocks.mono_ns) / 1e6


def _key(place: Place) -> tuple[str, int, int]:
    return (place.edge, place.epoch, place.seq)


def _name(place: Place) -> str:
    return f"{place.edge}/{place.epoch}/{place.seq}"
