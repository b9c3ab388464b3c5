"""What every polled driver must hold, whatever it speaks: one function a property, each fails by assertion.

All of it is played in virtual time over the true bus and a cable in memory, with a far end that the driver's
case gives. `checks(case)` tells which of them apply.
"""

import ast
import asyncio
import gc
import importlib.util
import random
import re
import time
import tracemalloc
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from device_drivers import registry
from device_drivers.driver import Observation, Read, Sight
from device_drivers.errors import (
    BadFrame,
    DriverError,
    LinkDown,
    NoReply,
    ProfileFault,
    UnaskedFrame,
    WrongReply,
    WrongUnit,
)
from edge.settings import PointSettings
from tests.support.conformance_commands import COMMANDED
from tests.support.conformance_flood import the_loop_is_never_held_up
from tests.support.driver_cases import DriverCase
from tests.support.played_line import (
    QUARANTINE_S,
    TIMEOUT_S,
    Exchanged,
    PlayedLine,
    Turn,
    line,
    seen,
    silent,
    sound_turns,
)

Check = Callable[[DriverCase], Coroutine[Any, Any, None]]

WINDOW_MAX_MS = 10_000
"""No device may keep a line for longer in one turn."""
BABBLE_BYTES = 1_000_000
MEMORY_MAX_BYTES = 1_000_000
KEPT_MAX_BYTES = 128_000
CLOCKS_AND_IO = {
    "asyncio",
    "datetime",
    "logging",
    "os",
    "random",
    "select",
    "serial",
    "socket",
    "threading",
    "time",
}
BUSES_AND_LINES = ("device_drivers.bus", "device_drivers.transport")
GARBAGE = (
    b"\x55",
    b"\x01\x02\x03\x04\x05",
    b"\xa5" * 9,
    bytes(range(0x20, 0x40)),
    b"\x80" * 3 + b"\x7f" * 40,
)


# What it says of itself


async def reads_stay_the_same_and_their_names_are_unique(case: DriverCase) -> None:
    driver, twin = case.driver(), case.driver()
    reads = driver.reads()
    assert reads, "nothing is ever read"
    assert reads == driver.reads() == twin.reads()
    names = [read.name for read in reads]
    assert len(set(names)) == len(names)
    assert {read.unit for read in reads} == {case.site.unit}, "the bus quarantines the read's unit"
    assert driver.kind == case.kind


async def channels_are_unique_and_settings_can_name_them(case: DriverCase) -> None:
    """Unique in a read: two antennas may each tell of one tag."""
    channels: set[str] = set()
    for read in case.driver().reads():
        assert len(set(read.channels)) == len(read.channels)
        channels.update(read.channels)
    pattern = re.compile(_channel_pattern())
    assert [channel for channel in channels if not pattern.search(channel)] == []
    assert set(case.site.channels) <= channels, "a channel that a point uses is in no read"


async def what_is_seen_is_of_the_channels_that_were_read(case: DriverCase) -> None:
    for is_active in (False, True):
        for turn in await sound_turns(case, is_active=is_active):
            assert {sight.channel for sight in turn.result} <= set(turn.read.channels)
            levels = [sight for sight in turn.result if isinstance(sight, Observation)]
            assert len({sight.channel for sight in levels}) == len(levels)
            for sight in levels:
                assert sight.counter is None or 0 <= sight.counter < 2**sight.counter_bits


async def rest_and_activity_are_told_apart(case: DriverCase) -> None:
    assert await seen(case, is_active=False) != await seen(case, is_active=True)


async def lengths_and_exchanges_are_those_on_the_wire(case: DriverCase) -> None:
    """Of a poll that finds nothing new: that is what a bus is busy with."""
    async with line(case) as played:
        await played.poll()
        for read in played.driver.reads():
            before = len(played.heard)
            await played.read(read)
            _lengths_are_true(case, read, played.heard[before:])


async def it_knows_no_clock_and_does_no_input_or_output(case: DriverCase) -> None:
    """Neither it nor what it imports of `device_drivers`, but for what buses and lines are made of."""
    todo, done = [type(case.driver()).__module__], set()
    while todo:
        module = todo.pop()
        done.add(module)
        imported = _imports(module)
        banned = {name for name in imported if name.partition(".")[0] in CLOCKS_AND_IO}
        assert not banned, f"{module} imports {', '.join(sorted(banned))}"
        todo += [name for name in imported if _is_ours(name) and name not in done]


