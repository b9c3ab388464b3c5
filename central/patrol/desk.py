"""What a watcher does with an alert, each act within one transaction and once for each `action_id`.

An alert is taken by one update that holds only while nobody has it and nothing moved since the person
looked: of two who press the key at once, one has it and the other is told who.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct
from sqlalchemy import insert, select, update

from central.board_model import Alert, Person, Result
from central.errors import Conflict, NotFound, Refused
from central.free_text import Text
from central.patrol import faults, queries
from central.patrol.engine import Moment
from central.patrol.places import Places
from central.patrol.scene import Scene
from central.patrol.schema import alert, alert_act, review
from central.patrol.states import Act, State, after, at_rest
from central.patrol.uses import record_moments
from central.settings import Rules, StationSettings
from central.store.database import Transaction

Answer = Literal["yes", "no", "na"]
Question = Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,40}$")]


class ReviewForm(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The review log (视频巡查记录) as the watcher filled it in."""

    result: Result
    checklist: Annotated[dict[Question, Answer], Meta(max_length=32)]
    notes: Annotated[Text, Meta(max_length=2_000)]
    short_view_reason: Annotated[Text, Meta(max_length=500)] | None = None


class _Step(Struct, frozen=True):
    """One act on one alert: who does what, seen at which revision."""

    act: Act
    seen: Alert
    person: Person
    action_id: str
    rev: int
    now_ms: int
    reason: str = ""


class Desk:
    """Raises NotFound, Conflict (carries the alert as it is) or Refused (`code` names the rule)."""

    def __init__(self, stations: tuple[StationSettings, ...], rules: Rules) -> None:
        self._places = Places(stations)
        self._rules = rules

    def claim(  # noqa: PLR0917 - in the order the request has them
        self, tx: Transaction, alert_id: str, person: Person, action_id: str, rev: int, now_ms: int
    ) -> Alert:
        """The alert is this person's, if it is nobody's."""
        if (answer := _answered(tx, action_id, Act.CLAIM, alert_id, person)) is not None:
            return answer
        step = _Step(Act.CLAIM, self._find(tx, alert_id), person, action_id, rev, now_ms)
        if step.seen.owner is not None:
            raise Conflict(step.seen)
        owner = {"owner_id": person.id, "owner_name": person.name, "claimed_ms": now_ms, "viewed_ms": 0}
        return self._move(tx, step, self._target(step), owner)

    def release(  # noqa: PLR0917 - in the order the request has them
        self,
        tx: Transaction,
        alert_id: str,
        person: Person,
        action_id: str,
        rev: int,
        reason: str,
        now_ms: int,
    ) -> Alert:
        """Back to where alerts wait; what was viewed does not count for the next owner."""
        if (answer := _answered(tx, action_id, Act.RELEASE, alert_id, person)) is not None:
            return answer
        step = _Step(Act.RELEASE, self._owned(tx, alert_id, person), person, action_id, rev, now_ms, reason)
        self._target(step)
        to = at_rest(has_ended=step.seen.ended_ms is not None, has_lapsed=step.seen.lapsed)
        return self._move(tx, step, to, _NOBODY)

    def review(  # noqa: PLR0917 - in the order the request has them
        self,
        tx: Transaction,
        alert_id: str,
        person: Person,
        action_id: str,
        rev: int,
        form: ReviewForm,
        now_ms: int,
    ) -> Alert:
        """The review log is saved and the alert closed; without any picture it is 漏巡 instead (4b)."""
        if (answer := _answered(tx, action_id, Act.REVIEW, alert_id, person)) is not None:
            return answer
        seen = self._owned(tx, alert_id, person)
        if form.result == "device_fault" and self._camera(seen.room) is None:
            raise Refused("review.no_camera", "a room without camera has no picture that could fail")
        is_unseen = form.result == "device_fault" and seen.viewed_ms < self._rules.decoded_min_s * 1_000
        if not is_unseen:
            self._check_viewed(seen, form)
        act = Act.UNSEEN if is_unseen else Act.REVIEW
        step = _Step(act, seen, person, action_id, rev, now_ms, form.result)
        to = self._target(step)
        values: dict[str, Any] = {"result": form.result}
        if is_unseen:
            values = {**_NOBODY, "lapsed": True, "level": 3}
        answer = self._move(tx, step, to, values, answered_as=Act.REVIEW)
        tx.conn.execute(insert(review).values(_log_entry(step, form)))
        if form.result == "device_fault":
            picture = faults.Subject("picture", seen.station, seen.room, self._camera(seen.room))
            faults.report(tx, picture, "reported", now_ms)
        return answer

    def viewed(self, tx: Transaction, alert_id: str, person_id: str, added_ms: int, now_ms: int) -> Alert:
        """`added_ms`: picture presented to the owner since the last call. Others' viewing adds nothing."""
        seen = self._find(tx, alert_id)
        if seen.owner is None or seen.owner.id != person_id or added_ms <= 0:
            return seen
        viewed_ms = seen.viewed_ms + added_ms
        values: dict[str, Any] = {"viewed_ms": viewed_ms}
        to = after(State(seen.state), Act.VIEW)
        if to is not None and viewed_ms >= self._rules.decoded_min_s * 1_000:
            values |= {"state": to, "rev": seen.rev + 1}
            _record(tx, _Step(Act.VIEW, seen, seen.owner, "", seen.rev, now_ms), to)
        tx.conn.execute(update(alert).where(alert.c.id == int(seen.id)).values(values))
        return self._show(tx, seen)

    def _find(self, tx: Transaction, alert_id: str) -> Alert:
        found = queries.find_alert(tx.conn, alert_id)
        if found is None:
            raise NotFound(f"there is no alert {alert_id[:32]}")
        return found

    def _owned(self, tx: Transaction, alert_id: str, person: Person) -> Alert:
        found = self._find(tx, alert_id)
        if found.owner is None or found.owner.id != person.id:
            raise Conflict(found)
        return found

    def _target(self, step: _Step) -> State:
        """Where the table leads. Raises Conflict where it leads nowhere."""
        to = after(State(step.seen.state), step.act)
        if to is None:
            raise Conflict(step.seen)
        return to

    def _camera(self, room_id: str) -> str | None:
        place = self._places.rooms.get(room_id)
        return place.room.camera if place else None

    def _check_viewed(self, seen: Alert, form: ReviewForm) -> None:
        """Who signs for a room has seen it. A room that may have no camera is answered for in words."""
        if self._camera(seen.room) is None:
            if not form.notes.strip():
                raise Refused(
                    "review.notes_needed", "a room without camera needs notes of how it was checked"
                )
            return
        if seen.viewed_ms < self._rules.decoded_min_s * 1_000:
            raise Refused("review.not_viewed", f"no picture seen: at least {self._rules.decoded_min_s} s")
        is_short = seen.viewed_ms < self._rules.min_view_s * 1_000
        if is_short and not (form.short_view_reason or "").strip():
            raise Refused("review.too_short", f"under {self._rules.min_view_s} s of picture needs a reason")

    def _move(
        self,
        tx: Transaction,
        step: _Step,
        to: State,
        values: dict[str, Any],
        answered_as: Act | None = None,
    ) -> Alert:
        """One update, and only if the alert is still as the person saw it."""
        owner = alert.c.owner_id.is_(None) if step.act is Act.CLAIM else alert.c.owner_id == step.person.id
        moved = tx.conn.execute(
            update(alert)
            .where(alert.c.id == int(step.seen.id), alert.c.rev == step.rev, owner)
            .values({**values, "state": to, "rev": step.rev + 1})
        )
        if moved.rowcount != 1:
            raise Conflict(self._find(tx, step.seen.id))
        _record(tx, step, to)
        answer = self._show(tx, step.seen)
        tx.conn.execute(
            insert(alert_act).values(
                action_id=step.action_id,
                alert_id=int(step.seen.id),
                person=step.person.id,
                act=answered_as or step.act,
                at_ms=step.now_ms,
                answer=msgspec.json.encode(answer).decode(),
            )
        )
        return answer

    def _show(self, tx: Transaction, seen: Alert) -> Alert:
        """The alert as it is now, told to the board with its room."""
        now = self._find(tx, seen.id)
        tx.changed("alert", now)
        if seen.room in self._places.rooms:
            Scene(tx, self._places, self._rules).show_room(seen.room)
        return now


