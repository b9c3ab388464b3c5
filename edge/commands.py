"""`casewatch edge`: run · check · journal verify · journal tail; the technician's are in `technician/`."""

import asyncio
import os
import sqlite3
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import structlog
import typer

from contract.errors import ContractError
from contract.rows import decode_row
from edge import identity_commands
from edge.errors import EdgeError, NotEnrolled
from edge.exit_codes import EXIT_FAULTS, EXIT_OPERATING_ERROR, EXIT_PROGRAMMER_ERROR
from edge.settings import Settings
from edge.technician import commands as technician

if TYPE_CHECKING:
    from edge.identity import Credentials

app = typer.Typer(
    help="案管哨 edge agent: reads a station's points, keeps the journal, delivers it to the centre.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
journal_app = typer.Typer(help="The journal of an edge, offline or while it runs.", no_args_is_help=True)
app.add_typer(technician.app)
app.add_typer(identity_commands.app)
app.add_typer(journal_app, name="journal")

SettingsFile = Annotated[
    Path, typer.Argument(help="Settings of one station, TOML (config/edge.example.toml).")
]
JournalOf = Annotated[
    Path, typer.Argument(help="A journal.db, the folder it is in, or the settings of its station.")
]

InsecureDev = Annotated[
    bool,
    typer.Option(
        "--insecure-dev",
        help="Without keys: nothing is encrypted, signed or checked. For trying out, on one machine.",
    ),
]
INSECURE = (
    "!!! 不安全模式 --insecure-dev: NOTHING IS ENCRYPTED, SIGNED OR CHECKED. "
    "Whoever reaches the broker can speak for this station. Never in service."
)


@app.command()
def run(settings_file: SettingsFile, insecure_dev: InsecureDev = False) -> None:
    """Run the agent until SIGTERM or SIGINT.

    Logs JSON lines to stderr. Ends with 0 after a signal, 1 for settings that cannot be used, 70 for a
    fault of the program, 74 when the journal or the data folder fails. Defaults: polls every 100 ms,
    a beat every 5 s, keepalive 10 s, reconnect within 0.8 s, rows kept 30 days after their receipt.
    """
    from edge import logs, settings_check  # noqa: PLC0415 the journal's commands do not need them
    from edge.app import run as run_agent  # noqa: PLC0415

    os.umask(0o077)
    logs.configure()
    log = structlog.get_logger()
    checked = settings_check.check(settings_file)
    for problem in checked.problems:
        typer.echo(problem, err=True)
    if checked.settings is None:
        raise typer.Exit(EXIT_FAULTS)
    fingerprint = settings_check.fingerprint(settings_file, checked.settings)
    try:
        identity = _identity(checked.settings, is_insecure=insecure_dev)
        asyncio.run(run_agent(checked.settings, fingerprint, identity))
    except EdgeError as error:
        log.error("failed", code=error.code, reason=str(error))  # noqa: TRY400 an operating error
        raise typer.Exit(EXIT_OPERATING_ERROR) from None
    except Exception:
        log.exception("ended_by_a_fault")
        raise typer.Exit(EXIT_PROGRAMMER_ERROR) from None


def _identity(settings: Settings, *, is_insecure: bool) -> "Credentials | None":
    """Whom to run as; None where somebody said that nobody is meant. Raises EdgeError."""
    from edge.identity import load_identity, refuse_exposed  # noqa: PLC0415
    from edge.secret_files import all_secret_files  # noqa: PLC0415

    if is_insecure:
        typer.echo(INSECURE, err=True)
        structlog.get_logger().warning("insecure", reason="--insecure-dev")
        return None
    identity = load_identity(settings.data_dir, settings.edge.id)
    if identity is None:
        mend = (
            f"casewatch edge enrol FILE --centre HOST:PORT, with a code of `central enrol {settings.edge.id}`"
        )
        raise NotEnrolled(f"{settings.data_dir} has no identity: {mend}")
    refuse_exposed(all_secret_files(settings))
    return identity


@app.command()
def check(settings_file: SettingsFile) -> None:
    """List every fault of a settings file at once: file:line, path, what is wrong, a hint.

    Then, for each bus, its use (warned of from 50 %, refused from 70 %) and its blind time in ms: the
    worst case from a contact's change until its row is durable. Ends with 1 if there is a fault.
    """
    from edge import settings_check  # noqa: PLC0415

    checked = settings_check.check(settings_file)
    for problem in checked.problems:
        typer.echo(problem)
    for load in checked.loads:
        dead = (
            "" if load.blind_dead_ms == load.blind_ms else f", {load.blind_dead_ms:.0f} ms beside a dead unit"
        )
        use = f"{load.reads} {'read' if load.reads == 1 else 'reads'}, {load.utilisation:.0%} in use"
        typer.echo(f"bus {load.bus}: {use}, blind {load.blind_ms:.0f} ms{dead}")
    faults = sum(not problem.is_warning for problem in checked.problems)
    typer.echo(f"{settings_file}: {faults} faults, {len(checked.problems) - faults} warnings")
    raise typer.Exit(EXIT_FAULTS if faults else 0)


@journal_app.command("verify")
def journal_verify(journal_of: JournalOf) -> None:
    """Check every row against the hash chain and the centre's newest receipt. Ends with 1 at a fault."""
    from edge.journal_verify import verify  # noqa: PLC0415

    path = _journal_path(journal_of)
    try:
        verdict = verify(path)
    except (sqlite3.Error, ValueError, KeyError) as error:
        typer.echo(f"{path}: cannot be read as a journal: {error}")
        raise typer.Exit(EXIT_FAULTS) from None
    where = f"{path}: edge {verdict.edge}, epoch {verdict.epoch}"
    if verdict.bad_seq is not None:
        typer.echo(f"{where}: row {verdict.bad_seq} {verdict.fault}")
        raise typer.Exit(EXIT_FAULTS)
    typer.echo(f"{where}: rows {verdict.first} to {verdict.last} are sound")
    if verdict.receipted < verdict.last:
        held = (
            f"the centre's receipts reach row {verdict.receipted}"
            if verdict.receipted
            else "no receipt is here"
        )
        typer.echo(f"{held}: that no row was cut off after it, only the centre can tell")


@journal_app.command("tail")
def journal_tail(
    journal_of: JournalOf,
    rows: Annotated[int, typer.Option("--rows", "-n", min=1, help="How many of the newest rows.")] = 20,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as rows come, every 0.5 s.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="As they are hashed and sent: canonical JSON.")] = False,
) -> None:
    """Print the newest rows, one a line: number, time here, kind, point, what else there is to say."""
    path = _journal_path(journal_of)
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        (head,) = db.execute("SELECT coalesce(max(seq), 0) FROM row").fetchone()
        seen = max(0, head - rows)
        while True:
            for seq, row in db.execute("SELECT seq, bytes FROM row WHERE seq > ? ORDER BY seq", (seen,)):
                typer.echo(_line(row, is_raw=raw))
                seen = seq
            if not follow:
                break
            time.sleep(0.5)
    except sqlite3.Error as error:
        typer.echo(f"{path}: cannot be read as a journal: {error}", err=True)
        raise typer.Exit(EXIT_FAULTS) from None
    except KeyboardInterrupt:
        sys.exit(0)


def _line(raw: bytes, *, is_raw: bool) -> str:
    """A row as text; one that was tampered with as what it is."""
    try:
        row = decode_row(raw)
    except ContractError as error:
        return f"! {error.code}: {raw!r}"
    if is_raw:
        return raw.decode()
    at = datetime.fromtimestamp(row.at / 1_000).astimezone().isoformat(" ", "milliseconds")
    said = " ".join(f"{name}={value}" for name, value in row.data.items())
    return f"{row.seq:>6}  {at}  {row.kind:<16}  {row.point or '-':<28}  {said}".rstrip()


def _journal_path(journal_of: Path) -> Path:
    """The journal itself, or that of the station whose settings these are."""
    from edge.journal_file import FILE_NAME  # noqa: PLC0415

    if journal_of.is_dir():
        return journal_of / FILE_NAME
    if journal_of.suffix != ".toml":
        return journal_of
    from edge import settings_check  # noqa: PLC0415

    try:
        return settings_check.load(journal_of).data_dir / FILE_NAME
    except EdgeError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_FAULTS) from None
