"""`casewatch edge enrol` and `casewatch edge renew`: the edge's keys and certificates."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from contract.enrolment import Code
from contract.errors import ContractError
from contract.ids import EdgeId
from contract.rows import decode_row
from edge.errors import EdgeError, NotEnrolled
from edge.exit_codes import EXIT_FAULTS, EXIT_OPERATING_ERROR
from edge.settings import Settings

if TYPE_CHECKING:
    from edge.journal import Journal

app = typer.Typer()

NewJournal = Annotated[
    bool, typer.Option("--new-journal", help="Set the present journal aside as evidence, and begin another.")
]
SettingsFile = Annotated[Path, typer.Argument(help="Settings of one station, TOML.")]


@app.command()
def enrol(
    settings_file: SettingsFile,
    centre: Annotated[
        str, typer.Option("--centre", help="host:port of the board, as in a browser's address.")
    ],
    code_file: Annotated[
        Path | None, typer.Option("--code-file", help="Read the code from this file instead of asking.")
    ] = None,
    web_ca: Annotated[
        Path | None,
        typer.Option("--web-ca", help="PEM of the board's authority, where it is not the county's."),
    ] = None,
    new_journal: NewJournal = False,
) -> None:
    """Make this box known at the centre, with the code that `casewatch central enrol` printed.

    The code is asked for, because what stands on a command line is seen by others. The agent must not be
    running. Asked again after a lost answer, with the same code, the centre answers as before. A journal that
    forked from what the centre has, or was rolled back, is given up with --new-journal.
    """
    settings = _settings(settings_file)
    try:
        code = Code.read(code_file.read_text(encoding="utf-8") if code_file else _ask())
        public = asyncio.run(_enrol(settings, centre, code, web_ca, is_new_journal=new_journal))
    except (EdgeError, ContractError) as error:
        _end(f"{error.code}: {error}")
    except OSError as error:
        _end(str(error))
    typer.echo(f"{settings.edge.id} is enrolled; its key is {public}")
    typer.echo("write the key down away from the centre: evidence of this station can be held against it")
    typer.echo(
        f"keep {settings.data_dir / 'identity'} on this box: a copy of it is another {settings.edge.id}"
    )


@app.command()
def renew(settings_file: SettingsFile) -> None:
    """Another key and certificate, before the present one ends. Restart the agent afterwards.

    The present key goes on being good until the agent has spoken with the new one.
    """
    from edge import enrolling  # noqa: PLC0415
    from edge.identity import load_identity  # noqa: PLC0415

    settings = _settings(settings_file)
    try:
        held = load_identity(settings.data_dir, settings.edge.id)
        if held is None:
            raise NotEnrolled(f"{settings.edge.id} was never enrolled: casewatch edge enrol")
        public = enrolling.renew(settings.data_dir, settings.edge.id, held).signer.public
    except (EdgeError, ContractError) as error:
        _end(f"{error.code}: {error}")
    except OSError as error:
        _end(str(error))
    typer.echo(f"{settings.edge.id} has another key, {public[:16]}…: restart the agent to use it")


async def _enrol(
    settings: Settings, address: str, code: Code, others: Path | None, *, is_new_journal: bool
) -> str:
    """With the journal open, so that no agent speaks in the meantime, and its epoch is known."""
    from edge import enrolling  # noqa: PLC0415
    from edge.clock import SystemClock  # noqa: PLC0415
    from edge.journal import Journal  # noqa: PLC0415
    from edge.journal_opening import begin_anew  # noqa: PLC0415

    edge = settings.edge.id
    errand = enrolling.Errand(settings.data_dir, edge, enrolling.Centre(address), others)
    journal = await Journal.open(settings.data_dir, EdgeId(edge), SystemClock())
    try:
        if is_new_journal and not await _is_begun_anew(journal):
            await asyncio.to_thread(errand.meet, code)
            begin_anew(settings.data_dir)
            await journal.close()
            journal = await Journal.open(settings.data_dir, EdgeId(edge), SystemClock())
        keys = await asyncio.to_thread(lambda: errand.enrol(code, journal.epoch, journal.head))
    finally:
        await journal.close()
    return keys.signer.public


async def _is_begun_anew(journal: "Journal") -> bool:
    """By an enrolment that came to no end: another would leave the centre with the epoch before."""
    from edge.journal_opening import BEGUN_ANEW  # noqa: PLC0415

    (first,) = await journal.rows(1, 1) if journal.head == 1 else [None]
    return first is not None and decode_row(first.raw).data.get("reason") == BEGUN_ANEW


def _ask() -> str:
    """Not shown while it is typed; a pipe is read instead of a person."""
    if not sys.stdin.isatty():
        return sys.stdin.readline()
    return str(typer.prompt("登记码 enrolment code", hide_input=True))


def _settings(settings_file: Path) -> Settings:
    from edge import settings_check  # noqa: PLC0415

    checked = settings_check.check(settings_file)
    if checked.settings is None:
        for problem in checked.problems:
            typer.echo(problem, err=True)
        raise typer.Exit(EXIT_FAULTS)
    return checked.settings


def _end(text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(EXIT_OPERATING_ERROR)
