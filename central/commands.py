"""`casewatch central`: run · check · invite · readmit."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import structlog
import typer

from central import app as centre
from central import logs
from central.accounts.gate import Gate
from central.accounts.passwords import Passwords
from central.accounts.roles import Role
from central.errors import Refused, StoreError
from central.ingest.readmission import readmit as readmit_edge
from central.settings import CentralSettings, SettingsFault, load
from central.store.database import Store

EXIT_REFUSED = 2
EXIT_CRASHED = 70
EXIT_STORE = 74

app = typer.Typer(
    help="The monitor in the case-management centre: ingest, store, patrol, board.",
    epilog="Units stand in the names: _s seconds, _ms milliseconds. Relative paths start where it is run.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

T = TypeVar("T")
Config = Annotated[
    Path, typer.Option("--config", help="central.toml; it names the files of the stations and of the rules.")
]
DEFAULT_CONFIG = Path("config/central.toml")
CONSOLE = "console"
"""Who acts in the audit: whoever may run commands on the centre's machine."""


@app.command()
def run(config: Config = DEFAULT_CONFIG) -> None:
    """Run the centre until SIGINT or SIGTERM.

    Prints `central_ready ADDRESS` once the board answers; the log goes to stderr, a JSON line an event.
    Exit codes: 0 stopped, 2 settings at fault or port in use, 70 crashed, 74 the store cannot be used.
    """
    settings = _settings(config)
    logs.configure()
    try:
        asyncio.run(centre.run(settings))
    except (SettingsFault, centre.PortInUse) as error:
        _end(str(error), EXIT_REFUSED)
    except StoreError as error:
        _end(f"{error.code}: {error}", EXIT_STORE)
    except Exception:
        structlog.get_logger(__name__).exception("central_crashed")
        raise typer.Exit(EXIT_CRASHED) from None


@app.command()
def check(
    file: Annotated[Path | None, typer.Argument(help="As --config FILE.", show_default=False)] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Check central.toml, stations and rules: every fault at once, with file, line, path and hint."""
    config = file or config
    settings = _settings(config)
    rooms = sum(len(station.rooms) for station in settings.stations)
    sys.stdout.write(f"{config}: sound ({len(settings.stations)} stations, {rooms} rooms)\n")


@app.command()
def invite(
    role: Annotated[Role, typer.Option(help="What the new account may do.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Make a one-time code for one new account, good for 24 h. The code is the last line printed."""

    async def make(store: Store) -> str:
        passwords = Passwords()
        try:
            return (await Gate(store, passwords, centre.wall_ms).invite(role, CONSOLE)).code
        finally:
            passwords.close()

    sys.stdout.write(f"{_with_store(_settings(config), make)}\n")


@app.command()
def readmit(
    edge: Annotated[str, typer.Argument(help="The edge's id, as in stations.toml.")],
    epoch: Annotated[int, typer.Option(help="The new epoch, as the board's fault tells it.", min=1)],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Accept the new epoch of an edge whose journal began anew. What it sent before stays stored."""
    settings = _settings(config)
    if edge not in {station.edge for station in settings.stations}:
        _end(f"no station has edge {edge}", EXIT_REFUSED)

    async def accept(store: Store) -> None:
        await store.write(lambda tx: readmit_edge(tx, edge, epoch, CONSOLE, centre.wall_ms()))

    _with_store(settings, accept)
    sys.stdout.write(f"{edge}: epoch {epoch} is accepted from its first row\n")


def _with_store(settings: CentralSettings, act: Callable[[Store], Awaitable[T]]) -> T:
    """One act on the store, also while the centre runs on it. Ends the process where it is refused."""

    async def do() -> T:
        store = Store(settings.store.url)
        try:
            await store.open()
            return await act(store)
        finally:
            await store.close()

    try:
        return asyncio.run(do())
    except Refused as error:
        _end(str(error), EXIT_REFUSED)
    except StoreError as error:
        _end(f"{error.code}: {error}", EXIT_STORE)


def _settings(config: Path) -> CentralSettings:
    try:
        return load(config)
    except SettingsFault as error:
        _end(str(error), EXIT_REFUSED)


def _end(text: str, code: int) -> NoReturn:
    sys.stderr.write(f"{text}\n")
    raise typer.Exit(code)
