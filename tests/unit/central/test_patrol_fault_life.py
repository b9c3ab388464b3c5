"""Whatever comes in whatever order: a fault is raised once and cleared once, and stands while its cause does.

A model says which causes are there; after every step the store has to show exactly these, also after a
restart of the centre, which knows nothing but the store.
"""

from collections import Counter

import msgspec
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import create_engine, insert, select, update

from central.commanding.schema import maintenance
from central.patrol.alarms import ALARMS
from central.patrol.clockwork import Clockwork
from central.patrol.places import Places
from central.patrol.schema import fault
from central.patrol.settling import Settling, settle
from central.patrol.supervision import Supervision
from central.store.database import Transaction
from central.store.schema import board_change, metadata
from central.trust.schema import edge_key
from contract.limits import SILENCE_AFTER_S
from contract.messages import Mode
from tests.support.county import RULES, STATIONS, T0, Journal, take

EDGE = "liuxu"
DOORS = ("liuxu.int1.door", "liuxu.inq1.door")
CAMERA = "liuxu.int1.picture"
QUALITIES = ["good", "comm_fail", "disabled"]
BEAT_S = 5
DAY_MS = 86_400_000
EDGE_ROWS = {"clock.stepped", "disk.low", "disk.enough", "journal.touched", "config.changed"}


