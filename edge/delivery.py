"""Carries rows from the journal to the centre: the one task between journal, outbox and link.

Whatever happens (a row, a receipt, a nak, the centre, the link) wakes it; it then sends what the
outbox allows. Receipts and naks wait in one slot each: the newest says all.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
import structlog
from msgspec import Raw

from contract import limits, topics
from contract.errors import ContractError, WrongSender
from contract.ids import EdgeId
from contract.messages import Batch, CentralStatus, Command, Live, Nak, Receipt
from contract.points import SECURITY_TYPES
from contract.rows import EdgeKind
from contract.topics import Down, Up
from edge.clock import Clock
from edge.journal import Journal
from edge.journal_file import StoredRow
from edge.link import Link
from edge.outbox import Outbox, Verdict
from edge.proposals import Draft
from edge.voice import Voice

_URGENT_KINDS = (*(f"{kind.value}." for kind in SECURITY_TYPES), "command.")
"""What must not wait behind a backlog: a door, and the answer to whoever told a slot to open."""
_ENVELOPE_BYTES = 1_024
REFUSED_PAUSE_S = 0.5

Said = TypeVar("Said", Receipt, Nak, Command)

log = structlog.get_logger()


class DeliveryCounters(msgspec.Struct):
    """Since the process started; logged when it stops."""

    receipts: int = 0
    naks: int = 0
    malformed: int = 0
    batches: int = 0
    live_rows: int = 0


class Delivery:
    """`on_centre` is called when the centre comes online, before anything is sent to it; `on_command` with
    each command, and may raise a ContractError.
    """

    def __init__(
        self, edge: EdgeId, clock: Clock, *, journal: Journal, outbox: Outbox, link: Link, voice: Voice
    ) -> None:
        self.counters = DeliveryCounters()
        self.witness: Receipt | None = None
        """The newest receipt, as the centre signed it: shown to it again at each birth."""
        self.on_centre: Callable[[], None] = lambda: None
        self.on_fork: Callable[[], None] = lambda: None
        self.on_command: Callable[[Command], None] = lambda _command: None
        self._edge = edge
        self._clock = clock
        self._journal = journal
        self._outbox = outbox
        self._link = link
        self._voice = voice
        self._wake = asyncio.Event()
        self._drained = asyncio.Event()
        self._receipt: Receipt | None = None
        self._nak: Nak | None = None
        self._centre = ""
        """The instance that last said it is online."""
        self._said: set[str] = set()
        journal.listener = self.appended

    def appended(self, rows: list[StoredRow], drafts: Sequence[Draft]) -> None:
        """Rows are durable: they may go."""
        security = [
            row.seq
            for row, draft in zip(rows, drafts, strict=True)
            if draft.point is not None and draft.kind.startswith(_URGENT_KINDS)
        ]
        self._outbox.appended(rows[-1].seq, security)
        self._drained.clear()
        self._wake.set()

    def connected(self, *, is_connected: bool) -> None:
        self._outbox.connected(is_connected=is_connected)
        self._wake.set()

    def received(self, topic: str, payload: bytes) -> None:
        """A message of the centre. One that cannot be read is counted and said once."""
        try:
            self._take(topic, payload)
        except ContractError as error:
            self.counters.malformed += 1
            self._say_once("message_refused", code=error.code, topic=topic[:128])
        self._wake.set()

    async def run(self) -> None:
        """Send for ever."""
        while True:
            await self._settle()
            is_taken = await self._send_live() and await self._send_log() and await self._send_live()
            await self._pause(None if is_taken else REFUSED_PAUSE_S)

    async def drained(self) -> None:
        """Wait until a receipt covers every row; not at all while there is nobody to give one."""
        if self._outbox.is_open:
            await self._drained.wait()

    def _take(self, topic: str, payload: bytes) -> None:
        if topic == topics.CENTRAL_STATUS:
            self._take_status(self._voice.hear(CentralStatus, payload))
            return
        edge, lane = topics.parse_down(topic)
        if edge != self._edge:
            return
        if lane is Down.RECEIPT:
            receipt = self._meant_for_us(self._voice.hear(Receipt, payload))
            self._outbox.answered()
            if self._receipt is None or receipt.seq >= self._receipt.seq:
                self._receipt = receipt
        elif lane is Down.NAK:
            self._nak = self._meant_for_us(self._voice.hear(Nak, payload))
            self._outbox.answered()
        elif lane is Down.COMMAND:
            self.on_command(self._meant_for_us(self._voice.hear(Command, payload)))

    def _meant_for_us(self, said: Said) -> Said:
        """The centre's word to another edge, brought to us, is none. Raises WrongSender."""
        if said.edge != self._edge:
            raise WrongSender(f"{type(said).__name__} for {said.edge}")
        return said

    def _take_status(self, status: CentralStatus) -> None:
        """An `offline` of an instance before the present one is its last will, told late: it says nothing."""
        is_online = status.state == "online"
        if not is_online and status.instance != self._centre:
            return
        self._centre = status.instance
        self._outbox.centre(is_online=is_online, now=_now())
        log.info("centre_came" if is_online else "centre_went", instance=status.instance)
        if is_online:
            self.on_centre()

    async def _settle(self) -> None:
        """What the centre answered since the last turn."""
        receipt, self._receipt = self._receipt, None
        nak, self._nak = self._nak, None
        if receipt is not None:
            await self._take_receipt(receipt)
        if nak is not None:
            await self._take_nak(nak)

    async def _take_receipt(self, receipt: Receipt) -> None:
        self.counters.receipts += 1
        own_hash = await self._journal.hash_at(receipt.seq)
        verdict = self._outbox.receipt(receipt, own_hash, _now())
        if verdict is Verdict.TAKEN and (self.witness is None or receipt.seq >= self.witness.seq):
            self.witness = receipt
        if verdict in {Verdict.FORKED, Verdict.FOREIGN_EPOCH}:
            is_news = self._say_once(
                "receipt_refused", verdict=verdict.value, seq=receipt.seq, epoch=receipt.epoch
            )
            if is_news and verdict is Verdict.FORKED:
                await self._write(EdgeKind.CENTRE_FORKED, seq=receipt.seq, hash=receipt.hash)
                self.on_fork()
        if not self._outbox.queued:
            self._drained.set()

    async def _take_nak(self, nak: Nak) -> None:
        self.counters.naks += 1
        receipted = self._outbox.receipted
        verdict = self._outbox.nak(nak, _now())
        self._say_once("rows_asked_again", verdict=verdict.value, first=nak.first, reason=nak.reason)
        if verdict is Verdict.ROLLED_BACK:
            self._drained.clear()
            await self._write(EdgeKind.CENTRE_ROLLED_BACK, seq=nak.first - 1, receipted=receipted)

    async def _write(self, kind: EdgeKind, **data: int | str) -> None:
        await self._journal.tell(Draft(kind, self._clock.stamp(), data=data))

    async def _send_live(self) -> bool:
        """False if the link took no more."""
        while (seq := self._outbox.next_live()) is not None:
            row, previous = await self._row_and_previous(seq)
            live = Live(
                edge=self._edge,
                epoch=self._journal.epoch,
                prev=previous.hex(),
                head=row.hash.hex(),
                row=Raw(row.raw),
            )
            if not self._link.publish(Up.LIVE, self._voice.say(live)):
                return False
            self.counters.live_rows += 1
            self._outbox.sent_live(seq)
        return True

    async def _send_log(self) -> bool:
        """False if the link took no more."""
        while (wanted := self._outbox.next_batch(_now())) is not None:
            previous = await self._journal.hash_at(wanted.first - 1)
            rows = fitting(await self._journal.rows(wanted.first, wanted.limit))
            if previous is None or not rows:
                self._say_once("rows_already_trimmed", first=wanted.first)
                return True
            batch = Batch(
                edge=self._edge,
                epoch=self._journal.epoch,
                first=wanted.first,
                last=rows[-1].seq,
                prev=previous.hex(),
                head=rows[-1].hash.hex(),
                rows=[Raw(row.raw) for row in rows],
            )
            if not self._link.publish(Up.LOG, self._voice.say(batch)):
                return False
            self.counters.batches += 1
            self._outbox.sent_batch(rows[-1].seq, _now())
        return True

    async def _row_and_previous(self, seq: int) -> tuple[StoredRow, bytes]:
        rows = await self._journal.rows(seq, 1)
        previous = await self._journal.hash_at(seq - 1)
        assert rows, f"row {seq} was just appended"
        assert previous is not None, f"row {seq} has no row before it"
        return rows[0], previous

    async def _pause(self, wait_s: float | None) -> None:
        """Until something happens, patience ends, or the link may take more."""
        patience_s = self._outbox.wait_s(_now())
        wait_s = patience_s if wait_s is None else wait_s
        try:
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    def _say_once(self, event: str, **fields: object) -> bool:
        """A peer that repeats itself fills no log. True where it is news."""
        key = f"{event} {fields.get('verdict') or fields.get('code') or ''}"
        is_news = key not in self._said
        if is_news:
            self._said.add(key)
            log.warning(event, **fields)
        return is_news


def _now() -> float:
    """The loop's own clock, seconds; it is the monotonic one."""
    return asyncio.get_running_loop().time()


def fitting(rows: list[StoredRow]) -> list[StoredRow]:
    """As many of the first rows as one batch may carry; at least one."""
    size = _ENVELOPE_BYTES
    for count, row in enumerate(rows):
        size += len(row.raw) + 1
        if size > limits.BATCH_MAX_BYTES and count:
            return rows[:count]
    return rows
