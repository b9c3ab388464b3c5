"""Every row of the fault matrix that is tried here, in its order."""

from tests.chaos import broker, flood, kill, link, power, replay, slow, syscalls
from tests.chaos.ground import Play

PLAYS: tuple[Play, ...] = (
    *power.PLAYS,
    *kill.PLAYS,
    *syscalls.PLAYS,
    *broker.PLAYS,
    *link.PLAYS,
    *flood.PLAYS,
    *slow.PLAYS,
    *replay.PLAYS,
)
