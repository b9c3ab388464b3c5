"""The technician's commands as they are typed: options and exit codes. Each loads what it needs."""

from pathlib import Path
from typing import Annotated

import typer

from edge.exit_codes import EXIT_FAULTS

app = typer.Typer()

SettingsFile = Annotated[
    Path, typer.Argument(help="Settings of one station, TOML (config/edge.example.toml).")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@app.command()
def plan(settings_file: SettingsFile, *, json: Json = False) -> None:
    """Show what each bus is asked: every read, its ms on the wire, its share; use and blind time. Opens nothing.

    A use from 50 % on is warned of, from 70 % on refused. Blind is the longest, in ms, from a contact's
    change until its row is durable. Settings with faults are shown as far as they can be; ends with 1 then.
    """
    from edge.technician import plan_command  # noqa: PLC0415

    if not plan_command.run(settings_file, is_json=json):
        raise typer.Exit(EXIT_FAULTS)
