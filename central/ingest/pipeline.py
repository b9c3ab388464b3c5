"""From messages to committed rows: what can be read waits in line, groups of it go into one transaction.

Receipts leave after the commit and never before it. When the store cannot be written nothing is
answered, and the edges send again.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from functools import partial

import structlog
from prometheus_client import Counter as Metric

from central.errors import BadValue, StoreUnavailable
from central.ingest.admission import UpMessage, check_sender
from central.ingest.goodbyes import Goodbyes
from central.ingest.intake import Arrival, Intake, Outcome
from central.ingest.log_watch import LogWatch
from central.ingest.refusals import Refusals
from central.patrol import stations as links
from central.patrol.places import Places
from central.patrol.scene import Scene
from central.patrol.supervision import Supervision
from central.settings import Rules, StationSettings
from central.store.database import Store, Transaction
from contract import messages, topics
from contract.errors import ContractError, UnknownEdge, UnknownVersion
from contract.keys import Signer
from contract.topics import Up

Publish = Callable[[str, bytes], None]

LANE_SHARE = 4
"""Messages of each lane in one transaction: a door is never behind more than four batches of backlog, and
a flood of beats never holds up the log."""
WAITING_MAX = 64
"""Messages of one edge that may wait: eight batches in flight, sent twice, and its live rows between."""
REPORT_EVERY_S = 1.0

rows_total = Metric("casewatch_ingest_rows_total", "Journal rows stored")
log = structlog.get_logger()

_decode: dict[Up, Callable[[bytes], UpMessage]] = {
    Up.BIRTH: partial(messages.decode, messages.Birth),
    Up.STATUS: partial(messages.decode, messages.Status),
    Up.BEAT: partial(messages.decode, messages.Beat),
    Up.LIVE: partial(messages.decode, messages.Live),
    Up.LOG: partial(messages.decode, messages.Batch),
}


class Ingest:
    """`publish(topic, payload)` is called on the loop, and for receipts only after the commit; `key_ended`
    after a commit that ended an edge's former key.
    """

    def __init__(
        self,
        store: Store,
        stations: tuple[StationSettings, ...],
        rules: Rules,
        supervision: Supervision,
        publish: Publish,
        *,
        signer: Signer | None = None,
        key_ended: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._places = Places(stations)
        self._rules = rules
        self._supervision = supervision
        self._publish = publish
        self._signer = signer
        self._key_ended = key_ended
        self._log_watch = LogWatch()
        self._goodbyes = Goodbyes()
        self._refusals = Refusals()
        self._waiting: Counter[str] = Counter()
        self._versions: dict[str, tuple[str, int, float]] = {}
        """Of edges that were refused for it, and when, until it is shown or they are heard in ours again."""
        self._urgent: deque[Arrival] = deque()
        self._log: deque[Arrival] = deque()
        self._came = asyncio.Event()
        self._is_store_lost = False
        self._is_all_heard = True

    def receive(self, topic: str, payload: bytes, received_ms: int, mono_s: float) -> None:
        """Takes a message off the link. Never blocks, never raises: what cannot be taken is counted."""
        edge: str | None = None
        try:
            edge, kind = topics.parse_up(topic)
            if edge not in self._places.station_of_edge:
                name, edge = edge, None
                raise UnknownEdge(f"no station has edge {name}")
            message = _decode[kind](payload)
            check_sender(edge, message)
        except ContractError as error:
            if isinstance(error, UnknownVersion):
                edge = self._note_version(topic, received_ms, mono_s)
            self._refusals.note(edge, error.code, str(error), mono_s)
            return
        if self._waiting[edge] >= WAITING_MAX:
            self._refusals.note(edge, "ingest.overrun", f"{WAITING_MAX} messages wait", mono_s)
            return
        self._waiting[edge] += 1
        lane = self._log if isinstance(message, messages.Batch) else self._urgent
        lane.append(Arrival(message, received_ms, mono_s))
        if lane is self._urgent and self._is_all_heard:
            self._say_unheard(mono_s)
        self._came.set()

    async def run(self) -> None:
        """Works until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._drain(), name="ingest-drain")
            group.create_task(self._report(), name="ingest-report")

    async def _drain(self) -> None:
        while True:
            await self._write(await self._next_group())
            self._say_unheard(self._urgent[0].mono_s if self._urgent else None)

    def _say_unheard(self, mono_s: float | None) -> None:
        """Since when signs of life may wait for the store."""
        self._is_all_heard = mono_s is None
        self._supervision.unheard(mono_s)

    async def _write(self, group: list[Arrival]) -> None:
        """A message that the database cannot hold is refused alone: the others of its group go on."""
        try:
            self._conclude(await self._store.write(partial(self._take, group)))
        except StoreUnavailable as error:
            self._store_lost(error)
            self._supervision.deaf(asyncio.get_running_loop().time())
        except BadValue as error:
            if len(group) > 1:
                for arrival in group:
                    await self._write([arrival])
                return
            (culprit,) = group
            self._refusals.note(culprit.message.edge, error.code, str(error), culprit.mono_s)

    async def _next_group(self) -> list[Arrival]:
        await self._came.wait()
        group = [
            lane.popleft() for lane in (self._urgent, self._log) for _ in range(min(LANE_SHARE, len(lane)))
        ]
        if not (self._urgent or self._log):
            self._came.clear()
        self._waiting.subtract(arrival.message.edge for arrival in group)
        return group

    def _take(self, group: list[Arrival], tx: Transaction) -> Outcome:
        intake = Intake(tx, self._places, self._rules, self._signer, self._log_watch, goodbyes=self._goodbyes)
        for arrival in group:
            intake.take(arrival)
        return intake.finish()

    def _conclude(self, outcome: Outcome) -> None:
        for topic, payload in outcome.replies.items():
            self._publish(topic, payload)
        for edge, mono_s in outcome.heard.items():
            if mono_s is not None and edge in self._versions and mono_s > self._versions[edge][2]:
                del self._versions[edge]
            if mono_s is None:
                self._supervision.left(edge)
                log.info("station_left", edge=edge)
            elif self._supervision.heard(edge, mono_s):
                log.info("station_heard", edge=edge)
        for arrival, error in outcome.refused:
            self._refusals.note(arrival.message.edge, error.code, str(error), arrival.mono_s)
        rows_total.inc(outcome.stored)
        if outcome.has_ended_key:
            self._key_ended()
        if self._is_store_lost:
            self._is_store_lost = False
            log.info("store_back")

    async def _report(self) -> None:
        """Once a second at most, so that a flood costs no more than a drop."""
        while True:
            await asyncio.sleep(REPORT_EVERY_S)
            self._refusals.settle(asyncio.get_running_loop().time())
            await self._show_refused()

    def _note_version(self, topic: str, received_ms: int, mono_s: float) -> str | None:
        """An edge of ours that speaks another version of the wire: it is told by name at the next report."""
        edge, version = topics.version_of(topic)
        if edge not in self._places.station_of_edge:
            return None
        self._versions[edge] = (version, received_ms, mono_s)
        return edge

    async def _show_refused(self) -> None:
        counts, versions = self._refusals.take_counts(), dict(self._versions)
        if not counts and not versions:
            return

        def show(tx: Transaction) -> list[str]:
            scene = Scene(tx, self._places, self._rules)
            for edge, count in counts.items():
                links.refuse(scene, edge, count)
            shown = [edge for edge, told in versions.items() if links.refuse_version(scene, edge, *told[:2])]
            scene.write_back()
            return shown

        try:
            for edge in await self._store.write(show):
                self._versions.pop(edge, None)
        except StoreUnavailable as error:
            self._store_lost(error)

    def _store_lost(self, error: StoreUnavailable) -> None:
        if not self._is_store_lost:
            self._is_store_lost = True
            log.error("store_lost", detail=str(error)[:200])