async def unknown_options_are_refused_by_their_name(case: DriverCase) -> None:
    site = msgspec.structs.replace(case.site, options={**case.site.options, "no_such_option": 1})
    with pytest.raises(ProfileFault, match="no_such_option"):
        registry.build(case.kind, site)


# A line that is cut, slow or silent


async def a_beginning_of_a_reply_is_no_reply(case: DriverCase) -> None:
    for turn, nth, exchange in await _exchanges(case):
        for cut in range(len(exchange.reply)):
            async with line(case) as played:
                await played.up_to(turn.read)
                came = await played.attempt(turn.read, nth, lambda _, reply, cut=cut: [reply[:cut]])
                _is_unsound(came, turn, NoReply, BadFrame)
                assert (await played.poll())[turn.read.name] == turn.result, f"not well after {cut} bytes"


async def a_reply_byte_by_byte_says_the_same(case: DriverCase) -> None:
    for turn, nth, _ in await _exchanges(case):
        async with line(case) as played:
            await played.up_to(turn.read)
            assert (
                await played.read(turn.read, nth, lambda _, reply: [bytes([b]) for b in reply]) == turn.result
            )


async def silence_ends_in_no_reply_and_in_good_time(case: DriverCase) -> None:
    for turn, nth, exchange in await _exchanges(case):
        async with line(case) as played:
            await played.up_to(turn.read)
            before = len(played.heard)
            came = await played.attempt(turn.read, nth, silent)
            assert isinstance(came, NoReply), f"{came!r} out of silence"
            assert len(played.heard) == before + nth + 1, "it went on asking a device that does not answer"
            waited_s = played.bus._clock() - played.heard[-1].at
            assert waited_s <= max(TIMEOUT_S, exchange.read.window_ms / 1_000) + 0.001
            assert exchange.read.window_ms <= WINDOW_MAX_MS, f"the line is kept for {waited_s:.0f} s"
            assert (await played.poll())[turn.read.name] == turn.result


async def a_lost_link_is_told_and_after_it_all_is_as_before(case: DriverCase) -> None:
    for turn, nth, _ in await _exchanges(case):
        async with line(case) as played:
            await played.up_to(turn.read)

            def hang_up(_: bytes, reply: bytes, played: Any = played) -> list[bytes]:
                played.far.send(reply[:1])
                played.far.hang_up()
                return []

            assert isinstance(await played.attempt(turn.read, nth, hang_up), LinkDown)
            played.far.is_reachable = True
            assert (await played.poll())[turn.read.name] == turn.result
            assert played.far.opened == 2


async def a_cancelled_poll_leaves_nothing_to_the_next(case: DriverCase) -> None:
    """The old answer tells of activity and comes after all; by then all is at rest."""
    at_rest = await seen(case, is_active=False)
    for turn, nth, _ in await _exchanges(case):
        for heard_bytes in (0, 1):
            async with line(case) as played:
                await played.up_to(turn.read)
                late: list[bytes] = []

                def keep(_: bytes, reply: bytes, late: Any = late, head: int = heard_bytes) -> list[bytes]:
                    late.append(reply[head:])
                    return [reply[:head]]

                await played.cut_short(played.read(turn.read, nth, keep))
                assert await _next(case, played, turn, late[0]) == at_rest[turn.read.name]


async def a_late_reply_is_never_the_answer_to_the_next_request(case: DriverCase) -> None:
    at_rest = await seen(case, is_active=False)
    for turn, nth, _ in await _exchanges(case):
        async with line(case) as played:
            await played.up_to(turn.read)
            late: list[bytes] = []
            await played.attempt(turn.read, nth, lambda _, reply, late=late: late.append(reply) or [])
            assert await _next(case, played, turn, late[0]) == at_rest[turn.read.name]


async def a_clock_that_jumps_changes_nothing(case: DriverCase) -> None:
    expected = await seen(case, is_active=True)
    with pytest.MonkeyPatch.context() as patch:
        for step_s in (0.0, 3_600.0, 86_400.0):
            async with line(case) as played:
                await played.poll()
                played.clock_step_s = step_s
                patch.setattr(time, "time", lambda step_s=step_s: 1e9 - step_s)
                assert await played.poll() == expected


# A line that says too much


