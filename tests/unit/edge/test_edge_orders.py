"""Which commands are carried out: whatever is sent, late, twice, or to a machine that has restarted."""

from dataclasses import dataclass, field

import msgspec
import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from contract.ids import PointId
from contract.limits import COMMAND_VALID_MAX_S, MAINTENANCE_MAX_S
from contract.messages import Action, Command, Mode
from contract.points import Clock, PointType
from contract.rows import Row, encode_row
from edge.clock import Stamp
from edge.orders import (
    ACCEPTED_MAX,
    BEATS_KEPT,
    KNOWN_MAX,
    REFUSED_MAX,
    UNDER_WAY_MAX,
    Accepted,
    Memory,
    Orders,
    Verdict,
)

S = 1_000_000_000
LOCKS = [PointId(f"liuxu.cab1.s{n:02}.lock") for n in range(1, 21)]
DOOR, MODEM = PointId("liuxu.int1.door"), PointId("liuxu.modem")
POINTS = {**dict.fromkeys(LOCKS, PointType.LOCK), DOOR: PointType.DOOR, MODEM: PointType.MODEM}


def stamp(now_ns: int, wall_ms: int = 0) -> Stamp:
    return Stamp(wall_ms, now_ns, "b0", Clock.FREE)


def command(id_: str = "c1", **changes) -> Command:
    fields = {
        "edge": "liuxu", "id": id_, "action": Action.OPEN_SLOT, "point": LOCKS[0], "args": {},
        "session": 3, "beat": 1, "valid_s": 30,
    }  # fmt: skip
    return Command(**{**fields, **changes})


def orders(memory: Memory | None = None, session: int = 3) -> Orders:
    """With beat 1 sent at the instant 0."""
    made = Orders(session, POINTS, memory or Memory())
    made.beat_sent(1, 0)
    return made


def said(verdict: Verdict) -> list[tuple[str, object]]:
    return [(str(draft.kind), draft.data.get("why")) for draft in verdict.drafts]


MAINTAIN = {"action": Action.MAINTAIN, "point": None, "args": {"permission": "7", "for_s": 60}}
END = {"action": Action.END_MAINTENANCE, "point": None, "args": {"permission": "7"}}


def test_a_good_command_is_written_down_and_then_carried_out() -> None:
    verdict = orders().judge(command(), stamp(S))
    assert said(verdict) == [("command.accepted", None)]
    assert verdict.accepted is not None
    assert verdict.accepted.due_ns == 30 * S


@pytest.mark.parametrize(
    ("why", "changes", "now_s"),
    [
        ("expired", {}, 30.1),
        ("expired", {"beat": 2}, 1),
        ("session", {"session": 2}, 1),
        ("session", {"session": 4}, 1),
        ("unknown_point", {"point": "liuxu.cab9.s01.lock"}, 1),
        ("unknown_point", {"point": None}, 1),
        ("unknown_point", {"point": DOOR}, 1),
        ("unknown_point", {"action": Action.SEND_MESSAGE, "args": {"to": "100", "text": "x"}}, 1),
        ("arguments", {"action": Action.SEND_MESSAGE, "point": MODEM, "args": {"to": "100"}}, 1),
        ("arguments", {"action": Action.SEND_MESSAGE, "point": MODEM, "args": {"to": 100, "text": "x"}}, 1),
        ("arguments", {**MAINTAIN, "args": {"for_s": 60}}, 1),
        ("arguments", {**MAINTAIN, "args": {"permission": "7", "for_s": 0}}, 1),
        ("arguments", {**MAINTAIN, "args": {"permission": "7", "for_s": True}}, 1),
        ("not_permitted", {**MAINTAIN, "args": {"permission": "7", "for_s": MAINTENANCE_MAX_S + 1}}, 1),
    ],
)
def test_a_command_that_may_not_be_is_refused_by_name(why: str, changes: dict, now_s: float) -> None:
    verdict = orders().judge(command(**changes), stamp(int(now_s * S)))
    assert verdict.accepted is None
    assert said(verdict) == [("command.refused", why)]


def test_a_command_lives_to_its_last_instant_and_no_longer() -> None:
    assert orders().judge(command(), stamp(30 * S)).accepted is not None
    assert orders().judge(command(), stamp(30 * S + 1)).accepted is None


def test_beats_too_old_to_remember_are_older_than_any_command() -> None:
    kept = Orders(3, POINTS, Memory())
    for number in range(BEATS_KEPT + 1):
        kept.beat_sent(number, number * S)
    now = BEATS_KEPT * S
    assert kept.judge(command(beat=0, valid_s=COMMAND_VALID_MAX_S), stamp(now)).accepted is None
    assert kept.judge(command("c2", beat=1, valid_s=COMMAND_VALID_MAX_S), stamp(now)).accepted is not None


