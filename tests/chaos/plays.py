"""Every row of the fault matrix that is tried here, in its order."""

from tests.chaos import (
    broker,
    certificates,
    clock,
    clone,
    commanding,
    disk,
    flood,
    garbage,
    kill,
    link,
    partition,
    power,
    replay,
    restore,
    slow,
    stolen,
    syscalls,
    tamper,
)
from tests.chaos.ground import Play

FAMILIES = (
    power,
    kill,
    syscalls,
    broker,
    disk,
    clock,
    partition,
    link,
    garbage,
    flood,
    slow,
    certificates,
    replay,
    commanding,
    stolen,
    tamper,
    restore,
    clone,
)
PLAYS: tuple[Play, ...] = tuple(
    sorted((play for family in FAMILIES for play in family.PLAYS), key=lambda play: play.row)
)