async def strays_before_a_reply_are_skipped(case: DriverCase) -> None:
    for turn, nth, _ in await _exchanges(case):
        for strays in (b"\x00", b"\xff\x00", b"\xff\xff\xff"):
            async with line(case) as played:
                await played.up_to(turn.read)
                assert await played.read(turn.read, nth, lambda _, r, s=strays: [s, r]) == turn.result


async def garbage_before_a_reply_costs_at_most_that_reply(case: DriverCase) -> None:
    for turn, nth, _ in await _exchanges(case):
        for garbage in GARBAGE:
            for glue in (lambda _, r, g=garbage: [g + r], lambda _, r, g=garbage: [g, r]):
                async with line(case) as played:
                    await played.up_to(turn.read)
                    came = await played.attempt(turn.read, nth, glue)
                    _is_sound_or_refused(came, turn)
                    assert (await played.poll())[turn.read.name] == turn.result


async def garbage_after_a_reply_costs_nothing(case: DriverCase) -> None:
    for turn, nth, _ in await _exchanges(case):
        for garbage in GARBAGE:
            async with line(case) as played:
                await played.up_to(turn.read)
                came = await played.attempt(turn.read, nth, lambda _, r, g=garbage: [r + g])
                if turn.read.window_ms:
                    _is_sound_or_refused(came, turn)
                else:
                    assert came == turn.result
                assert (await played.poll())[turn.read.name] == turn.result


async def garbage_instead_of_a_reply_is_a_typed_error(case: DriverCase) -> None:
    for turn, nth, exchange in await _exchanges(case):
        chance = random.Random(7)
        size = len(exchange.reply)
        heads = range(size if case.has_check else 3)
        noises = [exchange.reply[:head] + chance.randbytes(size - head) for head in heads]
        for garbage in (*GARBAGE, *noises, bytes(size)):
            async with line(case) as played:
                await played.up_to(turn.read)
                came = await played.attempt(turn.read, nth, lambda _, __, g=garbage: [g])
                _is_unsound(came, turn, DriverError)
                assert (await played.poll())[turn.read.name] == turn.result


