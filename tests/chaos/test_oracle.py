"""The judge is shown histories that break each promise, and has to say so; sound ones it lets pass."""

from collections.abc import Iterable
from pathlib import Path

import pytest

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
    Record,
    Silence,
    Store,
    StoredRow,
    Told,
    Verified,
)
from tests.chaos.oracle import judge

S = 1_000_000_000
END = 1_000 * S
DOOR = "test.r001.door"
CLOCKS = Clocks(0, 0)


def place(seq: int, content: str = "a", epoch: int = 1) -> Place:
    return Place("test", epoch, seq, f"{content}{seq}")


def opening(seq: int, at_s: float, value: str = "open", openings: int | None = None) -> StoredRow:
    count = int(value == "open") if openings is None else openings
    return StoredRow(place(seq), f"door.{value}", DOOR, int(at_s * S), count)


def change(at_s: float, value: str) -> Change:
    return Change(DOOR, value, int(at_s * S))


def store(*rows: StoredRow, is_final: bool = True) -> Store:
    return Store("the centre", END, list(rows), is_final)


def journal(*seqs: int, content: str = "a", at_s: int = 1_000) -> Journal:
    return Journal("the edge", "test", 1, at_s * S, [place(seq, content) for seq in seqs])


def lost(since_s: float, cleared_s: float | None) -> Fault:
    cleared_ms = None if cleared_s is None else int(cleared_s * 1_000)
    return Fault("station_lost", "test", None, int(since_s * 1_000), cleared_ms)


def silence(from_s: float, until_s: float) -> Silence:
    return Silence("test", int(from_s * S), int(until_s * S))


OPENED_AND_CLOSED = (
    change(1, "open"),
    change(2, "closed"),
    store(opening(1, 1.1), opening(2, 2.1, "closed")),
)
BLIND_PAIR = (
    change(1, "open"),
    change(2, "closed"),
    change(5, "open"),
    Blind(int(0.5 * S), 3 * S),
    store(
        StoredRow(place(1), "point.pulse", DOOR, 4 * S, 1),
        opening(2, 5.1),
    ),
)

SOUND: dict[str, Iterable[Record]] = {
    "nothing at all": (),
    "two changes in order": OPENED_AND_CLOSED,
    "a pair of changes while the edge was blind is counted": BLIND_PAIR,
    "what was told is kept": (Told(place(1), "log", S), journal(1, 2)),
    "what was told after the cut says nothing of it": (Told(place(3), "log", 2 * S), journal(1, 2, at_s=1)),
    "what was receipted is stored": (Receipted(place(1), S), store(opening(1, 1), is_final=False)),
    "a long silence is lost once and back": (CLOCKS, silence(10, 40), lost(26, 41)),
    "a short silence may say nothing": (CLOCKS, silence(10, 22)),
    "a centre that was not there notices nothing": (CLOCKS, Silence("test", 10 * S, 40 * S, False)),
    "a station that stays away stays lost": (CLOCKS, Silence("test", 10 * S, None), lost(26, None)),
    "silences that follow at once are one": (CLOCKS, silence(10, 20), silence(22, 40), lost(11, 42)),
    "a will tells at once": (CLOCKS, silence(10, 12), lost(10.1, 13)),
    "a touched file is told from where it was touched": (Verified("flip", 1, 7, [7]),),
    "a fork that is seen": (
        CLOCKS,
        journal(1),
        journal(1, content="b"),
        Fault("forked", "test", None, 5, None),
    ),
    "a deed that a standing fault tells of": (
        CLOCKS,
        Demand("P10", ["clock_stepped"], 20 * S, 10, "set again"),
        Fault("clock_stepped", "test", None, 5_000, None),
    ),
    "a command acts in its time": (Commanded("c1", "slot", 0, 5 * S), Acted("slot", S)),
    "a figure at its bound": (Figure("P9", "memory", 2.0, 2.0),),
}

