"""A centre's web side on a real SQLite store, without broker and edges."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher
from msgspec import Raw

from central.accounts.gate import Gate
from central.accounts.passwords import Passwords
from central.accounts.roles import Role
from central.accounts.routes import AccountRoutes
from central.board_model import Station
from central.commanding.routes import CommandRoutes
from central.ingest.intake import Arrival, Intake
from central.ingest.routes import EventRoutes
from central.patrol import queries
from central.patrol.desk import Desk
from central.patrol.fault_routes import FaultRoutes
from central.patrol.places import Places
from central.patrol.routes import PatrolRoutes
from central.settings import CabinetSettings, Name, RoomKind, RoomSettings, Rules, StationSettings
from central.store.database import Store
from central.video.pictures import Mailbox, Picture
from central.video.routes import VideoRoutes
from central.web.health import HealthRoutes
from central.web.live import Hub
from central.web.live_socket import LiveSocket
from central.web.paint_receipts import PaintReceipts
from central.web.server import application
from contract import chain
from contract.messages import Batch, Birth
from contract.pictures import PictureHeader, encode_picture
from contract.points import Clock as ClockState
from contract.rows import Row, encode_row

PASSWORD = "a long enough password"
STATIONS = (
    StationSettings(
        id="liuxu",
        edge="liuxu",
        name=Name(zh="柳圩派出所", en="Liuxu Station"),
        rooms=(
            RoomSettings(
                id="liuxu.int1",
                kind=RoomKind.INTERROGATION_ROOM,
                name=Name(zh="讯问室一", en="Interrogation 1"),
                doors=("liuxu.int1.door",),
                camera="liuxu.int1.picture",
            ),
        ),
        cabinets=(CabinetSettings(id="liuxu.cab1", name=Name(zh="案卷柜一", en="Cabinet 1"), slots=2),),
    ),
)


class Clock:
    """Wall time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now_ms = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now_ms


class Pictures:
    """A relay whose pictures the test makes: one camera, in the interrogation room."""

    def __init__(self) -> None:
        self._watching: list[Mailbox] = []

    def has_camera(self, room: str) -> bool:
        return room == "liuxu.int1"

    @contextmanager
    def watch(self, _room: str) -> Iterator[Mailbox]:
        mailbox = Mailbox()
        self._watching.append(mailbox)
        yield mailbox
        self._watching.remove(mailbox)

    def show(self, seq: int, camera_ms: int) -> None:
        header = PictureHeader(seq, camera_ms, camera_ms)
        for mailbox in self._watching:
            mailbox.put(Picture(header, encode_picture(header, b"jpeg")))


@dataclass
class Centre:
    store: Store
    gate: Gate
    hub: Hub
    receipts: PaintReceipts
    pictures: Pictures
    clock: Clock
    app: web.Application
    server: TestServer
    has_broker: bool = True
    stations: tuple[StationSettings, ...] = STATIONS
    clients: list[TestClient] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    async def visitor(self) -> TestClient:
        """A browser of its own, not signed in."""
        client = TestClient(self.server, headers={"Origin": self.origin})
        self.clients.append(client)
        return client

    async def signed_in(self, role: Role, name: str = "测试民警001") -> TestClient:
        client = await self.visitor()
        invitation = await self.gate.invite(role, "test")
        body = {"code": invitation.code, "name": name, "password": PASSWORD}
        async with client.post("/api/v1/sessions", json=body) as response:
            assert response.status == 200, await response.text()
        return client

    def publish_station(self, name: str, queued: int) -> object:
        """A write that changes the board."""
        station = Station(
            id=name, order=0, name=STATIONS[0].name, edge=name, link="online", link_since_ms=1,
            queued=queued, refused=0,
        )  # fmt: skip
        return self.store.write(lambda tx: tx.changed("station", station))


@pytest.fixture
async def centre(tmp_path: Path) -> AsyncIterator[Centre]:
    store = Store(f"sqlite:///{tmp_path}/casewatch.db")
    await store.open()
    clock = Clock()
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    gate = Gate(store, passwords, clock)
    hub = Hub(store, Rules(), lambda conn: queries.snapshot(conn, STATIONS), clock)
    store.listener = hub.publish
    receipts = PaintReceipts(store)
    desk = Desk(STATIONS, Rules())
    pictures = Pictures()
    live = LiveSocket(hub, receipts, clock)
    video = VideoRoutes(store, pictures, desk, clock)
    health = HealthRoutes(store, lambda: centre.has_broker)
    endpoints = [
        *health.endpoints(),
        *AccountRoutes(gate).endpoints(),
        *PatrolRoutes(store, desk, STATIONS, clock).endpoints(),
        *FaultRoutes(store, STATIONS, clock).endpoints(),
        *EventRoutes(store, STATIONS).endpoints(),
        *CommandRoutes(store, STATIONS, clock, lambda: None).endpoints(),
    ]
    sockets = [live.socket(), video.socket()]
    health.describe(endpoints, sockets)
    app = application(gate, endpoints, sockets)
    app.on_shutdown.append(lambda _app: live.close())
    app.on_shutdown.append(lambda _app: video.close())
    server = TestServer(app)
    await server.start_server()
    centre = Centre(store, gate, hub, receipts, pictures, clock, app, server)
    yield centre
    for client in centre.clients:
        await client.session.close()
    await server.close()
    passwords.close()
    await store.close()


def opened(edge: str, at_ms: int) -> Batch:
    """The first row of a new journal: the door of the interrogation room opens."""
    row = Row(
        seq=1, kind="door.open", at=at_ms, mono=0, boot="b0", clock=ClockState.SYNCED,
        point=f"{edge}.int1.door", data={"was": "closed"},
    )  # fmt: skip
    anchor, raw = chain.anchor(edge, 1), encode_row(row)
    head = chain.link(anchor, raw)
    return Batch(edge=edge, epoch=1, first=1, prev=anchor.hex(), head=head.hex(), rows=[Raw(raw)])


def born(edge: str, at_ms: int) -> Birth:
    """The edge says hello; without it the board knows no door."""
    anchor = chain.anchor(edge, 1).hex()
    return Birth(
        edge=edge, epoch=1, session=1, boot="b0", software="0.1.0", config="0" * 64, seq=0, hash=anchor,
        clock=ClockState.SYNCED, at=at_ms, points=[],
    )  # fmt: skip


@pytest.fixture
async def alert(centre) -> dict:
    """One alert that nobody has claimed."""

    def take(tx) -> None:
        intake = Intake(tx, Places(centre.stations), Rules())
        for message in (born("liuxu", centre.clock.now_ms), opened("liuxu", centre.clock.now_ms)):
            intake.take(Arrival(message, centre.clock.now_ms, 0.0))
        intake.finish()

    await centre.store.write(take)
    client = await centre.signed_in(Role.WATCHER, "测试民警050")
    async with client.get("/api/v1/alerts") as response:
        (found,) = (await response.json())["alerts"]
    return found
