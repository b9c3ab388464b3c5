"""Puts the agent together, runs it, and stops it in order.

Start: journal, the row `edge.started`, points, then everything else at once. Stop: the polls, the row
`edge.stopped` with its reason, a last word to the centre, the journal. A programmer's error is caught
here and nowhere below: it is written down, and the process ends.
"""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from importlib.metadata import version
from typing import Any

import structlog
from msgspec.structs import asdict

from contract.errors import ContractError
from contract.ids import EdgeId, PointId, Seq
from contract.messages import Mode, Receipt, decode, encode
from contract.points import Quality
from contract.rows import EdgeKind, decode_row
from edge import plan
from edge.clock import Clock, Stamp, SystemClock
from edge.delivery import Delivery
from edge.disk_watch import Shedding
from edge.errors import EdgeError, JournalBlocked, MediaFailed
from edge.execution import MARK, Execution, Hands
from edge.heartbeat import Heartbeat, Identity, status
from edge.identity import Credentials
from edge.journal import TRIM_ROWS, Journal
from edge.journal_guard import JournalGuard
from edge.link import Link
from edge.listening import Listening
from edge.orders import Memory
from edge.outbox import Outbox
from edge.points import Points
from edge.polling import Polling
from edge.proposals import Draft
from edge.schedule import Schedule
from edge.settings import Settings
from edge.voice import Voice

FLUSH_S = 1.0
"""How long a stop waits for the centre's receipt of the last rows; the journal keeps them anyway."""
HOUSEKEEPING_S = 60.0
"""A minute: the journal's age is counted in these."""
BUSES_IN_STEP = 16

log = structlog.get_logger()


async def run(settings: Settings, fingerprint: str, identity: Credentials | None) -> None:
    """Run the agent of one station until SIGTERM or SIGINT. Without `identity` it has no keys.

    Raises EdgeError, or whatever went wrong.
    """
    clock = SystemClock()
    journal = await Journal.open(settings.data_dir, EdgeId(settings.edge.id), clock)
    try:
        await Agent(settings, fingerprint, identity, clock=clock, journal=journal).run()
    except BaseExceptionGroup as group:
        raise _first(group) from group
    finally:
        await journal.close()