def test_a_command_that_comes_again_does_nothing_at_any_time() -> None:
    made = orders()
    first = made.judge(command(), stamp(S)).accepted
    assert made.judge(command(), stamp(S)) == Verdict([])
    assert first is not None
    made.finish(first.command, stamp(2 * S), is_done=True, data={})
    assert made.judge(command(), stamp(3 * S)) == Verdict([])


def test_a_refused_command_stays_refused_when_its_way_is_free() -> None:
    made = orders()
    first = made.judge(command(), stamp(S)).accepted
    assert said(made.judge(command("c2"), stamp(S))) == [("command.refused", "busy")]
    assert first is not None
    made.finish(first.command, stamp(2 * S), is_done=True, data={})
    assert made.judge(command("c2"), stamp(3 * S)) == Verdict([])
    assert made.judge(command("c3"), stamp(3 * S)).accepted is not None


def test_only_so_many_are_under_way_at_a_time() -> None:
    made = orders()
    for n in range(UNDER_WAY_MAX):
        assert made.judge(command(f"c{n}", point=LOCKS[n]), stamp(S)).accepted
    assert said(made.judge(command("more", point=LOCKS[19]), stamp(S))) == [("command.refused", "busy")]


def test_a_flood_of_old_commands_costs_a_bounded_number_of_rows() -> None:
    made = orders()
    rows = [made.judge(command(f"old-{n}", session=2), stamp(S)).drafts for n in range(1_000)]
    assert sum(map(len, rows)) == REFUSED_MAX
    assert len(made.memory.known) == REFUSED_MAX
    assert made.judge(command("new"), stamp(2 * S)).accepted, "it stops no good one"


def test_no_id_is_forgotten_while_its_command_is_valid() -> None:
    made = orders()
    for n in range(1_000):
        verdict = made.judge(command(f"c{n}", valid_s=COMMAND_VALID_MAX_S), stamp(S))
        if verdict.accepted:
            made.finish(verdict.accepted.command, stamp(S), is_done=True, data={})
    assert len(made.memory.known) == ACCEPTED_MAX + REFUSED_MAX == KNOWN_MAX
    assert made.judge(command("c0", valid_s=COMMAND_VALID_MAX_S), stamp(100 * S)) == Verdict([])


def test_after_a_restart_what_was_under_way_is_given_up_and_maintenance_is_over() -> None:
    made = orders()
    made.judge(command(), stamp(S))
    made.judge(command("m1", **MAINTAIN), stamp(S))
    again = orders(Memory.read(made.memory.text()), session=4)
    drafts = again.begin(stamp(0))
    assert [(str(draft.kind), draft.data) for draft in drafts] == [
        ("command.abandoned", {"id": "c1"}),
        ("maintenance.ended", {"permission": "7", "why": "restart"}),
    ]
    assert again.begin(stamp(0)) == []
    assert again.judge(command(), stamp(S)) == Verdict([]), "known, and of another start"


def test_a_memory_that_cannot_be_read_is_none() -> None:
    assert Memory.read(None) == Memory.read("{") == Memory.read('{"known": 1}') == Memory()


def test_maintenance_begins_and_is_over_by_the_monotonic_clock() -> None:
    made = orders()
    verdict = made.judge(command("m1", **MAINTAIN), stamp(5 * S))
    assert said(verdict) == [("command.accepted", None), ("maintenance.began", None), ("command.done", None)]
    assert made.modes == [Mode.MAINTENANCE]
    assert made.maintenance_left_s(5 * S) == 55, "counted from the beat, as its permission is"
    assert made.pass_time(stamp(59 * S, wall_ms=10**12)) == []
    assert [draft.data["why"] for draft in made.pass_time(stamp(60 * S))] == ["over"]
    assert made.modes == []


def test_maintenance_is_ended_by_its_own_permission_only() -> None:
    made = orders()
    made.judge(command("m1", **MAINTAIN), stamp(S))
    other = {**END, "args": {"permission": "8"}}
    assert said(made.judge(command("e1", **other), stamp(S))) == [
        ("command.accepted", None),
        ("command.done", None),
    ]
    assert made.modes == [Mode.MAINTENANCE]
    assert ("maintenance.ended", "told") in said(made.judge(command("e2", **END), stamp(S)))
    assert made.modes == []


def test_the_same_permission_again_moves_its_end_and_writes_no_second_beginning() -> None:
    made = orders()
    made.judge(command("m1", **MAINTAIN), stamp(S))
    made.beat_sent(2, 20 * S)
    again = {**MAINTAIN, "beat": 2, "args": {"permission": "7", "for_s": 10}}
    assert said(made.judge(command("m2", **again), stamp(21 * S))) == [
        ("command.accepted", None),
        ("command.done", None),
    ]
    assert made.maintenance_left_s(21 * S) == 9


