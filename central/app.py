"""The centre put together: what is made of what, started in order, stopped in the other."""

import asyncio
import errno
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import structlog

from central.accounts.gate import Gate
from central.accounts.passwords import Passwords
from central.accounts.routes import AccountRoutes
from central.board_model import Alert
from central.commanding.routes import CommandRoutes
from central.commanding.sending import Sending
from central.errors import CentralError
from central.ingest.link import Link
from central.ingest.pipeline import Ingest
from central.ingest.routes import EventRoutes
from central.patrol import queries
from central.patrol.clockwork import Clockwork
from central.patrol.desk import Desk
from central.patrol.fault_routes import FaultRoutes
from central.patrol.routes import PatrolRoutes
from central.patrol.supervision import Supervision
from central.settings import CentralSettings, SettingsFault, media_tokens, read_secret
from central.store import lock, openings
from central.store.database import Change, Store
from central.toml_file import Fault
from central.trust.errors import KeyExposed
from central.trust.files import read_secret_bytes
from central.trust.keyring import Keyring
from central.trust.list_keeper import ListKeeper
from central.trust.routes import TrustRoutes
from central.video.relay import Relay
from central.video.routes import VideoRoutes
from central.web.health import HealthRoutes
from central.web.live import Hub
from central.web.live_socket import LiveSocket
from central.web.paint_receipts import PaintReceipts
from central.web.server import Server, application
from central.web.tls import Listening, ServerTls

LOOPBACK = "127.0.0.1"
FIRST_SIGN_IN_FILE = "first-sign-in.code"

_log = structlog.get_logger(__name__)


class PortInUse(CentralError):
    """Somebody else listens where the board should."""

    code = "central.port_in_use"


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


async def run(settings: CentralSettings, keyring: Keyring | None, plain_port: int | None = None) -> None:
    """The centre, until SIGINT or SIGTERM. Without `keyring` nothing is encrypted, signed or checked.

    `plain_port`: on loopback the board is served there too, unencrypted.

    Raises SettingsFault, PortInUse, StoreError.
    """
    stop = _stop_on_signals()
    tokens = media_tokens(settings)
    if settings.broker.password_file:
        read_secret(settings.broker.password_file, "broker.password_file")
    tls = _server_tls(settings, keyring) if keyring else None
    place = _listen(settings.web.host, settings.web.port)
    listening = Listening(place, tls, _listen(LOOPBACK, plain_port) if plain_port else None)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with closing(listening), lock.held(settings.store.url, settings.data_dir):
        await _run_on_store(settings, keyring, tokens, listening=listening, stop=stop)
    _log.info("central_stopped")


async def _run_on_store(
    settings: CentralSettings,
    keyring: Keyring | None,
    tokens: dict[str, str],
    *,
    listening: Listening,
    stop: asyncio.Event,
) -> None:
    store = Store(settings.store.url)
    passwords = Passwords()
    try:
        await store.open()
        gate = Gate(store, passwords, wall_ms)
        await announce_first_start(gate, settings.data_dir / FIRST_SIGN_IN_FILE)
        relay = Relay(settings.stations, tokens, keyring.client_context if keyring else None)
        await _serve(settings, store, gate, relay, keyring=keyring, listening=listening, stop=stop)
    finally:
        passwords.close()
        await store.close()


async def announce_first_start(gate: Gate, file: Path) -> None:
    """While there is no administrator: print the one-time code that makes one, and keep it in `file`."""
    invitation = await gate.first_start()
    _keep_code(file, invitation.code if invitation else None)
    if invitation:
        sys.stdout.write(f"一次性管理员登录码 one-time administrator code (24 h): {invitation.code}\n")


def _keep_code(file: Path, code: str | None) -> None:
    """The code in a file of its owner's only; without one, no file."""
    file.unlink(missing_ok=True)
    if code:
        file.touch(mode=0o600)
        file.write_text(f"{code}\n")


async def _serve(
    settings: CentralSettings,
    store: Store,
    gate: Gate,
    relay: Relay,
    *,
    keyring: Keyring | None,
    listening: Listening,
    stop: asyncio.Event,
) -> None:
    stations, rules = settings.stations, settings.rules
    signer, tls_of = (keyring.signer, keyring.client_context) if keyring else (None, None)
    link = Link(settings.broker, signer, tls_of)
    await _note_start(store, link.instance)
    supervision = Supervision()
    edges = [station.edge for station in stations]
    lists = ListKeeper(store, keyring, edges, wall_ms) if keyring else None
    key_ended = lists.wake if lists else lambda: None
    ingest = Ingest(store, stations, rules, supervision, link.publish, signer=signer, key_ended=key_ended)
    clockwork = Clockwork(store, stations, rules, supervision, wall_ms)
    sending = Sending(store, link.publish, wall_ms, signer)
    receipts = PaintReceipts(store)
    server = _web(
        settings,
        store,
        gate,
        relay,
        keyring=keyring,
        receipts=receipts,
        commands_came=sending.wake,
        is_broker_connected=lambda: link.is_connected,
    )

    await server.start(listening)
    tasks = _start(
        ("store", store.run()),
        ("link", link.run(ingest.receive)),
        ("ingest", ingest.run()),
        ("clockwork", clockwork.run()),
        ("sending", sending.run()),
        ("relay", relay.run()),
        ("paint_receipts", receipts.run()),
        *([("certificate", listening.tls.run())] if listening.tls else []),
        *([("lists", lists.run())] if lists else []),
    )
    _say_ready(settings, listening)
    try:
        await _first_end(tasks, stop)
    finally:
        await _stop(server, tasks, receipts)


