"""Sends the commands that wait, and gives up those that nobody answered. All it knows is in the store.

A command is claimed by one update, with the edge's start and newest beat: sent again, after a restart of the
centre or because no row has told of it, it is the same command and no younger.
"""

import asyncio
from collections.abc import Callable

import structlog
from sqlalchemy import Connection

from central.commanding import newest_beat, queries, windows
from central.commanding.queries import Stored
from central.commanding.states import State, Step
from central.errors import StoreUnavailable
from central.store.database import Store, Transaction
from contract import messages, signing, topics
from contract.ids import EdgeId
from contract.keys import Signer
from contract.messages import Action, Command

TICK_S = 1.0
WAIT_MAX_MS = 30_000
"""So long a command waits for an edge that cannot be reached."""
SEND_AGAIN_MS = 4_000
ANSWER_GRACE_MS = 5_000
"""A row that was written in time may be on its way."""
VALID_S = {Action.MAINTAIN: 60, Action.END_MAINTENANCE: 60}
VALID_ELSE_S = 30

Publish = Callable[[str, bytes], None]

log = structlog.get_logger()


class Sending:
    """`signer`: None only where the centre runs without keys. `clock` gives wall time in ms."""

    def __init__(
        self, store: Store, publish: Publish, clock: Callable[[], int], signer: Signer | None = None
    ) -> None:
        self._store = store
        self._publish = publish
        self._signer = signer
        self._clock = clock
        self._came = asyncio.Event()
        self._published_ms: dict[str, int] = {}
        self._is_store_lost = False

    def wake(self) -> None:
        """Somebody has just given a command."""
        self._came.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.tick(self._clock())
                self._is_store_lost = False
            except StoreUnavailable as error:
                if not self._is_store_lost:
                    self._is_store_lost = True
                    log.error("commands_stopped", detail=str(error)[:200])  # noqa: TRY400 - its text says it
            try:
                async with asyncio.timeout(TICK_S):
                    await self._came.wait()
            except TimeoutError:
                pass
            self._came.clear()

    async def tick(self, now_ms: int) -> None:
        """Everything that is to be sent or given up at this instant."""
        if not await self._store.read(lambda conn: _is_anything_due(conn, now_ms)):
            self._published_ms.clear()
            return
        sent = await self._store.write(lambda tx: settle(tx, now_ms))
        self._published_ms = {
            one.id: self._published_ms[one.id] for one in sent if one.id in self._published_ms
        }
        for one in sent:
            if abs(now_ms - self._published_ms.get(one.id, 0)) >= SEND_AGAIN_MS:
                self._published_ms[one.id] = now_ms
                self._publish(topics.down(EdgeId(one.edge), topics.Down.COMMAND), self._message(one))

    def _message(self, stored: Stored) -> bytes:
        command = message_of(stored)
        return messages.encode(signing.sign(command, self._signer) if self._signer else command)


def settle(tx: Transaction, now_ms: int) -> list[Stored]:
    """Moves every command that time or a beat moves; those that are to be on their way, oldest first."""
    # A wall clock that was set either way ends a command: better not told than told too late.
    windows.settle(tx, now_ms)
    for one in queries.in_states(tx.conn, [State.WAITING]):
        newest = newest_beat.of(tx.conn, one.edge)
        if abs(now_ms - one.made_ms) > WAIT_MAX_MS:
            queries.move(tx, one.id, one.edge, Step.GIVE_UP, result_ms=now_ms, detail="not_reached")
        elif newest is not None:
            queries.move(
                tx, one.id, one.edge, Step.SEND, sent_ms=now_ms, session=newest.session, beat=newest.beat
            )
    for one in queries.in_states(tx.conn, [State.SENT]):
        if abs(now_ms - (one.sent_ms or 0)) > valid_s(one.action) * 1_000 + ANSWER_GRACE_MS:
            queries.move(tx, one.id, one.edge, Step.GIVE_UP, result_ms=now_ms, detail="no_answer")
    return queries.in_states(tx.conn, [State.SENT])


def message_of(stored: Stored) -> Command:
    """The same bytes each time, but for what a signature adds."""
    assert stored.session is not None
    assert stored.beat is not None
    return Command(
        edge=stored.edge,
        id=stored.id,
        action=stored.action,
        point=stored.point,
        args=stored.args,
        session=stored.session,
        beat=stored.beat,
        valid_s=valid_s(stored.action),
    )


def valid_s(action: Action) -> int:
    return VALID_S.get(action, VALID_ELSE_S)


def _is_anything_due(conn: Connection, now_ms: int) -> bool:
    return bool(queries.in_states(conn, [State.WAITING, State.SENT]) or windows.unsettled(conn, now_ms))