BROKEN: dict[str, tuple[str, Iterable[Record]]] = {
    "a lost change": ("P2", (change(1, "open"), change(2, "closed"), store(opening(1, 1.1)))),
    "a lost pair": ("P2", (change(1, "open"), change(2, "closed"), store())),
    "a blind pair that is not counted": ("P2", (*BLIND_PAIR[:4], store(opening(1, 5.1)))),
    "an invented change": (
        "P2",
        (change(1, "open"), store(opening(1, 1.1), opening(2, 2, "closed"), opening(3, 3))),
    ),
    "a change told before it happened": ("P2", (change(2, "open"), store(opening(1, 1)))),
    "two changes in the wrong order": (
        "P2",
        (change(1, "open"), change(2, "closed"), store(opening(1, 2.1, "closed"), opening(2, 2.2))),
    ),
    "an opening counted twice": ("P2", (change(1, "open"), store(opening(1, 1.1, openings=2)))),
    "a skipped row": ("P3", (store(opening(1, 1), opening(3, 3), is_final=False),)),
    "rows in the wrong order": ("P3", (store(opening(2, 2), opening(1, 1), is_final=False),)),
    "a row stored twice": ("P4", (store(opening(1, 1), opening(1, 1), is_final=False),)),
    "an alarm raised twice": ("P4", (Alert("1", "r1", 5), Alert("2", "r1", 5))),
    "a row told and lost by a cut": ("P1", (Told(place(3), "log", S), journal(1, 2))),
    "a row told and changed": (
        "P1",
        (Told(place(2, "b"), "live", S), journal(1, 2), Fault("forked", "test", None, 0, 1)),
    ),
    "a journal that began anew": ("P1", (Told(place(1, epoch=7), "log", S), journal(1, 2))),
    "a receipt beyond what is durable": (
        "P1",
        (Receipted(place(2), S), store(opening(1, 1), is_final=False)),
    ),
    "a receipt of another row": ("P1", (Receipted(place(1, "b"), S), store(opening(1, 1), is_final=False))),
    "a sound file called bad": ("P5", (Verified("sound", 1, 3),)),
    "a touched file called sound": ("P5", (Verified("flip", 0, None, [7]),)),
    "a touched file told at another row": ("P5", (Verified("flip", 1, 9, [7]),)),
    "two rows at one place": ("P6", (Told(place(1), "log", S), Told(place(1, "b"), "log", S))),
    "two stores with two rows at one place": (
        "P6",
        (
            store(opening(1, 1), is_final=False),
            Store("b", END, [StoredRow(place(1, "b"), "door.open", DOOR, 1)]),
        ),
    ),
    "a silence that nobody noticed": ("P7", (CLOCKS, silence(10, 40))),
    "a silence noticed late": ("P7", (CLOCKS, silence(10, 60), lost(45, 61))),
    "a station lost for ever": ("P7", (CLOCKS, silence(10, 40), lost(26, None))),
    "a station lost for nothing": ("P7", (CLOCKS, lost(26, 30))),
    "a fault raised twice": ("P7", (CLOCKS, silence(10, 60), lost(26, 61), lost(30, 61))),
    "a deed that nobody noticed": ("P6", (CLOCKS, Demand("P6", ["forked"], 0, 10, "cloned"))),
    "a deed noticed late": (
        "P6",
        (CLOCKS, Demand("P6", ["forked"], 0, 10, "cloned"), Fault("forked", "test", None, 30_000, None)),
    ),
    "a deed that only an older fault tells of": (
        "P10",
        (
            CLOCKS,
            Demand("P10", ["clock_stepped"], 20 * S, 10, "set again"),
            Fault("clock_stepped", "test", None, 5_000, 6_000),
        ),
    ),
    "a command that acted twice": (
        "P8",
        (Commanded("c1", "slot", 0, 5 * S), Acted("slot", S), Acted("slot", 2 * S)),
    ),
    "a command that acted late": ("P8", (Commanded("c1", "slot", 0, 5 * S), Acted("slot", 6 * S))),
    "a replayed command that acted": ("P8", (Commanded("c1", "slot", 0, 5 * S, False), Acted("slot", S))),
    "a crash": ("P11", (Ended("edge", 70, [0, 74]),)),
    "a process that ended by itself": ("P12", (Ended("edge", 1, [0, 74]),)),
    "a figure over its bound": ("P9", (Figure("P9", "memory", 2.1, 2.0),)),
    "a fact that is none": ("P12", (Fact("P12", "the edge came back", False),)),
}


@pytest.mark.parametrize("records", SOUND.values(), ids=SOUND.keys())
def test_a_sound_history_is_let_pass(records: Iterable[Record]) -> None:
    assert judge(History(records)) == []


@pytest.mark.parametrize(("promise", "records"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_promise_is_named(promise: str, records: Iterable[Record]) -> None:
    found = judge(History(records))
    assert promise in {violation.promise for violation in found}
    assert {violation.promise for violation in found} <= {promise, "P6"}


def test_a_history_comes_back_from_its_file(tmp_path: Path) -> None:
    History(BLIND_PAIR).save(tmp_path / "history.jsonl")
    again = History.load(tmp_path / "history.jsonl")
    assert list(again.of(Change)) == [record for record in BLIND_PAIR if isinstance(record, Change)]
    assert judge(again) == []
