"""`casewatch central`: faults · settle."""

import sys
from datetime import datetime
from typing import Annotated

import typer

from central.app import wall_ms
from central.board_model import Fault
from central.console import CONSOLE, DEFAULT_CONFIG, Config, settings_of, with_store
from central.patrol import fault_words, settling
from central.patrol.alarms import ALARMS
from central.patrol.places import Places
from central.patrol.queries import open_faults
from central.store.database import Store

COLUMNS = ("id", "level", "kind", "where", "since", "ends by", "what it is")


def faults(config: Config = DEFAULT_CONFIG) -> None:
    """List the faults that stand, in Chinese and English, since when by this machine's clock and zone.

    `ends by`: its cause, or where a person has to end it, `settle`.
    """

    async def read(store: Store) -> list[Fault]:
        return await store.read(open_faults)

    standing = with_store(settings_of(config), read)
    if not standing:
        sys.stdout.write("没有故障或异常 · No fault or anomaly\n")
        return
    lines = [COLUMNS, *map(_columns, standing)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)][:-1]
    for *cells, words in lines:
        padded = [f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)]
        sys.stdout.write("  ".join([*padded, words]) + "\n")


def _columns(fault: Fault) -> tuple[str, ...]:
    """The words come last: Chinese is as wide as two."""
    alarm = ALARMS[fault.kind]
    since = datetime.fromtimestamp(fault.since_ms / 1_000).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    where = fault.point or fault.room or fault.station
    ends_by = "settle" if alarm.by_person else "cause"
    return fault.id, alarm.level, fault.kind, where, since, ends_by, fault_words.tell(fault)


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
