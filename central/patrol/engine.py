"""The patrol's decisions, pure: what an opening means for a room's session and for its alert.

A session (使用场次) starts with the first opening while none is live, and has one alert. It ends when
every door has been closed and nothing moved for `session_idle_s`, or is split after `session_max_s`.
There is no on-delay: an opening of any length reaches a person.

Two clocks. An opening's instant is the edge's, but never later than when the centre received it; so a clock
that runs ahead cannot stretch a session, and one that runs behind makes more alerts, never fewer.
"""

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from central.board_model import Condition, DoorState, LinkState, Result
from central.patrol.states import RESTING, TERMINAL, Act, State, after
from central.settings import Rules

READABLE = frozenset({"good", "simulated"})
"""Qualities under which a value may be believed."""
UNTOLD = "untold"
"""Our own word beside the contract's qualities: a point that its edge no longer speaks of."""


class PointState(Struct):
    """A point as of its edge's row (epoch, seq)."""

    edge: str
    point: str
    value: str = ""
    quality: str = "stale"
    since_ms: int = 0
    epoch: int = 0
    seq: int = 0
    simulated: bool = False

    def is_moved_by(self, epoch: int, seq: int) -> bool:
        """An older row, come late, tells history and moves nothing."""
        return epoch != self.epoch or seq > self.seq


class RoomSession(Struct):
    """`activity_ms`: the last opening or closing. `due_ms`: when time alone may end it."""

    id: int
    station: str
    room: str
    started_ms: int
    activity_ms: int
    opens: int
    due_ms: int
    max_at_ms: int
    ended_ms: int | None = None


class PatrolAlert(Struct):
    """The projection of an alert's events; `rev` counts changes of state and owner."""

    id: int
    session_id: int
    station: str
    room: str
    state: State
    level: int
    edge_ms: int
    raised_ms: int
    late_ms: int
    cond: Condition
    lapse_at_ms: int
    owner_id: str | None = None
    owner_name: str | None = None
    claimed_ms: int | None = None
    viewed_ms: int = 0
    lapsed: bool = False
    result: Result | None = None
    rev: int = 1
    chain_pending: bool = False


class Use(Struct):
    """One use of a room: its session and the alert that it raised."""

    session: RoomSession
    alert: PatrolAlert


class Moment(Struct, frozen=True):
    """One step in an alert's life, for `alert_event`."""

    alert_id: int
    kind: str
    from_state: str | None
    to_state: str
    server_ms: int
    rev: int
    edge_ms: int | None = None
    actor: str = "system"
    action_id: str | None = None
    reason: str = ""


class Edge(Struct, frozen=True):
    """A door that opened or closed.

    `opens`: openings it tells of, those only counted included. `is_current`: no newer row of this
    point is known.
    """

    at_ms: int
    received_ms: int
    opens: int
    is_current: bool
    was_open: bool
    is_pending: bool

    @property
    def instant_ms(self) -> int:
        return min(self.at_ms, self.received_ms)


def door_of(doors: Sequence[PointState], link: LinkState) -> DoorState:
    """A room's door from its contacts: one open is open; else one that nobody can read is unknown."""
    if link != "online" or not doors:
        return "unknown"
    readable = [door.value for door in doors if door.quality in READABLE]
    if "open" in readable:
        return "open"
    return "closed" if readable == ["closed"] * len(doors) else "unknown"


CONDITION: dict[DoorState, Condition] = {"open": "OPEN", "closed": "CLOSED", "unknown": "UNKNOWN"}


Older = Callable[[int], list[Use]]


def no_older(_since_ms: int) -> list[Use]:
    return []


def _waits(use: Use) -> bool:
    """It has ended and nobody has looked at it."""
    return bool(use.session.ended_ms) and use.alert.state not in TERMINAL


