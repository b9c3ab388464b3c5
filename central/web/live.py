"""The live hub: each commit's changes go to every board at once, and no board can hold up another.

A client first gets a snapshot, or the changes it missed; then frames in commit order. Its outbox is
bounded: a client too slow for it loses the outbox and gets a snapshot instead.
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from central.board_model import Alert, Board, Cabinet, Fault, Room, Station
from central.settings import Rules
from central.store import board_changes
from central.store.database import Change, Store
from central.web import metrics

OUTBOX_FRAMES = 256
RESUME_MAX_CHANGES = 2_000
CHANGES_A_FRAME = 200
HEARTBEAT_S = 2.0
ZONE = "Asia/Shanghai"

Send = Callable[[str], Awaitable[None]]


class Snapshot(Struct, frozen=True, tag_field="type", tag="snapshot"):
    """All of the board. A client forgets what it knew."""

    epoch: str
    seq: int
    server_ms: int
    zone: str
    rules: Rules
    stations: list[Station]
    rooms: list[Room]
    cabinets: list[Cabinet]
    alerts: list[Alert]
    faults: list[Fault]


class Resume(Struct, frozen=True, tag_field="type", tag="resume"):
    """What the client knows is still true; what it missed, up to `seq`, follows as changes."""

    epoch: str
    seq: int
    server_ms: int


class Changes(Struct, frozen=True, tag_field="type", tag="changes"):
    server_ms: int
    changes: list[Change]


class Heartbeat(Struct, frozen=True, tag_field="type", tag="hb"):
    """`seq`: the last change that this client has been sent."""

    seq: int
    server_ms: int


class Client:
    """One board's outbox. `seq`: the last change it has been sent."""

    def __init__(self) -> None:
        self.seq = 0
        self.needs_snapshot = False
        self._frames: asyncio.Queue[tuple[int, str]] = asyncio.Queue(OUTBOX_FRAMES)

    def offer(self, seq: int, frame: str) -> None:
        """Called for every commit; never waits."""
        try:
            self._frames.put_nowait((seq, frame))
        except asyncio.QueueFull:
            self.needs_snapshot = True
            self.clear()

    def clear(self) -> None:
        while not self._frames.empty():
            self._frames.get_nowait()

    async def next_frame(self, until_mono: float) -> str | None:
        """The next frame with news for this client, or None at `until_mono` (the loop's clock)."""
        try:
            async with asyncio.timeout_at(until_mono):
                while True:
                    seq, frame = await self._frames.get()
                    if seq > self.seq:
                        self.seq = seq
                        return frame
        except TimeoutError:
            return None


class Hub:
    """Every connected board. `publish` is the store's listener."""

    def __init__(
        self,
        store: Store,
        rules: Rules,
        read_board: Callable[[Connection], Board],
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._rules = rules
        self._read_board = read_board
        self._clock = clock
        self._clients: set[Client] = set()

    def publish(self, changes: list[Change]) -> None:
        """One frame a commit, encoded once however many boards there are."""
        frame = self._frame(changes)
        for client in self._clients:
            client.offer(changes[-1].seq, frame)

    async def serve(self, send: Send, epoch: str | None, last_seq: int) -> None:
        """Keeps one board up to date until cancelled; `epoch` and `last_seq` are what it knows."""
        client = Client()
        self._clients.add(client)
        metrics.live_clients.set(len(self._clients))
        try:
            await self._open(client, send, epoch, last_seq)
            await self._follow(client, send)
        finally:
            self._clients.discard(client)
            metrics.live_clients.set(len(self._clients))

    async def _open(self, client: Client, send: Send, epoch: str | None, last_seq: int) -> None:
        missed = None
        if epoch == self._store.epoch:
            missed = await self._store.read(
                lambda conn: board_changes.since(conn, last_seq, RESUME_MAX_CHANGES)
            )
        if missed is None:
            await self._send_snapshot(client, send)
            return
        client.seq = missed[-1].seq if missed else last_seq
        await send(_text(Resume(self._store.epoch, client.seq, self._clock())))
        for at in range(0, len(missed), CHANGES_A_FRAME):
            await send(self._frame(missed[at : at + CHANGES_A_FRAME]))

    async def _follow(self, client: Client, send: Send) -> None:
        loop = asyncio.get_running_loop()
        beat_mono = loop.time() + HEARTBEAT_S
        while True:
            if client.needs_snapshot:
                await self._send_snapshot(client, send)
            frame = await client.next_frame(beat_mono)
            if client.needs_snapshot:
                continue
            if frame is None:
                frame = _text(Heartbeat(client.seq, self._clock()))
                beat_mono = loop.time() + HEARTBEAT_S
            await send(frame)

    async def _send_snapshot(self, client: Client, send: Send) -> None:
        # From here on frames gather again; those that the snapshot has already are passed over by seq.
        client.needs_snapshot = False
        board = await self._store.read(self._read_board)
        client.seq = board.seq
        metrics.live_snapshots.inc()
        await send(_text(self._snapshot(board)))

    def _snapshot(self, board: Board) -> Snapshot:
        return Snapshot(
            epoch=self._store.epoch,
            seq=board.seq,
            server_ms=self._clock(),
            zone=ZONE,
            rules=self._rules,
            stations=board.stations,
            rooms=board.rooms,
            cabinets=board.cabinets,
            alerts=board.alerts,
            faults=board.faults,
        )

    def _frame(self, changes: list[Change]) -> str:
        return _text(Changes(self._clock(), changes))


def _text(message: Snapshot | Resume | Changes | Heartbeat) -> str:
    return msgspec.json.encode(message).decode()
