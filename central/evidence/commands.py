"""`casewatch central verify · backup · restore · export`: registered by central/commands.py."""

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer

from central.app import wall_ms
from central.console import CONSOLE, DEFAULT_CONFIG, EXIT_REFUSED, EXIT_STORE, Config, end, settings_of
from central.errors import Refused, StoreError
from central.evidence import copies, exporting
from central.evidence.chains import Verdict
from central.evidence.package import Wish
from central.evidence.progress import bar
from central.evidence.verify import verify as verify_store
from central.store import engines
from central.trust.errors import TrustError
from central.trust.keyring import Keyring
from contract.errors import ContractError

EXIT_UNSOUND = 1


def verify(
    edge: Annotated[str | None, typer.Option(help="Only this edge's chains.", show_default=False)] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Check every stored row against its chain, the edges' signatures and the cursors; the centre may run.

    Prints a line a chain; of one that is not sound, the first bad place in words. Keep the heads that it
    prints elsewhere: whoever has the store and all keys can forge both, but not what you wrote down.
    Exit codes: 0 sound, 1 a chain is not, 2 settings at fault, 74 the store cannot be used.
    """
    settings = settings_of(config)
    engine = engines.readers(settings.store.url, 1)
    verdicts = []
    try:
        with bar("rows checked") as tell:
            verdicts = list(verify_store(engine, copies.authority_of(settings.data_dir), tell, edge))
    except (StoreError, OSError) as error:
        _refuse(error)
    finally:
        engine.dispose()
    if edge is not None and not verdicts:
        end(f"the store has no chain of edge {edge}", EXIT_REFUSED)
    _tell(verdicts)


def backup(
    file: Annotated[Path, typer.Argument(help="The file to make; its folder has to have room.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Copy the whole store into FILE while the centre runs, and check the copy down to every chain.

    Keys and settings are not in it: keep copies of the trust folder and of the settings too.
    Exit codes: 0 made and sound, 1 made and a chain is not sound, 2 refused, 74 no copy was made.
    """
    settings = settings_of(config)
    try:
        verdicts = copies.back_up(settings.store.url, file, copies.authority_of(settings.data_dir))
    except (FileExistsError, StoreError, OSError) as error:
        _refuse(error)
    sys.stdout.write(f"{file}: {file.stat().st_size} bytes, SHA-256 {copies.sha256_of(file)}\n")
    _tell(verdicts)


def restore(
    file: Annotated[Path | None, typer.Argument(help="What `backup` made.", show_default=False)] = None,
    done: Annotated[
        bool, typer.Option("--done", help="PostgreSQL: its own tools have restored it; write that down.")
    ] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Put a backup in the store's place, while no centre runs. The present store is set aside, not removed.

    Exit codes: 0 restored; 2 refused, 74 a centre runs on it or the copy is not sound: all is as before.
    """
    settings = settings_of(config)
    if done == (file is not None):
        end("either FILE, or --done", EXIT_REFUSED)
    try:
        if file is None:
            copies.record_restored(settings.store.url, settings.data_dir, CONSOLE, wall_ms())
            sys.stdout.write("written down\n")
        else:
            restored = copies.restore(settings, file, CONSOLE, wall_ms())
            _tell_restored(restored)
    except (StoreError, OSError) as error:
        _refuse(error)
    sys.stdout.write(
        "At the next start of the centre every browser forgets what it knew and everybody signs in again. "
        "The edges hold receipts that are newer than this store: the board says so in red until they have "
        "sent again what is missing. What people did since the copy (reviews, accounts) is not in it.\n"
    )


def export(
    alert: Annotated[int, typer.Option(min=1, help="The alert's number, as the board shows it.")],
    out: Annotated[Path, typer.Option(help="The folder to make the package in.")],
    reason: Annotated[
        str, typer.Option(min=1, help="Why, and for whom; it is written into package and audit.")
    ],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Make an evidence package of one alert: OUT/alert-N, to be checked by `casewatch verify-package`.

    The centre may run. Exit codes: 0 made, 2 refused, 74 the store cannot be used.
    """
    settings = settings_of(config)
    who = f"{CONSOLE} {getpass.getuser()}"
    wish = Wish(alert, who, reason.strip(), wall_ms())
    if not wish.reason:
        end("a reason has to say something", EXIT_REFUSED)
    try:
        keyring = Keyring.load(settings.data_dir)
        folder = exporting.export(settings, keyring, wish, out)
    except (TrustError, Refused) as error:
        end(f"{error.code}: {error}", EXIT_REFUSED)
    except (StoreError, ContractError, OSError) as error:
        _refuse(error)
    sys.stdout.write(f"{folder}: made and checked; to check it again: casewatch verify-package {folder}\n")


def _tell_restored(restored: copies.Restored) -> None:
    for verdict in restored.verdicts:
        sys.stdout.write(f"{verdict}\n")
    if restored.aside:
        sys.stdout.write(f"the former store is {restored.aside}\n")
    if not restored.is_trust_kept:
        sys.stdout.write(
            "no keys could be taken over from a former store: revoke again what was revoked since the copy, "
            "enrol again what was enrolled since\n"
        )


def _tell(verdicts: list[Verdict]) -> None:
    for verdict in verdicts:
        sys.stdout.write(f"{verdict}\n")
    bad = sum(verdict.bad_seq is not None for verdict in verdicts)
    rows = sum(verdict.rows for verdict in verdicts)
    sys.stdout.write(f"{rows} rows in {len(verdicts)} chains: {f'{bad} not sound' if bad else 'all sound'}\n")
    if bad:
        raise typer.Exit(EXIT_UNSOUND)


def _refuse(error: Exception) -> None:
    if isinstance(error, StoreError):
        end(f"{error.code}: {error}", EXIT_REFUSED if error.code == "store.no_copy" else EXIT_STORE)
    end(str(error), EXIT_REFUSED)
