"""What a technician's command prints: rich on a terminal, plain columns when piped, JSON when asked for."""

import sys
from collections.abc import Sequence

import msgspec
import typer
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

RED, YELLOW, GREEN, DIM = "bold red", "yellow", "green", "dim"
Cell = str | Text


def is_terminal() -> bool:
    """Whether a person watches what is printed."""
    return sys.stdout.isatty()


def print_json(document: object) -> None:
    """One document, for `--json`."""
    typer.echo(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())


def print_json_line(document: object) -> None:
    """One document a line, for `--json` of a command that goes on."""
    typer.echo(msgspec.json.encode(document).decode())


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """A table. Columns whose name begins with `>` are numbers and stand to the right."""
    names = [name.removeprefix(">") for name in columns]
    is_number = [name.startswith(">") for name in columns]
    if not is_terminal():
        typer.echo(title)
        for line in _plain(names, is_number, rows):
            typer.echo(line)
        return
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for name, right in zip(names, is_number, strict=True):
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    Console().print(table)


def print_line(text: Cell) -> None:
    """A line; a styled one keeps its colours on a terminal only."""
    if isinstance(text, Text) and is_terminal():
        Console().print(text)
    else:
        typer.echo(str(text))


def _plain(names: list[str], is_number: list[bool], rows: Sequence[Sequence[Cell]]) -> list[str]:
    lines = [names, *([str(cell) for cell in row] for row in rows)]
    widths = [max(cell_len(line[n]) for line in lines) for n in range(len(names))]
    return [
        "  ".join(_padded(*cell) for cell in zip(line, widths, is_number, strict=True)).rstrip()
        for line in lines
    ]


def _padded(text: str, width: int, is_number: bool) -> str:  # noqa: FBT001 - a column of a table
    blank = " " * (width - cell_len(text))
    return blank + text if is_number else text + blank
