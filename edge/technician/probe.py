"""`probe`: goes over a line unit by unit. The shell of `probing`, which says why it is harmless."""

import asyncio
import time
from collections.abc import Callable

import msgspec

from device_drivers.bus import REOPEN_FIRST_S, Bus
from device_drivers.driver import Driver, Observation
from device_drivers.errors import BadFrame, DriverError, LinkDown, NoReply, WrongReply
from device_drivers.modbus import question
from device_drivers.modbus.envelope import Framing
from device_drivers.modbus.question import Question
from device_drivers.site import TCP_KINDS
from edge import plan
from edge.technician import probing
from edge.technician.bus_plan import place
from edge.technician.probing import AnyProfile, Found, ProbeReport, Target

Step = Callable[[int], None]
"""Told how many more units were dealt with."""


async def probe(targets: list[Target], units: tuple[int, ...], step: Step) -> ProbeReport:
    """Ask on one line in every way that `targets` name, until one brought answers.

    Targets at other baud rates are all tried. Raises LinkDown where the line cannot be opened at all.
    """
    began = time.monotonic()
    found: list[Found] = []
    notes: list[str] = []
    for target in targets:
        if found and target.bus.kind in TCP_KINDS:
            step(steps(target, units))
            continue
        scan = _Scan(target, step)
        found += await scan.run(probing.units_of(target, units))
        notes += scan.notes()
    expected = {unit: name for target in targets for unit, name in target.expected.items()}
    missing = probing.missing(expected, found)
    took_s = time.monotonic() - began
    return ProbeReport(place(targets[0].bus), found, missing, len(units), round(took_s, 1), notes)


def steps(target: Target, units: tuple[int, ...]) -> int:
    """How many steps the probe of a target takes."""
    is_modbus = probing.kind_of(target.bus.kind) == "modbus"
    rounds = len(probing.PINGS) if is_modbus else len(target.lock_kinds)
    return rounds * len(probing.units_of(target, units))


class _Scan:
    """One way of asking on one line."""

    def __init__(self, target: Target, step: Step) -> None:
        settings = target.bus
        timeout_ms = max(probing.TIMEOUT_MS, settings.timeout_ms or 0)
        self._settings = msgspec.structs.replace(settings, timeout_ms=timeout_ms)
        self._bus: Bus = plan.build_bus(self._settings)
        self._target = target
        self._step = step
        self._transaction = 0
        self._garbled: list[int] = []
        self._profiles: dict[str, AnyProfile] = {}

    async def run(self, units: list[int]) -> list[Found]:
        try:
            await self._bus.open()
            if probing.kind_of(self._settings.kind) == "modbus":
                return probing.folded(await self._modbus_units(units), len(units))
            return await self._lock_boards(units)
        finally:
            await self._bus.close()

    def notes(self) -> list[str]:
        """What a technician should hear beside what was found."""
        said = []
        rate = "" if self._settings.kind in TCP_KINDS else f" at {self._settings.baud} baud"
        if self._garbled:
            units = ", ".join(map(str, sorted(set(self._garbled))))
            said.append(
                f"no sense in what came{rate} for unit {units}: another baud rate, two units of one number, "
                "or A and B exchanged"
            )
        if self._bus.counters.late:
            said.append(
                f"{self._bus.counters.late} replies came{rate} after {self._settings.timeout_ms} ms: "
                "a slow unit; set timeout_ms of the bus higher and probe again"
            )
        return said

    async def _modbus_units(self, units: list[int]) -> list[Found]:
        """Everybody once, then the silent ones with another function: out of quarantine by then."""
        there: set[int] = set()
        for ping in probing.PINGS:
            for unit in units:
                if unit not in there and probing.is_there(await self._ask(unit, ping)):
                    there.add(unit)
                self._step(1)
        if there:
            paths = {name: plan.profile_path(name) for name in plan.profile_names()}
            self._profiles = probing.load_profiles(paths)
        return [await self._modbus_unit(unit) for unit in sorted(there)]

    async def _modbus_unit(self, unit: int) -> Found:
        said = await self._ask(unit, question.identify_request())
        functions = [
            function
            for function, pdu in probing.function_questions().items()
            if _is_data(await self._ask(unit, pdu))
        ]
        replies: dict[bytes, bytes | None] = {}
        for profile in self._profiles.values():
            pdu = probing.level_question(profile)
            if pdu not in replies:
                replies[pdu] = await self._ask(unit, pdu)
        candidates = [
            name
            for name, profile in self._profiles.items()
            if probing.fits(profile, replies[probing.level_question(profile)])
        ]
        return Found(
            unit=unit,
            kind=self._settings.kind,
            baud=self._baud(),
            identity=question.identity_of(said) if said else None,
            functions=tuple(functions),
            candidates=tuple(candidates),
            settings=self._target.expected.get(unit, ""),
        )

    async def _lock_boards(self, units: list[int]) -> list[Found]:
        """Family by family: a board that was silent to one is out of quarantine when the next is asked."""
        answered: dict[int, dict[str, list[Observation]]] = {}
        for kind in self._target.lock_kinds:
            drivers = probing.lock_drivers(self._settings, kind, units)
            for unit in units:
                seen = await self._status(drivers[unit]) if unit in drivers else None
                if seen is not None:
                    answered.setdefault(unit, {})[kind] = seen
                self._step(1)
        return [self._lock_board(unit, kinds) for unit, kinds in sorted(answered.items())]

    def _lock_board(self, unit: int, answered: dict[str, list[Observation]]) -> Found:
        seen = next(iter(answered.values()))
        active = [int(o.channel.partition(":")[2]) for o in seen if o.active]
        contacts = f"{len(seen)} contacts, active: {probing.ranges(active) or 'none'}"
        return Found(
            unit=unit,
            kind=self._settings.kind,
            baud=self._baud(),
            candidates=tuple(answered),
            settings=self._target.expected.get(unit, ""),
            status=contacts,
        )

    async def _status(self, driver: Driver) -> list[Observation] | None:
        read = driver.reads()[0]
        try:
            sights = await self._bus.read(driver, read)
        except LinkDown:
            raise
        except DriverError as error:
            self._note(read.unit, error)
            return None
        return [sight for sight in sights if isinstance(sight, Observation)]

    async def _ask(self, unit: int, pdu: bytes) -> bytes | None:
        """The reply, an exception too. None for none, and from a module that hangs up at the question."""
        framing: Framing = "mbap" if self._settings.kind == "modbus_tcp" else "rtu"
        for is_last in (False, True):
            self._transaction += 1
            asked = Question(unit, pdu, framing, self._transaction)
            try:
                await self._bus.read(asked, asked.reads()[0])
            except LinkDown:
                if self._settings.kind not in TCP_KINDS:
                    raise
                if is_last:
                    return None
                await asyncio.sleep(2 * REOPEN_FIRST_S)
            except DriverError as error:
                self._note(unit, error)
                return None
            else:
                return asked.reply
        return None

    def _note(self, unit: int, error: DriverError) -> None:
        is_noise = isinstance(error, BadFrame | WrongReply) or (isinstance(error, NoReply) and error.received)
        if is_noise:
            self._garbled.append(unit)

    def _baud(self) -> int:
        return 0 if self._settings.kind in TCP_KINDS else self._settings.baud


def _is_data(reply: bytes | None) -> bool:
    return reply is not None and question.exception_of(reply) is None
