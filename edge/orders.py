"""Which commands of the centre are carried out, and how long maintenance lasts. Pure: `now_ns` monotonic.

    its id is known                                  nothing: it was answered before
    it was meant for another start of ours           refused: session
    its beat is not known, or too long ago           refused: expired
    no point of ours that can do it                  refused: unknown_point
    what it says is not what the action takes        refused: arguments
    longer than a permission may be                  refused: not_permitted
    another one is under way there, or too many      refused: busy
    else                                             accepted

A command's time begins when its beat was sent, by this machine's own clock. Which ids are known and which
of them have no result is `Memory`, written in the transaction of the rows that say so: after a restart
nothing is carried out again. No id is forgotten while its command could still be valid, because only so many
are accepted and refused in that time; what is beyond is passed over in silence, and its id is not known.
"""

from collections import OrderedDict, deque
from collections.abc import Mapping

import msgspec

from contract.ids import PointId
from contract.limits import BEAT_INTERVAL_S, COMMAND_VALID_MAX_S, MAINTENANCE_MAX_S
from contract.messages import Action, Command, Mode
from contract.points import PointType
from contract.rows import Data, EdgeKind
from edge.clock import Stamp
from edge.proposals import Draft

BEATS_KEPT = 5 * int(COMMAND_VALID_MAX_S / BEAT_INTERVAL_S)
"""Each connect brings a beat too: on a link that flaps the oldest are forgotten early, and expire."""
UNDER_WAY_MAX = 8
ACCEPTED_MAX = 192
REFUSED_MAX = 64
"""Within COMMAND_VALID_MAX_S: more rows than these a peer cannot make us write."""
KNOWN_MAX = ACCEPTED_MAX + REFUSED_MAX
_S = 1_000_000_000

_POINT_TYPES = {Action.OPEN_SLOT: PointType.LOCK, Action.SEND_MESSAGE: PointType.MODEM}


class Memory(msgspec.Struct):
    """What outlives a restart. `known`: newest last. `permission`: of the maintenance in force."""

    known: list[str] = []
    under_way: list[str] = []
    permission: str = ""

    @classmethod
    def read(cls, text: str | None) -> "Memory":
        """What cannot be read is as nothing: a command of an earlier start is refused anyway."""
        try:
            return msgspec.json.decode(text, type=cls) if text else cls()
        except msgspec.DecodeError:
            return cls()

    def text(self) -> str:
        return msgspec.json.encode(self).decode()


class Accepted(msgspec.Struct, frozen=True):
    """To be carried out, unless `due_ns` has passed before it could go out."""

    command: Command
    due_ns: int


class Verdict(msgspec.Struct):
    """What is to be written before anything else happens, and what is to be carried out after that."""

    drafts: list[Draft]
    accepted: Accepted | None = None


