"""`casewatch central`: run · check · invite · readmit · skip · faults · settle · enrol · revoke · trust ·
maintain · command · verify · export · backup · restore.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer

from central import app as centre
from central import logs
from central.accounts.gate import Gate
from central.accounts.passwords import Passwords
from central.accounts.roles import Role
from central.commanding import commands as commanding
from central.console import (
    CONSOLE,
    DEFAULT_CONFIG,
    EXIT_REFUSED,
    EXIT_STORE,
    Config,
    edge_of_a_station,
    end,
    settings_of,
    with_store,
)
from central.errors import StoreError
from central.evidence import commands as evidence
from central.ingest.readmission import readmit as readmit_edge
from central.ingest.readmission import skip_gone
from central.patrol import commands as patrol
from central.settings import CentralSettings, SettingsFault, secret_files
from central.store.database import Store
from central.trust import commands as trust
from central.trust.errors import TrustError
from central.trust.files import refuse_exposed
from central.trust.keyring import Keyring
from contract.errors import ContractError

EXIT_CRASHED = 70
INSECURE = (
    "!!! 不安全模式 --insecure-dev: NOTHING IS ENCRYPTED, SIGNED OR CHECKED. "
    "Whoever reaches the broker can open any door on this board and hide any other. Never in service."
)
InsecureDev = Annotated[
    bool,
    typer.Option(
        "--insecure-dev",
        help="Without keys: nothing is encrypted, signed or checked. For trying out, on one machine.",
    ),
]

app = typer.Typer(
    help="The monitor in the case-management centre: ingest, store, patrol, board.",
    epilog="Units stand in the names: _s seconds, _ms milliseconds. Relative paths start where it is run.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(trust.app, name="trust")
app.command()(trust.enrol)
app.command()(trust.revoke)
for command in (evidence.verify, evidence.export, evidence.backup, evidence.restore):
    app.command()(command)
app.add_typer(commanding.app, name="command")
app.command()(commanding.maintain)
app.command()(patrol.faults)
app.command()(patrol.settle)


@app.command()
def run(
    config: Config = DEFAULT_CONFIG,
    insecure_dev: InsecureDev = False,
    insecure_board: Annotated[
        int | None,
        typer.Option(
            help="Serve the board on this port of 127.0.0.1 too, unencrypted, for a browser on this machine.",
            min=1,
            max=65_535,
        ),
    ] = None,
) -> None:
    """Run the centre until SIGINT or SIGTERM.

    Prints `central_ready ADDRESS` once the board answers; the log goes to stderr, a JSON line an event.
    Exit codes: 0 stopped, 2 settings at fault or port in use, 70 crashed, 74 the store cannot be used.
    """
    os.umask(0o077)
    settings = settings_of(config)
    logs.configure()
    keyring = _keyring(settings, insecure_dev=insecure_dev)
    if insecure_board:
        sys.stderr.write(f"!!! --insecure-board: THE BOARD IS UNENCRYPTED on 127.0.0.1:{insecure_board}\n")
        structlog.get_logger(__name__).warning("insecure", reason="--insecure-board", port=insecure_board)
    try:
        asyncio.run(centre.run(settings, keyring, insecure_board))
    except (SettingsFault, centre.PortInUse) as error:
        end(str(error), EXIT_REFUSED)
    except StoreError as error:
        end(f"{error.code}: {error}", EXIT_STORE)
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
    settings = settings_of(config)
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

    sys.stdout.write(f"{with_store(settings_of(config), make)}\n")


@app.command()
def readmit(
    edge: Annotated[str, typer.Argument(help="The edge's id, as in stations.toml.")],
    epoch: Annotated[int, typer.Option(help="The new epoch, as the board's fault tells it.", min=1)],
    reason: Annotated[str, typer.Option(help="Why its journal began anew; kept in the audit.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Accept the new epoch of an edge whose journal began anew. What it sent before stays stored."""
    settings = settings_of(config)
    edge = edge_of_a_station(settings, edge)

    async def accept(store: Store) -> None:
        await store.write(lambda tx: readmit_edge(tx, edge, epoch, CONSOLE, centre.wall_ms(), reason=reason))

    with_store(settings, accept)
    sys.stdout.write(f"{edge}: epoch {epoch} is accepted from its first row\n")


@app.command()
def skip(
    edge: Annotated[str, typer.Argument(help="The edge's id, as in stations.toml.")],
    reason: Annotated[str, typer.Option(help="Why, for the audit.", prompt=True)],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Go on behind rows that an edge no longer has, as the board's fault tells. The audit says who did."""
    settings = settings_of(config)
    edge = edge_of_a_station(settings, edge)

    async def accept(store: Store) -> tuple[int, int]:
        return await store.write(lambda tx: skip_gone(tx, edge, CONSOLE, reason, centre.wall_ms()))

    first, last = with_store(settings, accept)
    sys.stdout.write(f"{edge}: goes on behind row {last}; rows {first} to {last} are given up\n")


def _keyring(settings: CentralSettings, *, insecure_dev: bool) -> Keyring | None:
    """The keys to run with; the process ends where there are none and nobody said that this is meant."""
    if insecure_dev:
        sys.stderr.write(f"{INSECURE}\n")
        structlog.get_logger(__name__).warning("insecure", reason="--insecure-dev")
        return None
    try:
        keyring = Keyring.load(settings.data_dir)
        refuse_exposed(secret_files(settings))
        for name, days in keyring.own_ends(centre.wall_ms()):
            mend = "casewatch central trust renew"
            structlog.get_logger(__name__).warning("certificate_ends", file=name, within_days=days, mend=mend)
    except (TrustError, ContractError) as error:
        end(f"{error.code}: {error}", EXIT_REFUSED)
    except OSError as error:
        end(str(error), EXIT_REFUSED)
    return keyring
