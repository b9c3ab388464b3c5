"""`plan`: what each bus is asked, how long each read keeps the line, how long a door may go unseen. Pure.

It shows what `check` refuses too: who must make a bus lighter needs to see what makes it heavy.
"""

from typing import Literal

import msgspec

from device_drivers import registry
from device_drivers.site import TCP_KINDS
from edge import plan
from edge.bus_load import REFUSE_AT, WARN_AT, bus_load, device_delay_ms, exchange_ms
from edge.schedule import Poll
from edge.settings import BusSettings, Settings

Verdict = Literal["ok", "warned", "refused"]


class ReadPlan(msgspec.Struct, frozen=True):
    """One read that is repeated: times in ms, `use` from 0 to 1 of the bus."""

    device: str
    read: str
    unit: int
    poll_class: str
    period_ms: int
    exchanges: int
    sent_bytes: int
    received_bytes: int
    wire_ms: float
    """On the line, silences included; on a network the way there and back and the device."""
    device_ms: float
    use: float


class BusReport(msgspec.Struct, frozen=True):
    """One bus. `blind_ms`: the longest from a contact's change until its row is durable."""

    id: str
    kind: str
    where: str
    timeout_ms: int
    reads: list[ReadPlan]
    use: float
    verdict: Verdict
    blind_ms: float
    blind_beside_dead_ms: float


class LineReport(msgspec.Struct, frozen=True):
    """A line whose devices speak by themselves: nothing is asked on it, so nothing can be late."""

    id: str
    kind: str
    where: str
    devices: list[str]


class PlanReport(msgspec.Struct, frozen=True):
    buses: list[BusReport]
    listening: list[LineReport]


def report(settings: Settings) -> PlanReport:
    """The plan of every bus. Raises ProfileFault."""
    listening = [
        LineReport(
            bus.id, bus.kind, where(bus), [device.id for device in settings.device if device.bus == bus.id]
        )
        for bus in settings.bus
        if any(d.bus == bus.id and d.driver in registry.LISTENERS for d in settings.device)
    ]
    return PlanReport([_bus_report(entry) for entry in plan.plan(settings)], listening)


def where(bus: BusSettings) -> str:
    """Where a bus is, and how fast."""
    return place(bus) if bus.kind in TCP_KINDS else f"{place(bus)} at {bus.baud} baud"


def place(bus: BusSettings) -> str:
    """Where a technician would look for a bus."""
    return f"{bus.host}:{bus.port}" if bus.kind in TCP_KINDS else bus.device or ""


def verdict(use: float) -> Verdict:
    """What `check` says to this use."""
    return "refused" if use >= REFUSE_AT else "warned" if use >= WARN_AT else "ok"


def _bus_report(entry: plan.BusPlan) -> BusReport:
    load = bus_load(entry.bus, entry.polls)
    return BusReport(
        id=entry.bus.id,
        kind=entry.bus.kind,
        where=where(entry.bus),
        timeout_ms=entry.bus.timeout_ms or plan.TIMEOUT_MAX_MS,
        reads=[_read_plan(entry.bus, poll) for poll in entry.polls],
        use=load.utilisation,
        verdict=verdict(load.utilisation),
        blind_ms=load.blind_ms,
        blind_beside_dead_ms=load.blind_dead_ms,
    )


def _read_plan(bus: BusSettings, poll: Poll) -> ReadPlan:
    read = poll.read
    period_ms = poll.interval_ns // 1_000_000
    whole_ms, device_ms = exchange_ms(bus, read), device_delay_ms(bus, read)
    return ReadPlan(
        device=poll.device,
        read=read.name,
        unit=read.unit,
        poll_class=poll.poll_class.name.lower(),
        period_ms=period_ms,
        exchanges=read.exchanges,
        sent_bytes=read.request_bytes,
        received_bytes=read.reply_bytes,
        wire_ms=whole_ms - device_ms,
        device_ms=device_ms,
        use=whole_ms / period_ms,
    )