class Orders:
    """The commands of one start of the agent. `points`: those that can be told or asked something."""

    def __init__(self, session: int, points: Mapping[PointId, PointType], memory: Memory) -> None:
        self.memory = memory
        self._session = session
        self._points = points
        self._beats: OrderedDict[int, int] = OrderedDict()
        self._busy: dict[str, PointId] = {}
        self._ends_ns = 0
        self._accepted_ns: deque[int] = deque()
        self._refused_ns: deque[int] = deque()

    @property
    def modes(self) -> list[Mode]:
        return [Mode.MAINTENANCE] if self.memory.permission else []

    def maintenance_left_s(self, now_ns: int) -> float | None:
        """Until maintenance is over; None where there is none."""
        return max(0.0, (self._ends_ns - now_ns) / _S) if self.memory.permission else None

    def begin(self, stamp: Stamp) -> list[Draft]:
        """After a start: what was under way is given up, maintenance is over."""
        drafts = [_draft(EdgeKind.COMMAND_ABANDONED, stamp, {"id": id_}) for id_ in self.memory.under_way]
        self.memory.under_way = []
        return drafts + self._end("restart", stamp)

    def beat_sent(self, number: int, now_ns: int) -> None:
        self._beats[number] = now_ns
        while len(self._beats) > BEATS_KEPT:
            self._beats.popitem(last=False)

    def judge(self, command: Command, stamp: Stamp) -> Verdict:
        """Of a command whose signature is good. Whatever the verdict, its id is known from now on."""
        if command.id in self.memory.known or command.id in self.memory.under_way:
            return Verdict([])
        why = self._refusal(command, stamp.mono)
        if why:
            return Verdict(self._refuse(command, why, stamp))
        self._accepted_ns.append(stamp.mono)
        self._know(command.id)
        accepted = _draft(EdgeKind.COMMAND_ACCEPTED, stamp, _what(command), command.point)
        if command.action in (Action.MAINTAIN, Action.END_MAINTENANCE):
            done = _draft(EdgeKind.COMMAND_DONE, stamp, {"id": command.id})
            return Verdict([accepted, *self._maintain(command, stamp), done])
        self.memory.under_way.append(command.id)
        self._busy[command.id] = PointId(command.point or "")
        return Verdict([accepted], Accepted(command, self._due_ns(command)))

    def finish(self, command: Command, stamp: Stamp, *, is_done: bool, data: Data) -> list[Draft]:
        """What came of an accepted command."""
        self.memory.under_way.remove(command.id)
        del self._busy[command.id]
        kind = EdgeKind.COMMAND_DONE if is_done else EdgeKind.COMMAND_FAILED
        return [_draft(kind, stamp, {"id": command.id, **data}, command.point)]

    def pass_time(self, stamp: Stamp) -> list[Draft]:
        """Maintenance ends by itself."""
        return self._end("over", stamp) if self.maintenance_left_s(stamp.mono) == 0 else []

    def _refusal(self, command: Command, now_ns: int) -> str:
        if command.session != self._session:
            return "session"
        if now_ns > self._due_ns(command):
            return "expired"
        if _recent(self._accepted_ns, now_ns) >= ACCEPTED_MAX:
            return "busy"
        if command.action in (Action.MAINTAIN, Action.END_MAINTENANCE):
            return self._maintenance_refusal(command)
        return self._point_refusal(command)

    def _point_refusal(self, command: Command) -> str:
        found = self._points.get(PointId(command.point or ""))
        if found is None or _POINT_TYPES.get(command.action, found) is not found:
            return "unknown_point"
        if command.action is Action.SEND_MESSAGE and not _are_texts(command.args, "to", "text"):
            return "arguments"
        is_busy = command.point in self._busy.values() or len(self._busy) >= UNDER_WAY_MAX
        return "busy" if is_busy else ""

    def _maintenance_refusal(self, command: Command) -> str:
        for_s = command.args.get("for_s")
        if not _are_texts(command.args, "permission"):
            return "arguments"
        if command.action is Action.END_MAINTENANCE:
            return ""
        if isinstance(for_s, bool) or not isinstance(for_s, int) or for_s < 1:
            return "arguments"
        return "" if for_s <= MAINTENANCE_MAX_S else "not_permitted"

    def _due_ns(self, command: Command) -> int:
        """Until when it may be carried out; never, where its beat is not known."""
        sent_ns = self._beats.get(command.beat)
        return -1 if sent_ns is None else sent_ns + command.valid_s * _S

    def _refuse(self, command: Command, why: str, stamp: Stamp) -> list[Draft]:
        if _recent(self._refused_ns, stamp.mono) >= REFUSED_MAX:
            return []
        self._refused_ns.append(stamp.mono)
        self._know(command.id)
        point = command.point if command.point in self._points else None
        return [_draft(EdgeKind.COMMAND_REFUSED, stamp, {"id": command.id, "why": why}, point)]

    def _maintain(self, command: Command, stamp: Stamp) -> list[Draft]:
        permission = str(command.args["permission"])
        if command.action is Action.END_MAINTENANCE:
            return self._end("told", stamp) if permission == self.memory.permission else []
        for_s = command.args["for_s"]
        assert isinstance(for_s, int)
        self._ends_ns = self._beats[command.beat] + for_s * _S
        if permission == self.memory.permission:
            return []
        ended = self._end("told", stamp)
        self.memory.permission = permission
        data: Data = {"permission": permission, "for_s": for_s}
        return [*ended, _draft(EdgeKind.MAINTENANCE_BEGAN, stamp, data)]

    def _end(self, why: str, stamp: Stamp) -> list[Draft]:
        if not self.memory.permission:
            return []
        data: Data = {"permission": self.memory.permission, "why": why}
        self.memory.permission = ""
        return [_draft(EdgeKind.MAINTENANCE_ENDED, stamp, data)]

    def _know(self, id_: str) -> None:
        self.memory.known = [*self.memory.known[-KNOWN_MAX + 1 :], id_]


def _recent(instants: deque[int], now_ns: int) -> int:
    """How many of these are so young that their commands may still be valid; forgets the others."""
    while instants and now_ns - instants[0] > COMMAND_VALID_MAX_S * _S:
        instants.popleft()
    return len(instants)


def _what(command: Command) -> Data:
    return {"id": command.id, "action": command.action.value}


def _draft(kind: EdgeKind, stamp: Stamp, data: Data, point: PointId | str | None = None) -> Draft:
    return Draft(kind, stamp, PointId(point) if point else None, dict(data))


def _are_texts(args: Data, *names: str) -> bool:
    return all(isinstance(args.get(name), str) and args[name] for name in names)
