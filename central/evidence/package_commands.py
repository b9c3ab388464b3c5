"""`casewatch verify-package`: for whoever is handed a package, on any machine."""

import io
import sys
from pathlib import Path
from typing import Annotated

import typer

from central.evidence.manifest import AUTHORITY
from central.evidence.package_check import PackageCheck
from contract.certificates import fingerprint, load
from contract.errors import BadKey

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
NO_KEYS: list[str] = []


@app.command()
def verify_package(
    folder: Annotated[Path, typer.Argument(help="The package: the folder with manifest.json in it.")],
    ca: Annotated[
        Path | None,
        typer.Option("--ca", help="The county's certificate, from another hand than the package's."),
    ] = None,
    edge_keys: Annotated[
        list[str],
        typer.Option("--edge-key", help="The edge's key, from its enrolment; repeat it for others."),
    ] = NO_KEYS,
) -> None:
    """Check an evidence package: signatures, certificates, files, and every row of the edge.

    Needs no store, no settings and no network. Exit codes: 0 sound, 1 not, 2 --ca cannot be read.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    try:
        given = ca.read_bytes() if ca else None
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from error
    for step in PackageCheck(folder, given, edge_keys).run():
        if step.fault is not None:
            sys.stdout.write(f"✗ {step.what}: {step.fault}\nNOT SOUND 不可信\n")
            raise typer.Exit(1)
        sys.stdout.write(f"✓ {step.what}\n")
    sys.stdout.write("sound 完好\n")
    if given is None:
        sys.stdout.write(_warning(folder / AUTHORITY))


def _warning(authority: Path) -> str:
    try:
        known_by = fingerprint(load(authority.read_bytes())).hex()
    except (BadKey, OSError):
        known_by = "unreadable"
    return (
        "\n!! This trusts the authority inside the package, and whoever makes one can put his own in.\n"
        "!! Get the county's certificate by another way and give it with --ca, or compare its SHA-256:\n"
        f"!! {known_by}\n"
    )
