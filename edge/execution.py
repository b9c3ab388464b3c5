"""Carries out what the centre commands: judged, written down, done once, and its result written down.

What is accepted is durable before it is carried out, so that a power cut leaves a command that was begun and
not ended, which the next start gives up and never repeats.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence

import structlog

from contract.ids import PointId
from contract.messages import Action, Command, Mode
from contract.points import PointType
from contract.rows import Data
from device_drivers import driver
from device_drivers.driver import Outcome
from device_drivers.errors import DriverError
from edge.clock import Clock
from edge.errors import JournalBlocked
from edge.journal import BLOCKED_RETRY_S, Journal
from edge.orders import Accepted, Memory, Orders
from edge.points import Points
from edge.polling import Polling
from edge.proposals import Draft
from edge.settings import PointSettings

MARK = "commands"
WAITING_MAX = 32
"""Commands that came and were not judged yet; more are dropped, and the centre sends them again."""
LOOK_S = 5.0
"""So often it is looked whether maintenance is over: the loop's clock stands still while the box sleeps."""

log = structlog.get_logger()


class Hands:
    """The buses that carry a command to its device, by point."""

    def __init__(
        self, settings: Sequence[PointSettings], pollings: Iterable[Polling], points: Points
    ) -> None:
        buses = {device: polling for polling in pollings for device in polling.devices}
        entries = [entry for entry in settings if entry.device in buses]
        self.types = {PointId(entry.id): PointType(entry.type) for entry in entries}
        self._channels = {PointId(entry.id): entry.channel for entry in entries}
        self._buses = {PointId(entry.id): buses[entry.device] for entry in entries}
        self._points = points

    async def carry_out(self, command: Command, may_go: Callable[[], bool]) -> tuple[bool, Data]:
        """Whether it came about, and what to say of it. Raises a DriverError where it was not sent."""
        point = PointId(command.point or "")
        bus, channel = self._buses[point], self._channels[point]
        if command.action is Action.REREAD:
            if not await bus.reread(point, channel):
                return False, {"why": "not_answered"}
            state = next(state for state in self._points.states() if state.id == point)
            return True, {"value": state.value, "quality": state.quality.value}
        if command.action is Action.OPEN_SLOT:
            order = driver.Command("open", channel)
        else:
            texts = {name: str(command.args[name]) for name in ("to", "text")}
            order = driver.Command("send", channel, texts)
        outcome = await bus.execute(point, order, may_go)
        return outcome is Outcome.ACKNOWLEDGED, _result(outcome)


class Execution:
    """`on_modes` is called when maintenance has begun or ended, after its row is durable."""

    def __init__(
        self,
        session: int,
        memory: Memory,
        *,
        hands: Hands,
        points: Points,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self.on_modes: Callable[[], None] = lambda: None
        self._orders = Orders(session, hands.types, memory)
        self._hands = hands
        self._points = points
        self._journal = journal
        self._clock = clock
        self._waiting: asyncio.Queue[Command] = asyncio.Queue(WAITING_MAX)
        self._is_overrun = False

    @property
    def modes(self) -> list[Mode]:
        return self._orders.modes

    def beat_sent(self, number: int) -> None:
        self._orders.beat_sent(number, self._clock.mono_ns())

    def take(self, command: Command) -> None:
        """A command that the centre has signed, for this edge."""
        if not self._waiting.full():
            self._waiting.put_nowait(command)
        elif not self._is_overrun:
            log.warning("commands_overrun", waiting=WAITING_MAX)
        self._is_overrun = self._waiting.full()

    async def run(self) -> None:
        """Until cancelled. Raises JournalFailed."""
        await self._write(self._orders.begin(self._clock.stamp()))
        async with asyncio.TaskGroup() as group:
            while True:
                command = await self._next()
                await self._write(self._orders.pass_time(self._clock.stamp()))
                if command is None:
                    continue
                verdict = self._orders.judge(command, self._clock.stamp())
                await self._write(verdict.drafts)
                if verdict.accepted is not None:
                    name = f"command[{command.id}]"
                    group.create_task(self._carry_out(verdict.accepted), name=name)

    async def _next(self) -> Command | None:
        """The next command; None while maintenance lasts, now and then, so that its end is not missed."""
        left_s = self._orders.maintenance_left_s(self._clock.mono_ns())
        try:
            async with asyncio.timeout(None if left_s is None else min(left_s, LOOK_S)):
                return await self._waiting.get()
        except TimeoutError:
            return None

    async def _carry_out(self, accepted: Accepted) -> None:
        command = accepted.command
        left_s = (accepted.due_ns - self._clock.mono_ns()) / 1e9
        is_done, data = False, _result(Outcome.UNKNOWN)
        try:
            async with asyncio.timeout(left_s if command.action is Action.REREAD else None):
                is_done, data = await self._hands.carry_out(
                    command, lambda: self._clock.mono_ns() <= accepted.due_ns
                )
        except TimeoutError:
            data = {"why": "not_answered"}
        except DriverError as error:
            data = {"why": error.code}
        await self._write(self._orders.finish(command, self._clock.stamp(), is_done=is_done, data=data))
        log.info("command_ended", id=command.id, action=command.action.value, is_done=is_done)

    async def _write(self, drafts: list[Draft]) -> None:
        """Rows, and with them what has to be remembered of them."""
        if not drafts:
            return
        before = self._points.is_maintained
        is_maintained = bool(self._orders.modes)
        await self._write_with_room(drafts)
        self._points.is_maintained = is_maintained
        if is_maintained != before:
            self.on_modes()

    async def _write_with_room(self, drafts: list[Draft]) -> None:
        """Waits for room: nothing is carried out before its row is durable, nor too late."""
        while True:
            try:
                await self._journal.append(drafts, marks={MARK: self._orders.memory.text()})
            except JournalBlocked:
                await asyncio.sleep(BLOCKED_RETRY_S)
            else:
                return


def _result(outcome: Outcome) -> Data:
    """`unknown`: nothing that proves anything came back, so it may have been carried out."""
    return {} if outcome is Outcome.ACKNOWLEDGED else {"why": outcome.value}