def test_every_row_of_a_command_is_one_that_the_centre_takes() -> None:
    made = orders()
    drafts = made.judge(command("x" * 36), stamp(S)).drafts
    drafts += made.judge(command("m1", **MAINTAIN), stamp(S)).drafts
    for seq, draft in enumerate(drafts, start=1):
        fields = {"kind": draft.kind, "point": draft.point, "data": draft.data}
        assert encode_row(Row(seq=seq, at=0, mono=0, boot="b0", clock=Clock.FREE, **fields))


@dataclass
class Sent:
    """A command that the centre made, and what became of it in truth."""

    command: Command
    due_ns: int
    times: int = 0


@dataclass
class Disk:
    """What a kill leaves."""

    memory: str = ""
    session: int = 0
    rows: list[tuple[str, str]] = field(default_factory=list)


SELDOM = st.sampled_from([False] * 7 + [True])


class CommandsUnderFire(RuleBasedStateMachine):
    """Commands made at any time, brought in any order, any number of times, to a machine that may be killed
    before or after any write, whose wall clock is set at will.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.disk = Disk()
        self.sent: dict[str, Sent] = {}
        self.beats: dict[tuple[int, int], int] = {}
        self.ready: list[Accepted] = []
        self.start()

    def start(self) -> None:
        self.disk.session += 1
        self.beat = 0
        memory = Memory.read(self.disk.memory or None)
        self.orders = Orders(self.disk.session, POINTS, memory)
        self.ready = []
        self.write(self.orders.begin(stamp(self.now)))
        self.send_beat()

    def write(self, drafts) -> None:
        self.disk.rows += [(str(draft.kind), str(draft.data.get("id"))) for draft in drafts]
        self.disk.memory = self.orders.memory.text()

    @rule()
    def send_beat(self) -> None:
        self.beat += 1
        self.beats[self.disk.session, self.beat] = self.now
        self.orders.beat_sent(self.beat, self.now)

    @rule(lock=st.sampled_from(LOCKS[:3]), valid_s=st.integers(1, 40), back=st.integers(0, 5))
    def make(self, lock: PointId, valid_s: int, back: int) -> None:
        session, beat = self.disk.session, max(1, self.beat - back)
        id_ = f"c{len(self.sent)}"
        made = command(id_, point=lock, session=session, beat=beat, valid_s=valid_s)
        self.sent[id_] = Sent(made, self.beats[session, beat] + valid_s * S)

    @rule(data=st.data(), is_killed=SELDOM, wall_ms=st.integers(0, 2**40))
    def bring(self, data, is_killed: bool, wall_ms: int) -> None:
        if not self.sent:
            return
        one = self.sent[data.draw(st.sampled_from(sorted(self.sent)))]
        verdict = self.orders.judge(msgspec.structs.replace(one.command), stamp(self.now, wall_ms))
        if is_killed and verdict.drafts:
            self.start()  # before the commit: nothing of it is known, and nothing was done
            return
        self.write(verdict.drafts)
        if verdict.accepted:
            self.ready.append(verdict.accepted)

    @rule(is_killed=SELDOM, is_done=st.booleans())
    def carry_out(self, is_killed: bool, is_done: bool) -> None:
        if not self.ready:
            return
        accepted = self.ready.pop(0)
        one = self.sent[accepted.command.id]
        if self.now <= accepted.due_ns:  # what the bus asks as it is about to send
            one.times += 1
            assert self.now <= one.due_ns, "late"
            assert one.command.session == self.disk.session, "meant for another start"
        if is_killed:
            self.start()
            return
        self.write(self.orders.finish(one.command, stamp(self.now), is_done=is_done, data={}))

    @rule()
    def kill(self) -> None:
        self.start()

    @rule(ns=st.integers(0, 30 * S))
    def pass_time(self, ns: int) -> None:
        self.now += ns

    @invariant()
    def nothing_is_carried_out_twice(self) -> None:
        assert all(one.times <= 1 for one in self.sent.values())

    @invariant()
    def every_accepted_one_has_one_end_or_is_under_way(self) -> None:
        for id_ in self.sent:
            kinds = [kind for kind, of in self.disk.rows if of == id_]
            ends = [kind for kind in kinds if kind != "command.accepted"]
            assert len(ends) <= 1
            if "command.accepted" in kinds:
                assert bool(ends) is not (id_ in self.orders.memory.under_way)
            elif ends:
                assert ends == ["command.refused"]
            else:
                assert self.sent[id_].times == 0


TestCommandsUnderFire = CommandsUnderFire.TestCase
TestCommandsUnderFire.settings = hypothesis_settings(max_examples=200, stateful_step_count=40, deadline=None)