class Agent:
    """One station's agent on an open journal."""

    def __init__(
        self,
        settings: Settings,
        fingerprint: str,
        credentials: Credentials | None,
        *,
        clock: Clock,
        journal: Journal,
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._keys = credentials.keys if credentials else None
        self._edge = EdgeId(settings.edge.id)
        self._fingerprint = fingerprint
        self._clock = clock
        self._journal = journal
        self._pictures: dict[PointId, tuple[str, Quality, Stamp]] = {}
        self._has_picture = asyncio.Event()

    async def run(self) -> None:
        """Until a signal, or until a task fails."""
        reason = _stop_reason(asyncio.get_running_loop())
        last_at = await self._last_at()
        identity = await self._start()
        witness = await self._witness()
        self._points = Points(
            self._settings.point,
            [camera.point for camera in self._settings.camera],
            await self._journal.memories(),
            is_simulated=self._settings.edge.simulated,
            last_at=last_at,
        )
        self._outbox = await self._make_outbox(witness)
        self._voice = Voice(identity.session, self._keys)
        self._link = Link(
            self._settings.broker,
            self._edge,
            lambda: self._voice.say_status(status(identity, self._clock, "will")),
            self._credentials.client_context if self._credentials else None,
        )
        self._delivery = Delivery(
            self._edge,
            self._clock,
            journal=self._journal,
            outbox=self._outbox,
            link=self._link,
            voice=self._voice,
        )
        self._delivery.witness = witness
        self._heartbeat = Heartbeat(
            identity,
            self._clock,
            journal=self._journal,
            points=self._points,
            outbox=self._outbox,
            link=self._link,
            voice=self._voice,
        )
        self._polled = self._pollings()
        self._execution = await self._make_execution(identity)
        self._wire()
        try:
            await self._serve(reason, identity)
        except* EdgeError:
            raise
        except* Exception as group:
            await self._stopped(f"crashed: {type(group.exceptions[0]).__name__}")
            raise

    def _wire(self) -> None:
        """Who hears of the link and of the centre."""
        self._journal.shedding = Shedding({state.id: state.type for state in self._points.states()})
        self._guard = JournalGuard(self._journal, self._clock)

        def connected() -> None:
            self._delivery.connected(is_connected=True)
            self._heartbeat.introduce()

        self._link.on_connect = connected
        self._link.on_disconnect = lambda: self._delivery.connected(is_connected=False)
        self._link.on_message = self._delivery.received
        self._delivery.on_centre = self._heartbeat.introduce
        self._delivery.on_fork = self._heartbeat.beat
        self._heartbeat.witness = lambda: self._delivery.witness
        self._heartbeat.modes = self._modes
        self._delivery.on_command = self._execution.take
        self._execution.on_modes = self._heartbeat.introduce
        self._heartbeat.on_beat = self._execution.beat_sent

    async def _serve(self, reason: "asyncio.Future[str]", identity: Identity) -> None:
        async with asyncio.TaskGroup() as group:

            def start(name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
                return group.create_task(work, name=f"edge[{self._edge}].{name}")

            steady = [
                start("link", self._link.run()),
                start("delivery", self._delivery.run()),
                start("heartbeat", self._heartbeat.run()),
                start("housekeeping", self._keep_house()),
                start("journal_guard", self._guard.run()),
            ]
            sources = [start(f"poll[{name}]", polling.run()) for name, polling in self._polled]
            sources.append(start("execution", self._execution.run()))
            sources += [start(f"listen[{name}]", listening.run()) for name, listening in self._listenings()]
            if self._settings.camera:
                sources.append(start("pictures", self._journal_pictures()))
                sources.append(start("recorder", self._record()))
            log.info("started", edge=self._edge, session=identity.session, points=len(self._points.states()))
            said = await reason
            await _end(sources)
            await self._stopped(said)
            await self._farewell(identity)
            await _end(steady)

    def _pollings(self) -> list[tuple[str, Polling]]:
        """Buses in step share one waking of the process, at a quarter of the cost of one waking each."""
        plans = plan.plan(self._settings)
        now = self._clock.mono_ns()
        beats = -(-len(plans) // BUSES_IN_STEP)
        return [
            (
                entry.bus.id,
                Polling(
                    plan.build_bus(entry.bus),
                    entry.drivers,
                    Schedule(entry.polls, now, index // BUSES_IN_STEP / beats),
                    points=self._points,
                    journal=self._journal,
                    clock=self._clock,
                ),
            )
            for index, entry in enumerate(plans)
        ]

    async def _make_execution(self, identity: Identity) -> Execution:
        """What an earlier start had accepted and not ended is given up before anything else is taken."""
        hands = Hands(self._settings.point, [polling for _, polling in self._polled], self._points)
        memory = Memory.read(await self._journal.mark(MARK))
        return Execution(
            identity.session,
            memory,
            hands=hands,
            points=self._points,
            journal=self._journal,
            clock=self._clock,
        )

    def _listenings(self) -> list[tuple[str, Listening]]:
        return [
            (
                entry.bus.id,
                Listening(entry.listener, points=self._points, journal=self._journal, clock=self._clock),
            )
            for entry in plan.listeners(self._settings)
        ]

    async def _last_at(self) -> int:
        """Wall time of the newest row: until then we know what was seen."""
        rows = await self._journal.rows(max(1, self._journal.head), 1)
        return decode_row(rows[0].raw).at if rows else self._clock.wall_ms()

    async def _start(self) -> Identity:
        """Write down that we started, and whether the settings are others than last time."""
        session = int(await self._journal.mark("session") or 0) + 1
        was = await self._journal.mark("config")
        software = version("casewatch")
        stamp = self._clock.stamp()
        drafts = [Draft(EdgeKind.STARTED, stamp, data={"session": session, "software": software})]
        if was is not None and was != self._fingerprint:
            data = {"sha256": self._fingerprint, "was": was}
            drafts.append(Draft(EdgeKind.CONFIG_CHANGED, stamp, data=data))
        key, key_was = self._keys.signer.public if self._keys else "", await self._journal.mark("key")
        if key and key_was and key != key_was:
            drafts.append(Draft(EdgeKind.KEY_RENEWED, stamp, data={"key": key, "was": key_was}))
        # Before anything is said: no two starts have one number.
        await self._journal.set_marks({"session": str(session)})
        await self._journal.append(drafts)
        await self._journal.set_marks({"config": self._fingerprint} | ({"key": key} if key else {}))
        return Identity(self._edge, session, software, self._fingerprint)

    async def _stopped(self, reason: str) -> None:
        data: dict[str, Any] = {"reason": reason[:200]}
        if self._execution.modes:
            data["maintenance"] = True
        draft = Draft(EdgeKind.STOPPED, self._clock.stamp(), data=data)
        with suppress(JournalBlocked):
            await self._journal.tell_owed()
            await self._guard.tell_shed()
            await self._journal.append([draft])
            await self._note_receipt()
        log.info("stopped", edge=self._edge, reason=reason, queued=self._outbox.queued)

    async def _farewell(self, identity: Identity) -> None:
        """Give the last rows a moment to be receipted, then say goodbye."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_S):
                await self._delivery.drained()
        with suppress(JournalBlocked):
            await self._note_receipt()
        await self._link.close(self._voice.say_status(status(identity, self._clock, "stop")))
        log.info("counted", **asdict(self._delivery.counters), **asdict(self._link.counters))

    async def _keep_house(self) -> None:
        """Remember the receipt, and forget what is old."""
        while True:
            await asyncio.sleep(HOUSEKEEPING_S)
            with suppress(JournalBlocked):
                await self._note_receipt()
                await self._journal.grow_older(Seq(self._outbox.receipted))
                while await self._journal.trim() == TRIM_ROWS:
                    pass

    async def _note_receipt(self) -> None:
        seq = self._outbox.receipted
        own_hash = await self._journal.hash_at(seq)
        witness = self._delivery.witness
        marks = {"receipt": encode(witness).decode()} if witness else {}
        if own_hash is not None:
            marks |= {"receipt_seq": str(seq), "receipt_hash": own_hash.hex()}
        if marks:
            await self._journal.set_marks(marks)

    async def _make_outbox(self, witness: Receipt | None) -> Outbox:
        receipted = int(await self._journal.mark("receipt_seq") or 0)
        at_ms = witness.at if witness else 0
        return Outbox(self._journal.epoch, self._journal.head, receipted, receipted_at_ms=at_ms)

    async def _witness(self) -> Receipt | None:
        """The newest receipt of earlier starts, as the centre signed it; none where it cannot be read."""
        kept = await self._journal.mark("receipt")
        try:
            return decode(Receipt, kept.encode()) if kept else None
        except ContractError as error:
            log.warning("kept_receipt_unreadable", code=error.code)
            return None

    def _modes(self) -> list[Mode]:
        modes = [] if self._keys else [Mode.INSECURE]
        modes += self._execution.modes
        return [*modes, Mode.SIMULATED] if self._settings.edge.simulated else modes

    async def _record(self) -> None:
        """Cameras, and the server of their pictures. Loaded here: a station without them does not pay."""
        from edge.recorder.supervisor import Recorder  # noqa: PLC0415

        recorder = Recorder(self._settings.camera, self._picture)
        if self._settings.media is None:
            await recorder.run()
            return
        from edge.media import MediaServer  # noqa: PLC0415

        try:
            tls = self._credentials.media_context() if self._credentials else None
            server = MediaServer(self._settings.media, recorder, tls)
            await server.start()
        except OSError as error:
            raise MediaFailed(f"[media]: {error}") from error
        try:
            await recorder.run()
        finally:
            await server.stop()

    def _picture(self, point: PointId, value: str, quality: Quality) -> None:
        """The recorder's word on a picture. One slot a camera: a newer word replaces one not yet written."""
        self._pictures[point] = (value, quality, self._clock.stamp())
        self._has_picture.set()

    async def _journal_pictures(self) -> None:
        while True:
            await self._has_picture.wait()
            self._has_picture.clear()
            said, self._pictures = self._pictures, {}
            for point, (value, quality, stamp) in said.items():
                proposal = self._points.picture(point, value, quality, stamp)
                await self._journal.keep(proposal, self._points.commit)


def _stop_reason(loop: asyncio.AbstractEventLoop) -> "asyncio.Future[str]":
    """Done with the name of the signal that asks us to stop; fails if a callback of the loop failed."""
    reason: asyncio.Future[str] = loop.create_future()

    def asked(name: str) -> None:
        if not reason.done():
            reason.set_result(name)

    def failed(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, Exception) and not reason.done():
            reason.set_exception(error)
        else:
            loop.default_exception_handler(context)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked, number.name.lower())
    loop.set_exception_handler(failed)
    return reason


def _first(error: BaseException) -> BaseException:
    """What went wrong in a task, however deep the task's group stands in others."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel these and wait until they are gone."""
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task