async def _stop(server: Server, tasks: list[asyncio.Task[None]], receipts: PaintReceipts) -> None:
    """Nobody is served any more, then nothing is done any more."""
    await server.stop()
    await _end(tasks)
    await receipts.write()


async def _note_start(store: Store, instance: str) -> None:
    start = partial(openings.record, at_ms=wall_ms(), instance=instance, reason="start")
    await store.write(lambda tx: start(tx.conn))


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    """One after the other, in the order in which they were started."""
    for task in tasks:
        task.cancel()
        await asyncio.wait([task])


def _start(*parts: tuple[str, Coroutine[Any, Any, None]]) -> list[asyncio.Task[None]]:
    return [asyncio.create_task(part, name=f"central.{name}") for name, part in parts]


def _web(
    settings: CentralSettings,
    store: Store,
    gate: Gate,
    relay: Relay,
    *,
    keyring: Keyring | None,
    receipts: PaintReceipts,
    commands_came: Callable[[], None],
    is_broker_connected: Callable[[], bool],
) -> Server:
    stations, rules = settings.stations, settings.rules
    desk = Desk(stations, rules)
    hub = Hub(store, rules, lambda conn: queries.snapshot(conn, stations), wall_ms)
    live = LiveSocket(hub, receipts, wall_ms)
    video = VideoRoutes(store, relay, desk, wall_ms)
    health = HealthRoutes(store, is_broker_connected)
    endpoints = [
        *health.endpoints(),
        *AccountRoutes(gate).endpoints(),
        *PatrolRoutes(store, desk, stations, wall_ms).endpoints(),
        *FaultRoutes(store, stations, wall_ms).endpoints(),
        *EventRoutes(store, stations).endpoints(),
        *TrustRoutes(store, keyring, stations, wall_ms).endpoints(),
        *CommandRoutes(store, stations, wall_ms, commands_came).endpoints(),
    ]
    sockets = [live.socket(), video.socket()]
    health.describe(endpoints, sockets)

    def tell(changes: list[Change]) -> None:
        hub.publish(changes)
        prefetch_pictures(relay, changes)

    store.listener = tell
    return Server(application(gate, endpoints, sockets), closing=[live.close, video.close])


def prefetch_pictures(relay: Relay, changes: list[Change]) -> None:
    """A room that waits for its patrol will be looked into: its picture is fetched before anybody asks."""
    for change in changes:
        if change.kind == "alert":
            alert = msgspec.json.decode(change.entity, type=Alert)
            if alert.state == "UNACK":
                relay.prefetch(alert.room)


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _first_end(tasks: list[asyncio.Task[None]], stop: asyncio.Event) -> None:
    """Until told to stop. A task that ends by itself is a fault: what it raised is raised here."""
    stopping = asyncio.create_task(stop.wait(), name="central.stop")
    done, _ = await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    for task in tasks:
        if task in done:
            task.result()
            raise AssertionError(f"{task.get_name()} ended by itself")


def _server_tls(settings: CentralSettings, keyring: Keyring) -> ServerTls:
    """The board's certificate: the one that the settings name, or the county's own. Raises SettingsFault."""
    web = settings.web
    own = keyring.folder / "server.pem", keyring.folder / "server.key"
    named = (Path(web.tls_cert), Path(web.tls_key)) if web.tls_cert and web.tls_key else own
    try:
        read_secret_bytes(named[1])
        return ServerTls(*named)
    except (OSError, KeyExposed) as error:
        raise SettingsFault([Fault(str(named[0]), 0, "web.tls_cert", str(error))]) from error


def _say_ready(settings: CentralSettings, listening: Listening) -> None:
    host, port = listening.place.getsockname()[:2]
    scheme = "https" if listening.tls else "http"
    address = f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
    sys.stdout.write(f"central_ready {address}\n")
    sys.stdout.flush()
    _log.info("central_ready", address=address, stations=len(settings.stations))


def _listen(host: str, port: int) -> socket.socket:
    """Taken before anything else is opened, so that a second centre on one store ends here."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(
                f"{host}:{port} is in use: stop what listens there, or set another [web] port"
            ) from error
        raise