_NOBODY: dict[str, Any] = {"owner_id": None, "owner_name": None, "claimed_ms": None, "viewed_ms": 0}


def _answered(tx: Transaction, action_id: str, act: Act, alert_id: str, person: Person) -> Alert | None:
    """What this very act was answered before. Raises Refused where the id was another act's."""
    row = tx.conn.execute(select(alert_act).where(alert_act.c.action_id == action_id)).one_or_none()
    if row is None:
        return None
    if (row.act, str(row.alert_id), row.person) != (act, alert_id, person.id):
        raise Refused("action.reused", "this action_id was used for another act")
    return msgspec.json.decode(row.answer, type=Alert)


def _record(tx: Transaction, step: _Step, to: State) -> None:
    moment = Moment(
        alert_id=int(step.seen.id),
        kind=step.act,
        from_state=step.seen.state,
        to_state=to,
        server_ms=step.now_ms,
        rev=step.rev + 1,
        actor=step.person.id,
        action_id=step.action_id or None,
        reason=step.reason,
    )
    record_moments(tx.conn, [moment])


def _log_entry(step: _Step, form: ReviewForm) -> dict[str, Any]:
    seen = step.seen
    return {
        "alert_id": int(seen.id),
        "station": seen.station,
        "room": seen.room,
        "reviewer_id": step.person.id,
        "reviewer_name": step.person.name,
        "live": seen.ended_ms is None,
        "viewed_ms": seen.viewed_ms,
        "result": form.result,
        "checklist": msgspec.json.encode(form.checklist).decode(),
        "notes": form.notes,
        "short_view_reason": form.short_view_reason,
        "edge_ms": seen.edge_ms,
        "raised_ms": seen.raised_ms,
        "claimed_ms": seen.claimed_ms,
        "reviewed_ms": step.now_ms,
        "late": seen.lapsed,
    }
