"""`casewatch central maintain`, `casewatch central command open-slot`."""

import asyncio
import re
import sys
import uuid
from pathlib import Path
from typing import Annotated

import typer

from central.app import wall_ms
from central.commanding import queries, requests, windows
from central.commanding.queries import Given
from central.commanding.requests import Order
from central.commanding.states import OPEN, State
from central.console import CONSOLE, DEFAULT_CONFIG, EXIT_REFUSED, Config, end, settings_of, with_store
from central.errors import Refused
from central.patrol.places import Places
from central.settings import CentralSettings
from central.store.database import Store

EXIT_NOT_DONE = 1
RESULT_WITHIN_S = 60.0
RESULT_LOOK_S = 0.5
_DURATION = re.compile(r"([1-9][0-9]{0,4})(h|m|s)")
_UNIT_S = {"h": 3_600, "m": 60, "s": 1}

app = typer.Typer(help="Tell an edge to do something, and wait for what comes of it.", no_args_is_help=True)


@app.callback()
def commands() -> None:
    """Tell an edge to do something, and wait for what comes of it."""


def maintain(
    edge: Annotated[str, typer.Argument(help="The edge's id, as in stations.toml.")],
    reason: Annotated[str, typer.Option(help="Who works there on what: it stands on the board.")],
    for_: Annotated[str, typer.Option("--for", help="How long: 2h, 90m; 8h at most.")] = "1h",
    end: Annotated[bool, typer.Option("--end", help="Take the leave back.")] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Give leave to work on a station's devices. It ends by itself; every row of that time says so."""
    settings, places = _load(config)
    for_s, now_ms, who = _duration_s(for_), wall_ms(), (CONSOLE, CONSOLE)

    async def begin(store: Store) -> str:
        window = await store.write(
            lambda tx: requests.begin_maintenance(
                tx, places, edge, for_s=for_s, reason=reason, who=who, now_ms=now_ms
            )
        )
        return f"{edge}: maintenance {window.id} for {for_s // 60} min"

    async def take_back(store: Store) -> str:
        window = await store.read(lambda conn: windows.running(conn, edge, now_ms))
        if window is None:
            raise Refused("maintenance.none", f"{edge} is not in maintenance")
        number = window.id
        await store.write(
            lambda tx: requests.end_maintenance(tx, number, reason=reason, who=who, now_ms=now_ms)
        )
        return f"{edge}: maintenance {number} has ended"

    sys.stdout.write(f"{with_store(settings, take_back if end else begin)}\n")


@app.command("open-slot")
def open_slot(
    point: Annotated[str, typer.Argument(help="The slot's lock, such as liuxu.cab1.s03.lock.")],
    reason: Annotated[str, typer.Option(help="Why: it goes into the audit.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Open a slot. Exit codes: 0 done, 1 not done or not known, 2 refused. The centre must be running."""
    settings, places = _load(config)
    edge = places.edge_of_lock(point)
    if edge is None:
        end(f"no cabinet has the lock {point}", EXIT_REFUSED)
    asked = Order(str(uuid.uuid4()), edge, "open_slot", point, reason)

    async def act(store: Store) -> Given:
        who = (CONSOLE, CONSOLE)
        given = await store.write(lambda tx: requests.order(tx, places, asked, who, wall_ms()))
        id_ = given.id
        ends_at = asyncio.get_running_loop().time() + RESULT_WITHIN_S
        while given.state in OPEN and asyncio.get_running_loop().time() < ends_at:
            await asyncio.sleep(RESULT_LOOK_S)
            found = await store.read(lambda conn: queries.get(conn, id_))
            given = queries.given(found) if found else given
        return given

    given = with_store(settings, act)
    sys.stdout.write(f"{point}: {given.state} {given.detail}".rstrip() + "\n")
    if given.state is not State.DONE:
        raise typer.Exit(EXIT_NOT_DONE)


def _load(config: Path) -> tuple[CentralSettings, Places]:
    settings = settings_of(config)
    return settings, Places(settings.stations)


def _duration_s(text: str) -> int:
    found = _DURATION.fullmatch(text)
    if found is None:
        end(f"{text}: a duration is a number and h, m or s, such as 90m", EXIT_REFUSED)
    return int(found[1]) * _UNIT_S[found[2]]
