"""How busy a bus is and how long it may be blind, from its plan alone. Pure.

Blind time: worst case from a contact's change until its row is durable, for the slowest security read.
One request is in flight at a time and is not cut short, so a read may have to wait for the longest one.
"""

import msgspec

from device_drivers.bus import wire_time_ms
from device_drivers.driver import Read
from edge.schedule import Poll
from edge.settings import BusSettings

WARN_AT = 0.5
REFUSE_AT = 0.7

TCP_EXCHANGE_MS = 5.0
"""A module on its own network; what lies behind it is not ours to know."""
DEVICE_DELAY_MS = 10.0
"""What a serial device takes to answer, beside the wire."""
COMMIT_MS = 10.0


class BusLoad(msgspec.Struct, frozen=True):
    """`utilisation` 0 to 1; times in ms. `blind_dead_ms`: while one other unit of the bus does not answer."""

    bus: str
    reads: int
    utilisation: float
    blind_ms: float
    blind_dead_ms: float


def exchange_ms(bus: BusSettings, read: Read) -> float:
    """How long one turn takes, with all of its requests and replies."""
    if bus.kind == "modbus_tcp":
        return read.exchanges * TCP_EXCHANGE_MS
    return wire_time_ms(read, bus.baud) + device_delay_ms(bus, read)


def device_delay_ms(bus: BusSettings, read: Read) -> float:
    """How much of that the device itself takes; on a network it is not told from the way there."""
    return 0.0 if bus.kind == "modbus_tcp" else read.exchanges * DEVICE_DELAY_MS


def bus_load(bus: BusSettings, polls: list[Poll]) -> BusLoad:
    """The load that these polls put on a bus."""
    costs = [exchange_ms(bus, poll.read) for poll in polls]
    utilisation = sum(cost / (poll.interval_ns / 1_000_000) for cost, poll in zip(costs, polls, strict=True))
    first_class = min((poll.poll_class for poll in polls), default=None)
    watched = [
        (poll, cost) for poll, cost in zip(polls, costs, strict=True) if poll.poll_class is first_class
    ]
    slowest_ms = max((poll.interval_ns / 1_000_000 for poll, _ in watched), default=0.0)
    longest_ms = max(costs, default=0.0)
    blind_ms = slowest_ms + sum(cost for _, cost in watched) + longest_ms + COMMIT_MS
    is_shared = len({poll.device for poll in polls}) > 1
    dead_ms = float(bus.timeout_ms or 0) if is_shared else 0.0
    return BusLoad(bus.id, len(polls), utilisation, blind_ms, blind_ms + dead_ms)
