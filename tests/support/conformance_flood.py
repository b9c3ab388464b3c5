"""How long a flood may keep the event loop, and how long a core: a check of the conformance suite."""

import itertools
import random
import time
from collections.abc import Iterator

from device_drivers.driver import Commanded, Driver, Read
from device_drivers.reception import Reception
from device_drivers.transport.base import INPUT_LIMIT_BYTES
from tests.support.driver_cases import DriverCase
from tests.support.played_line import Turn, command_turn, sound_turns

FLOOD_BYTES = INPUT_LIMIT_BYTES
"""A transport takes no more than this for one request."""
PIECE_BYTES = 16
STEP_MAX_S = 0.005
FLOOD_MAX_S = 0.05
"""All steps of one request together: a line of 115200 baud needs 3 s for so much."""
TRIES = 10
"""Once in so many will do, and what other threads take is not counted: a busy machine is not blamed."""


async def the_loop_is_never_held_up(case: DriverCase) -> None:
    """32 KB instead of the reply to each exchange of a poll and of a command, until it is over: noise, heads,
    its own replies, its notices, late replies of a neighbour; in one piece, and in pieces of 16 bytes.
    """
    turns = await sound_turns(case)
    commanded = [await command_turn(case, command) for command in case.commands]
    strangers = await sound_turns(case, unit=case.other_unit) if case.is_addressed else []
    late = [exchange.reply for turn in strangers for exchange in turn.exchanges]
    for turn in (*turns, *commanded):
        for nth, exchange in enumerate(turn.exchanges):
            request, reply = exchange.request, exchange.reply
            own = (request, reply, reply[:1], reply[:4], reply[:-1], case.notice, *case.words)
            noise = (random.Random(4).randbytes(64), b"\x55", b"\x00")
            for pattern in filter(None, (*own, *noise, *late)):
                for head in (b"", request, 2 * request):
                    flood = (head + pattern * (FLOOD_BYTES // len(pattern) + 1))[:FLOOD_BYTES]
                    _is_quick(case, [*turns, *commanded], (turn, nth), flood)


def _is_quick(case: DriverCase, turns: list[Turn], place: tuple[Turn, int], flood: bytes) -> None:
    for most, size in itertools.product(
        (FLOOD_BYTES, place[0].read.input_max_bytes), (FLOOD_BYTES, PIECE_BYTES)
    ):
        pieces = [flood[:most][at : at + size] for at in range(0, most, size)]
        took = []
        for _ in range(TRIES):
            driver, read = _driver_at(case, turns, *place)
            steps = [*_steps_s(case, driver, read, pieces)]
            took.append((max(steps), sum(steps)))
            if took[-1][0] <= STEP_MAX_S and took[-1][1] <= FLOOD_MAX_S:
                break
        else:
            step_s, flood_s = (min(one) for one in zip(*took, strict=True))
            what = f"{place[0].read.name}, exchange {place[1]}: {flood[:24]!r}… in {len(pieces)} pieces"
            raise AssertionError(
                f"{step_s * 1_000:.1f} ms at once, {flood_s * 1_000:.0f} ms in all, for {what}"
            )


def _driver_at(case: DriverCase, turns: list[Turn], last: Turn, nth: int) -> tuple[Driver, Read]:
    """A driver that has taken these turns soundly, and now asks for this exchange of the last of them."""
    driver = case.driver()
    firsts = [*driver.reads()]
    if isinstance(driver, Commanded):
        firsts += [driver.command(command) for command in case.commands]
    for first, turn in zip(firsts, turns, strict=True):
        read = first
        for n, exchange in enumerate(turn.exchanges):
            if turn is last and n == nth:
                return driver, read
            driver.encode(read)
            answer = driver.decode(read, exchange.reply)
            read = answer if isinstance(answer, Read) else read
    raise AssertionError("no such exchange")


def _steps_s(case: DriverCase, driver: Driver, read: Read, pieces: list[bytes]) -> Iterator[float]:
    """How long each piece that comes is judged, as a transport hands them over."""
    reception = Reception(driver, read, driver.encode(read), (case.other_unit,), is_packet=case.is_packet)
    received, end = b"", None
    for piece in pieces:
        received += piece
        before_s = time.thread_time()
        end = reception.length(received)
        yield time.thread_time() - before_s
        if end is not None and len(received) >= end:
            return
    if read.window_ms and end is None:
        before_s = time.thread_time()
        reception.take(received)
        yield time.thread_time() - before_s
