"""How a technician's command ends when something is wrong: one sentence, one exit code."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from device_drivers.errors import DriverError, LinkDown
from edge.errors import EdgeError, JournalInUse
from edge.exit_codes import EXIT_FAULTS, EXIT_OPERATING_ERROR

_BUSY_WORDS = ("exclusively lock", "busy")


@contextmanager
def ending() -> Iterator[None]:
    """Ends with 74 where the line or the data folder cannot be had, with 1 where something is wrong."""
    try:
        yield
    except LinkDown as error:
        typer.echo(f"{error}{mend(str(error))}", err=True)
        raise typer.Exit(EXIT_OPERATING_ERROR) from None
    except (JournalInUse, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_OPERATING_ERROR) from None
    except (EdgeError, DriverError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_FAULTS) from None


def mend(reason: str) -> str:
    """What to do about a line that cannot be opened."""
    if any(word in reason.lower() for word in _BUSY_WORDS):
        return ": another process has the port, the agent perhaps; stop it (systemctl stop casewatch-edge)"
    if "Permission denied" in reason:
        return ": add this user to the group dialout, then log in again"
    if "No such file" in reason or "could not open port" in reason:
        return ": is the adapter plugged in? ls -l /dev/serial/by-id/"
    return ": is there power and a link light? Is the address right?" if reason.startswith("tcp") else ""