async def no_flipped_bit_becomes_a_sight(case: DriverCase) -> None:
    for turn, nth, exchange in await _exchanges(case):
        for bit in range(8 * len(exchange.reply)):
            flipped = bytearray(exchange.reply)
            flipped[bit // 8] ^= 1 << bit % 8
            async with line(case) as played:
                await played.up_to(turn.read)
                came = await played.attempt(turn.read, nth, lambda _, __, f=bytes(flipped): [f])
                _is_unsound(came, turn, DriverError)


async def an_echo_before_the_reply_is_stripped(case: DriverCase) -> None:
    for turn, nth, _ in await _exchanges(case):
        for cut in (0, 1, 3):
            async with line(case) as played:
                await played.up_to(turn.read)
                came = await played.read(turn.read, nth, lambda q, r, cut=cut: [q[:cut], q[cut:] + r])
                assert came == turn.result


async def an_echo_alone_is_no_reply(case: DriverCase) -> None:
    for turn, nth, _ in await _exchanges(case):
        async with line(case) as played:
            await played.up_to(turn.read)
            came = await played.attempt(turn.read, nth, lambda request, _: [request])
            assert isinstance(came, NoReply | BadFrame), f"{came!r} out of an echo"
            assert (await played.poll())[turn.read.name] == turn.result


async def a_babbling_device_leaves_memory_flat(case: DriverCase) -> None:
    """A megabyte in one turn, then a hundred turns of 4 KB: noise, this device's own reply, its head."""
    for turn in await sound_turns(case):
        reply = turn.exchanges[0].reply
        for pattern in (random.Random(3).randbytes(1_000), b"\x55" * 1_000, reply[:2] * 500, reply * 20):
            worst, kept, came = await _babble(case, turn.read, pattern)
            _is_sound_or_refused(came, turn)
            assert worst < MEMORY_MAX_BYTES, f"{worst} bytes for {BABBLE_BYTES} of {pattern[:4].hex()}…"
            assert kept < KEPT_MAX_BYTES, f"{kept} bytes kept of {pattern[:4].hex()}…"


async def two_devices_of_a_kind_share_nothing(case: DriverCase) -> None:
    """One driver polled at rest while another sees activity; each sees what a fresh one does."""
    expected = {is_active: await seen(case, is_active=is_active) for is_active in (False, True)}
    async with line(case, is_active=False) as quiet, line(case, is_active=True) as busy:
        for read in quiet.driver.reads():
            assert await busy.read(read) == expected[True][read.name]
            assert await quiet.read(read) == expected[False][read.name]


# Another device on the same line


async def the_reply_of_another_unit_is_never_a_sight(case: DriverCase) -> None:
    strangers = {turn.read.name: turn for turn in await _turns_of_other(case)}
    for turn, nth, _ in await _exchanges(case):
        foreign = _stranger(strangers, turn, nth)
        async with line(case) as played:
            await played.up_to(turn.read)
            came = await played.attempt(turn.read, nth, lambda _, __, f=foreign: [f])
            assert isinstance(came, WrongReply | NoReply), f"{came!r} of a frame of another unit"
            assert (await played.poll())[turn.read.name] == turn.result


async def the_reply_of_another_unit_is_known_as_such(case: DriverCase) -> None:
    """By its number, since the bus skips the late replies of units it knows to owe one."""
    for turn in await _turns_of_other(case):
        driver = case.driver()
        read = next(read for read in driver.reads() if read.name == turn.read.name)
        if read.window_ms:
            continue  # the driver is handed all that came, and sorts it out itself
        driver.encode(read)
        with pytest.raises(UnaskedFrame if case.is_packet else WrongUnit) as caught:
            driver.decode(read, turn.exchanges[0].reply)
        assert case.is_packet or caught.value.answered == case.other_unit


async def the_late_reply_of_another_unit_is_skipped(case: DriverCase) -> None:
    strangers = {turn.read.name: turn for turn in await _turns_of_other(case)}
    for turn, nth, _ in await _exchanges(case):
        foreign = _stranger(strangers, turn, nth)
        for glue in (lambda _, r, f=foreign: [f, r], lambda _, r, f=foreign: [f + r]):
            async with line(case) as played:
                await played.up_to(turn.read)
                await played.ask_in_vain(case.driver(case.other_unit), turn.read.name)
                assert await played.read(turn.read, nth, glue) == turn.result


async def a_unit_that_cannot_be_is_refused(case: DriverCase) -> None:
    for unit in (-1, 1_000):
        with pytest.raises(ProfileFault, match="unit"):
            case.driver(unit)


async def _exchanges(case: DriverCase) -> list[tuple[Turn, int, Any]]:
    """Every exchange of a sound poll, with the turn it is in and its place there."""
    return [(turn, nth, one) for turn in await sound_turns(case) for nth, one in enumerate(turn.exchanges)]


async def _turns_of_other(case: DriverCase) -> list[Turn]:
    """Of a neighbour that is at rest, while ours is not."""
    return await sound_turns(case, is_active=False, unit=case.other_unit)


def _stranger(strangers: dict[str, Turn], turn: Turn, nth: int) -> bytes:
    """What a neighbour says to the same request."""
    exchanges = strangers[turn.read.name].exchanges
    return exchanges[min(nth, len(exchanges) - 1)].reply


def _is_sound_or_refused(came: list[Sight] | DriverError, turn: Turn) -> None:
    if came != turn.result:
        _is_unsound(came, turn, DriverError)


def _is_unsound(came: list[Sight] | DriverError, turn: Turn, *errors: type[DriverError]) -> None:
    """Refused; of a read with a window, which may hold many frames, the sound ones may be taken."""
    if isinstance(came, DriverError):
        assert isinstance(came, errors), f"{came!r} is none of {errors}"
    else:
        assert turn.read.window_ms, f"{came!r} out of a reply that is not sound"
        active = [sight for sight in came if not isinstance(sight, Observation) or sight.active]
        assert all(sight in turn.result for sight in active), "something is seen that was not there"


async def _next(case: DriverCase, played: PlayedLine, turn: Turn, late: bytes) -> list[Sight]:
    """What this read sees in the next poll: the device is at rest by now, its old reply still on its way."""
    played.answer = case.far_end(case.site.unit, False)
    first = played.driver.reads()[0]
    if case.is_packet:
        came = await played.attempt(first, 0, lambda _, reply: [late, reply])
        if isinstance(came, DriverError):  # half a packet: the stream is opened anew
            came = await played.read(first)
    else:
        # In the middle of the quarantine, and a last byte near its end.
        loop = asyncio.get_running_loop()
        loop.call_later(QUARANTINE_S / 2, played.far.send, late[:-1])
        loop.call_later(QUARANTINE_S * 0.9, played.far.send, late[-1:])
        came = await played.read(first)
    for read in played.driver.reads()[1:]:
        if first.name == turn.read.name:
            break
        first, came = read, await played.read(read)
    return came


def _lengths_are_true(case: DriverCase, read: Read, exchanges: list[Exchanged]) -> None:
    requests, replies = (sum(len(getattr(e, part)) for e in exchanges) for part in ("request", "reply"))
    said = (read.request_bytes, 0 if read.window_ms else read.reply_bytes, read.exchanges)
    true = (requests, 0 if read.window_ms else replies, len(exchanges))
    if case.reply_varies:
        assert all(one <= most for one, most in zip(true, said, strict=True)), (
            f"{true} on the wire, {said} said"
        )
    else:
        assert true == said, f"requests, replies, exchanges: {true} on the wire, {said} said"


async def _babble(case: DriverCase, read: Read, pattern: bytes) -> tuple[int, int, Any]:
    """What memory a megabyte of it takes at its worst, what is kept of it, and what came of the turn."""
    async with line(case) as played:
        await played.up_to(read)
        pieces = [pattern] * (BABBLE_BYTES // len(pattern))
        tracemalloc.start()
        try:
            came = await played.attempt(read, 0, lambda _, __: pieces)
            for _ in range(100):
                await played.attempt(read, 0, lambda _, __: [(pattern * 4)[:4_000]])
            played.forget()
            gc.collect()
            kept, worst = tracemalloc.get_traced_memory()
            return worst, kept, came
        finally:
            tracemalloc.stop()


def _imports(module: str) -> set[str]:
    """Every dotted name that a module's source imports, in it or in a function of it."""
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    names = set()
    for node in ast.walk(ast.parse(Path(spec.origin).read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            names |= {node.module, *(name for name in inner if _is_module(name))}
    return names


def _is_ours(name: str) -> bool:
    return name.startswith("device_drivers.") and not name.startswith(BUSES_AND_LINES)


def _is_module(name: str) -> bool:
    if not name.startswith("device_drivers."):
        return False
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _channel_pattern() -> str:
    """The pattern of a point's channel in an edge's settings."""
    hint = get_type_hints(PointSettings, include_extras=True)["channel"]
    return next(part.pattern for part in get_args(hint) if isinstance(part, msgspec.Meta))


ALWAYS: tuple[Check, ...] = (
    reads_stay_the_same_and_their_names_are_unique,
    channels_are_unique_and_settings_can_name_them,
    what_is_seen_is_of_the_channels_that_were_read,
    rest_and_activity_are_told_apart,
    lengths_and_exchanges_are_those_on_the_wire,
    it_knows_no_clock_and_does_no_input_or_output,
    unknown_options_are_refused_by_their_name,
    a_beginning_of_a_reply_is_no_reply,
    a_reply_byte_by_byte_says_the_same,
    silence_ends_in_no_reply_and_in_good_time,
    a_lost_link_is_told_and_after_it_all_is_as_before,
    a_cancelled_poll_leaves_nothing_to_the_next,
    a_late_reply_is_never_the_answer_to_the_next_request,
    a_clock_that_jumps_changes_nothing,
    garbage_before_a_reply_costs_at_most_that_reply,
    garbage_after_a_reply_costs_nothing,
    garbage_instead_of_a_reply_is_a_typed_error,
    a_babbling_device_leaves_memory_flat,
    the_loop_is_never_held_up,
    two_devices_of_a_kind_share_nothing,
)
ON_A_LINE: tuple[Check, ...] = (
    strays_before_a_reply_are_skipped,
    an_echo_before_the_reply_is_stripped,
    an_echo_alone_is_no_reply,
)
WITH_UNITS: tuple[Check, ...] = (
    the_reply_of_another_unit_is_never_a_sight,
    the_reply_of_another_unit_is_known_as_such,
    a_unit_that_cannot_be_is_refused,
)


def checks(case: DriverCase) -> list[Check]:
    """Those that apply to what the case speaks."""
    apply = [*ALWAYS]
    if not case.is_packet:
        apply += ON_A_LINE
    if case.is_addressed:
        apply += WITH_UNITS
    if case.is_addressed and not case.is_packet:
        apply.append(the_late_reply_of_another_unit_is_skipped)
    if case.has_check:
        apply.append(no_flipped_bit_becomes_a_sight)
    if case.commands:
        apply += COMMANDED
    return apply
