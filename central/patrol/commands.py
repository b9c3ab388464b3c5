"""`casewatch central`: faults · settle."""

import sys
from datetime import datetime
from typing import Annotated

import typer

from central.app import wall_ms
from central.board_model import Fault
from central.console import CONSOLE, DEFAULT_CONFIG, Config, settings_of, with_store
from central.patrol import settling
from central.patrol.alarms import ALARMS
from central.patrol.places import Places
from central.patrol.queries import open_faults
from central.store.database import Store


def faults(config: Config = DEFAULT_CONFIG) -> None:
    """List the faults that stand: id, kind, where, detail, since when, `settle` where a person has to."""

    async def read(store: Store) -> list[Fault]:
        return await store.read(open_faults)

    for fault in with_store(settings_of(config), read):
        since = datetime.fromtimestamp(fault.since_ms / 1_000).astimezone().isoformat(timespec="seconds")
        where = fault.point or fault.room or fault.station
        act = "settle" if ALARMS[fault.kind].by_person else ""
        sys.stdout.write(f"{fault.id}  {fault.kind}  {where}  {fault.detail}  {since}  {act}".rstrip() + "\n")


def settle(
    fault_id: Annotated[str, typer.Argument(help="Its id, as `central faults` and the board tell it.")],
    reason: Annotated[str, typer.Option(help="What it was; kept with the fault and in the audit.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """End a fault for which a person has to answer. One that ends with its cause is refused."""
    settings = settings_of(config)
    places = Places(settings.stations)

    async def end(store: Store) -> Fault:
        said = settling.Settling(CONSOLE, CONSOLE, reason, wall_ms())
        return await store.write(lambda tx: settling.settle(tx, places, fault_id, said))

    ended = with_store(settings, end)
    sys.stdout.write(f"fault {ended.id} is settled: {ended.kind} at {ended.station}\n")