class Patrol:
    """Decides for one room. `uses` has its live session and those whose alert still waits, newest first.

    `older` is asked for the rest of those that wait and were active since an instant, where `uses` has only
    the newest.
    """

    def __init__(
        self,
        uses: list[Use],
        rules: Rules,
        next_id: Callable[[], int],
        older: Older = no_older,
    ) -> None:
        self.uses = uses
        self.moments: list[Moment] = []
        self._rules = rules
        self._next_id = next_id
        self._older = older
        self._idle_ms = max(rules.session_idle_s, rules.door_off_delay_s) * 1_000

    @property
    def live(self) -> Use | None:
        return next((use for use in self.uses if use.session.ended_ms is None), None)

    def moved(self, station: str, room: str, edge: Edge, cond: Condition) -> Use | None:
        """A door moved. The use that it belongs to, None for a closing that belongs to none."""
        use = self._use_of(edge)
        if edge.opens and use is None:
            use = self._raise(station, room, edge, cond)
        elif use is not None:
            self._count(use, edge)
        self._stand(cond)
        return use

    def stand(self, cond: Condition, now_ms: int) -> list[Use]:
        """The doors stand otherwise though none moved; only `cond` does. UNKNOWN never clears anything."""
        live = self.live
        if live is None or live.alert.cond == cond:
            return []
        self._stand(cond)
        self._note(live.alert, "condition", live.alert.state, now_ms, reason=cond)
        return [live]

    def passed(self, now_ms: int) -> list[Use]:
        """Time went by: a session that is due ends, or is split while its door stands open."""
        live = self.live
        if live is None or live.session.due_ms > now_ms:
            return []
        if live.alert.cond == "UNKNOWN":
            live.session.max_at_ms = live.session.due_ms = now_ms + self._rules.session_max_s * 1_000
            return []
        self._end(live, live.session.due_ms, now_ms)
        if live.alert.cond == "CLOSED":
            return [live]
        still_open = Edge(now_ms, now_ms, 0, is_current=True, was_open=False, is_pending=False)
        return [live, self._raise(live.session.station, live.session.room, still_open, "OPEN")]

    def lapsed(self, now_ms: int) -> list[Use]:
        """漏巡: nobody claimed in time."""
        late = [
            use
            for use in self.uses
            if use.alert.owner_id is None
            and use.alert.lapse_at_ms <= now_ms
            and use.alert.state in {State.UNACK, State.RTN_UNACK}
        ]
        for use in late:
            use.alert.lapsed = True
            use.alert.level = 3
            self._step(use.alert, Act.LAPSE, now_ms)
        return late

    def _stand(self, cond: Condition) -> None:
        live = self.live
        if live is None:
            return
        session = live.session
        live.alert.cond = cond
        idle_at_ms = session.activity_ms + self._idle_ms
        session.due_ms = min(idle_at_ms, session.max_at_ms) if cond == "CLOSED" else session.max_at_ms

    def _use_of(self, edge: Edge) -> Use | None:
        """The use an edge belongs to.

        What tells of now belongs to the live session and to no other, lest an edge with a wrong clock
        hide its openings in an alert of yesterday.
        """
        instant_ms = edge.instant_ms
        live = self.live
        if live is not None:
            session = live.session
            is_too_old = instant_ms < session.started_ms - self._idle_ms
            has_been_idle = (
                edge.opens
                and instant_ms > session.activity_ms + self._idle_ms
                and not (edge.is_current and edge.was_open)
            )
            if has_been_idle:
                self._end(live, session.activity_ms + self._idle_ms, edge.received_ms)
            elif edge.is_current or not is_too_old:
                return live
        if edge.is_current:
            return None
        return next((use for use in self._waiting(instant_ms) if self._spans(use.session, instant_ms)), None)

    def _waiting(self, instant_ms: int) -> Iterator[Use]:
        yield from filter(_waits, self.uses)
        older = self._older(instant_ms - self._idle_ms)
        self.uses += older
        yield from filter(_waits, older)

    def _spans(self, session: RoomSession, instant_ms: int) -> bool:
        return session.started_ms - self._idle_ms <= instant_ms <= session.activity_ms + self._idle_ms

    def _raise(self, station: str, room: str, edge: Edge, cond: Condition) -> Use:
        use_id = self._next_id()
        instant_ms = edge.instant_ms
        max_at_ms = edge.received_ms + self._rules.session_max_s * 1_000
        is_history = self.live is not None
        session = RoomSession(use_id, station, room, instant_ms, instant_ms, edge.opens, max_at_ms, max_at_ms)
        alert = PatrolAlert(
            id=use_id,
            session_id=use_id,
            station=station,
            room=room,
            state=State.UNACK,
            level=1,
            edge_ms=edge.at_ms,
            raised_ms=edge.received_ms,
            late_ms=max(0, edge.received_ms - edge.at_ms),
            cond="CLOSED" if is_history else cond,
            lapse_at_ms=edge.received_ms + self._rules.lapse_after_s * 1_000,
            chain_pending=edge.is_pending,
        )
        use = Use(session, alert)
        self.uses.insert(0, use)
        self._note(alert, "raised", None, edge.received_ms, edge_ms=edge.at_ms)
        if is_history:
            self._end(use, instant_ms + self._idle_ms, edge.received_ms)
        return use

    def _count(self, use: Use, edge: Edge) -> None:
        session = use.session
        session.opens += edge.opens
        session.started_ms = min(session.started_ms, edge.instant_ms)
        session.activity_ms = max(session.activity_ms, edge.instant_ms)
        if session.ended_ms is not None:
            session.ended_ms = session.activity_ms + self._idle_ms
        use.alert.chain_pending |= edge.is_pending
        kind = "opened" if edge.opens else "closed"
        self._note(use.alert, kind, use.alert.state, edge.received_ms, edge_ms=edge.at_ms)

    def _end(self, use: Use, ended_ms: int, now_ms: int) -> None:
        use.session.ended_ms = ended_ms
        if after(use.alert.state, Act.SESSION_END):
            self._step(use.alert, Act.SESSION_END, now_ms)
        else:
            self._note(use.alert, Act.SESSION_END, use.alert.state, now_ms)

    def _step(self, alert: PatrolAlert, act: Act, now_ms: int) -> None:
        was = alert.state
        to = after(was, act)
        assert to is not None
        assert was in RESTING
        alert.state = to
        alert.rev += 1
        self._note(alert, act, was, now_ms)

    def _note(
        self,
        alert: PatrolAlert,
        kind: str,
        was: State | None,
        now_ms: int,
        *,
        edge_ms: int | None = None,
        reason: str = "",
    ) -> None:
        moment = Moment(alert.id, kind, was, alert.state, now_ms, alert.rev, edge_ms, reason=reason)
        self.moments.append(moment)