class FaultLife(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.engine = create_engine("sqlite://")
        metadata.create_all(self.engine)
        self.now_s = 0
        self.journal = Journal(EDGE)
        self.link = "never"
        self.sound = self.far = 0
        self.window_ends_s = 0
        self.causes: dict[tuple[str, str | None], str] = {}
        self.raised: Counter[tuple[str, str | None]] = Counter()
        self.restart()

    @property
    def now_ms(self) -> int:
        return T0 + self.now_s * 1_000

    def work(self, act) -> None:
        """One transaction of the centre."""
        with self.engine.begin() as conn:
            tx = Transaction(conn)
            act(tx)
            tx.place_changes()

    def hear(self, *sent) -> None:
        def act(tx: Transaction) -> None:
            for edge, heard in take(tx, *sent, now_ms=self.now_ms).heard.items():
                if heard is None:
                    self.supervision.left(edge)
                else:
                    self.supervision.heard(edge, self.now_s)

        self.work(act)

    def tick(self) -> None:
        silent = self.supervision.silent(self.now_s)
        self.work(lambda tx: self.clockwork._settle(tx, silent, self.now_ms))
        for edge in silent:
            self.supervision.left(edge)

    def cause(self, kind: str, *, there: bool, point: str | None = None, what: str = "") -> None:
        """`what`: where it is another one, the one before ends and a new one begins."""
        key = (kind, point)
        if not there:
            self.causes.pop(key, None)
        elif self.causes.get(key) != what:
            self.raised[key] += 1
            self.causes[key] = what

    def turn(self, link: str) -> None:
        self.link = link
        self.cause("station_lost", there=link == "lost")
        self.cause("service_stopped", there=link == "stopped")

    @rule()
    def restart(self) -> None:
        """The centre's memory is gone; who was online is expected from now on."""
        self.supervision = Supervision()
        self.clockwork = Clockwork(None, STATIONS, RULES, self.supervision, lambda: T0)  # type: ignore[arg-type]
        if self.link == "online":
            self.supervision.expect([EDGE], self.now_s)
            self.heard_s = self.now_s
        self.tick()

    @rule(
        modes=st.lists(st.sampled_from([Mode.SIMULATED, Mode.INSECURE]), unique=True),
        qualities=st.lists(
            st.sampled_from(["good", "comm_fail", "disabled", "untold"]), min_size=2, max_size=2
        ),
        is_new=st.booleans(),
    )
    def birth(self, modes: list[Mode], qualities: list[str], is_new: bool) -> None:
        if is_new or self.link == "never":
            self.journal.session += 1
            self.cause("simulated", there=Mode.SIMULATED in modes)
        values = {
            door.replace(".", "__"): f"closed/{quality}"
            for door, quality in zip(DOORS, qualities, strict=True)
            if quality != "untold"
        }
        told = self.journal.birth(liuxu__int1__picture="ok", **values)
        untold = {door for door, quality in zip(DOORS, qualities, strict=True) if quality == "untold"}
        points = [point for point in told.points if point.id not in untold]
        self.hear(msgspec.structs.replace(told, points=points, modes=modes))
        self.heard_s = self.now_s
        self.turn("online")
        self.cause("insecure", there=Mode.INSECURE in modes)
        if Mode.SIMULATED in modes:
            self.cause("simulated", there=True)
        self.cause("picture", there=False, point=CAMERA)
        for door, quality in zip(DOORS, qualities, strict=True):
            self.cause("point_silent", there=quality == "comm_fail", point=door)
            self.cause("point_disabled", there=quality in {"disabled", "untold"}, point=door, what=quality)

    @precondition(lambda self: self.link != "never")
    @rule(skew_ms=st.sampled_from([0, 0, 0, 60_000]), times=st.integers(1, 4))
    def beats(self, skew_ms: int, times: int) -> None:
        for _ in range(times):
            self.now_s += BEAT_S
            self.hear(msgspec.structs.replace(self.journal.beat(), at=self.now_ms + skew_ms))
            self.heard_s = self.now_s
            self.far = self.far + 1 if skew_ms else 0
            self.sound = 0 if skew_ms else self.sound + 1
            self.turn("online")
            if self.far >= 3 or self.sound >= 3:
                self.cause("clock_stepped", there=self.far >= 3)
            self.pass_time()

    @precondition(lambda self: self.link != "never")
    @rule(reason=st.sampled_from(["stop", "will", ""]), is_old=st.booleans())
    def goodbye(self, reason: str, is_old: bool) -> None:
        status = self.journal.goodbye(reason)  # type: ignore[arg-type]
        if is_old:
            status = msgspec.structs.replace(status, session=self.journal.session - 1)
        self.hear(status)
        if is_old:
            return
        if reason == "stop":
            self.turn("stopped")
        elif self.link == "online":
            self.turn("lost")

    @rule(seconds=st.sampled_from([1, 10, 16, 3_600]))
    def wait(self, seconds: int) -> None:
        self.now_s += seconds
        self.pass_time()

    def pass_time(self) -> None:
        self.tick()
        if self.link == "online" and self.now_s - self.heard_s > SILENCE_AFTER_S:
            self.turn("lost")
        self.cause("maintenance", there=self.now_s < self.window_ends_s)

    @rule(kind=st.sampled_from(sorted(EDGE_ROWS)))
    def row_of_the_edge(self, kind: str) -> None:
        first = self.journal.write(kind, None, at=self.now_ms)
        self.hear(self.journal.batch(first))
        match kind:
            case "clock.stepped":
                self.sound, self.far = 0, 3
                self.cause("clock_stepped", there=True)
            case "disk.low" | "disk.enough":
                self.cause("disk_low", there=kind == "disk.low")
            case "journal.touched":
                self.cause("journal_touched", there=True)
            case "config.changed" if self.now_s >= self.window_ends_s:
                self.cause("settings_changed", there=True)

    @rule(
        value=st.sampled_from(["covered", "ok"]), quality=st.sampled_from(["good", "comm_fail", "disabled"])
    )
    def rows_of_points(self, value: str, quality: str) -> None:
        first = self.journal.write(f"picture.{value}", CAMERA, at=self.now_ms)
        self.journal.write("point.quality", DOORS[0], at=self.now_ms, quality=quality, was="good")
        self.hear(self.journal.batch(first))
        self.cause("picture", there=value == "covered", point=CAMERA)
        self.cause("point_silent", there=quality == "comm_fail", point=DOORS[0])
        self.cause("point_disabled", there=quality == "disabled", point=DOORS[0], what=quality)

    @precondition(lambda self: self.journal.seq > 0)
    @rule()
    def everything_sent_again(self) -> None:
        self.hear(*(self.journal.batch(seq, seq) for seq in range(1, self.journal.seq + 1)))

    @precondition(lambda self: self.now_s >= self.window_ends_s)
    @rule(seconds=st.sampled_from([30, 7_200]))
    def permit(self, seconds: int) -> None:
        self.window_ends_s = self.now_s + seconds
        values = {"edge": EDGE, "from_ms": self.now_ms, "until_ms": T0 + self.window_ends_s * 1_000}
        self.work(lambda tx: tx.conn.execute(insert(maintenance).values(reason="", who="陈静", **values)))
        self.pass_time()

    @rule(days=st.sampled_from([20, 365]))
    def renew(self, days: int) -> None:
        def act(tx: Transaction) -> None:
            tx.conn.execute(update(edge_key).values(superseded_ms=self.now_ms))
            count = len(tx.conn.execute(select(edge_key.c.id)).all())
            key = {"edge": EDGE, "public": f"{count:064x}", "certificate": "", "from_ms": self.now_ms}
            expires_ms = self.now_ms + days * DAY_MS
            tx.conn.execute(insert(edge_key).values(expires_ms=expires_ms, reason="", **key))

        self.work(act)
        self.pass_time()
        self.cause("certificate_expires", there=days == 20, what=f"{self.now_ms}")

    @rule()
    def settle_all(self) -> None:
        def act(tx: Transaction) -> None:
            for row in tx.conn.execute(select(fault).where(fault.c.cleared_ms.is_(None))).all():
                if ALARMS[row.kind].by_person:
                    settle(tx, Places(STATIONS), str(row.id), Settling("1", "陈静", "查明", self.now_ms))

        self.work(act)
        self.cause("journal_touched", there=False)
        self.cause("settings_changed", there=False)

    @invariant()
    def what_stands_is_what_has_a_cause(self) -> None:
        with self.engine.connect() as conn:
            rows = conn.execute(select(fault).order_by(fault.c.id)).all()
        standing = [(row.kind, row.point) for row in rows if row.cleared_ms is None]
        assert sorted(standing, key=str) == sorted(self.causes, key=str)
        assert Counter((row.kind, row.point) for row in rows) == self.raised

    def teardown(self) -> None:
        with self.engine.connect() as conn:
            told = conn.execute(select(board_change.c.entity).where(board_change.c.kind == "fault")).all()
            rows = conn.execute(select(fault)).all()
        ended = [row for row in rows if row.cleared_ms is not None]
        assert len(told) == len(rows) + len(ended), "each raise and each clear is told once"
        for row in rows:
            assert row.detail.split()[0] in ALARMS[row.kind].details
        self.engine.dispose()


TestFaultLife = FaultLife.TestCase
TestFaultLife.settings = settings(
    max_examples=30,
    stateful_step_count=20,
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
