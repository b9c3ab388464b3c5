"""What the commands of the centre share: settings, one act on the store, and an end with its reason."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer

from central.errors import ActError, StoreError
from central.settings import CentralSettings, SettingsFault, load
from central.store.database import Store

EXIT_REFUSED = 2
EXIT_STORE = 74

Config = Annotated[
    Path, typer.Option("--config", help="central.toml; it names the files of the stations and of the rules.")
]
DEFAULT_CONFIG = Path("config/central.toml")
CONSOLE = "console"
"""Who acts in the audit: whoever may run commands on the centre's machine."""

T = TypeVar("T")


def with_store(settings: CentralSettings, act: Callable[[Store], Awaitable[T]]) -> T:
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
    except ActError as error:
        end(str(error), EXIT_REFUSED)
    except StoreError as error:
        end(f"{error.code}: {error}", EXIT_STORE)


def settings_of(config: Path) -> CentralSettings:
    """Ends the process where they have a fault."""
    try:
        return load(config)
    except SettingsFault as error:
        end(str(error), EXIT_REFUSED)


def edge_of_a_station(settings: CentralSettings, edge: str) -> str:
    """The same word, if some station has it; else the process ends."""
    known = sorted(station.edge for station in settings.stations)
    if edge not in known:
        end(f"no station has edge {edge}; there are {', '.join(known)}", EXIT_REFUSED)
    return edge


def end(text: str, code: int) -> NoReturn:
    sys.stderr.write(f"{text}\n")
    raise typer.Exit(code)
