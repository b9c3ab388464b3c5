"""What must hold for any bytes whatever, written once: hypothesis plays a share of it, atheris a million.

A target takes the fuzzer's bytes and raises for whatever must not be. Of a driver: the first byte picks an
exchange of a sound poll, the second how the rest becomes what comes instead of its reply.
"""

import contextlib
import itertools
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import msgspec

from contract import messages, pictures, rows, topics
from contract.errors import ContractError
from device_drivers.driver import Answer, Commanded, Driver, Read
from device_drivers.errors import BadFrame, DriverError
from device_drivers.reception import Reception
from device_drivers.transport.base import INPUT_LIMIT_BYTES
from tests.support.driver_cases import CASES, DriverCase
from tests.support.played_line import command_turn, sound_turns
from tests.support.virtual_time import in_virtual_time

VECTORS = json.loads((Path(__file__).parents[1] / "contract/vectors/wire-1.json").read_text())
ROWS = [row["bytes"].encode() for row in VECTORS["chain"]["rows"]]
MESSAGES = [message["bytes"].encode() for message in VECTORS["messages"]]
JUDGED_BYTES = 4_096
SOUND_LOST_MAX = 2
"""So many sound turns may be lost after garbage before one is understood again."""
FAR_END_RENEWED = 1_000
"""After so many inputs the far end that heard them all makes room for a fresh one."""


class Target(msgspec.Struct, frozen=True):
    """`feed` raises for what must not be. `judge_s`: seconds of one judgement of 4 KB made of these bytes."""

    name: str
    feed: Callable[[bytes], None]
    judge_s: Callable[[bytes], float]


class NearEnd:
    """A driver that hears anything, in the middle of a turn as at its beginning."""

    def __init__(self, case: DriverCase) -> None:
        self._case = case
        self._driver: Driver = case.driver()
        self._answer = case.far_end(case.site.unit, True)
        self._heard_all = self._answer
        self._heard = 0
        self._places = self._exchanges()

    def feed(self, data: bytes) -> None:
        if len(data) < 2:
            return
        self._far_end_hears(data[2:])
        name, nth = self._places[data[0] % len(self._places)]
        read, request, reply = self._up_to(name, nth)
        came = self._what_comes(data[1], data[2:], reply)
        self._judged(read, came)
        read, request, reply = self._up_to(name, nth)
        reception = self._reception(read, request)
        length = self._hear(reception, read, came)
        assert length is None or 0 <= length <= max(len(came), INPUT_LIMIT_BYTES)
        assert reception.error is None or isinstance(reception.error, DriverError)
        self._finds_its_way_back(name)

    def judge_s(self, data: bytes) -> float:
        name, nth = self._places[data[0] % len(self._places)]
        read, request, reply = self._up_to(name, nth)
        came = self._what_comes(data[1], data[2:], reply) or b"\0"
        full = (came * (JUDGED_BYTES // len(came) + 1))[:JUDGED_BYTES]
        reception = self._reception(read, request)
        before_s = time.perf_counter()
        self._hear(reception, read, full)
        return time.perf_counter() - before_s

    def _exchanges(self) -> list[tuple[str, int]]:
        """Every exchange of a sound poll and of commands: the first read of its turn, and its place there."""
        places: list[tuple[str, int]] = []

        async def play() -> None:
            commanded = [await command_turn(self._case, command) for command in self._case.commands]
            for turn in (*await sound_turns(self._case), *commanded):
                places.extend((turn.read.name, nth) for nth in range(len(turn.exchanges)))

        in_virtual_time(play)()
        return places

    def _first(self, name: str) -> Read:
        """The read that begins a turn of the poll, or else of a command."""
        commanded = (
            self._driver.command(c) for c in self._case.commands if isinstance(self._driver, Commanded)
        )
        return next(read for read in (*self._driver.reads(), *commanded) if read.name == name)

    def _up_to(self, name: str, nth: int) -> tuple[Read, bytes, bytes]:
        """Take a turn soundly up to its `nth` exchange: the read of that, its request, the sound reply."""
        read = self._first(name)
        for n in itertools.count():
            request = self._driver.encode(read)
            reply = self._answer(request)
            if n == nth:
                break
            answer: Answer | None = None
            with contextlib.suppress(DriverError):  # whether it is lost for good is looked at later
                answer = self._driver.decode(read, reply)
            if not isinstance(answer, Read):
                break  # a driver that has learnt something asks for less
            read = answer
        return read, request, reply

    def _what_comes(self, how: int, rest: bytes, reply: bytes) -> bytes:
        """Garbage, a reply with some of it, or garbage with a right check."""
        seal = self._case.seal
        at = rest[0] % (len(reply) + 1) if rest else 0
        match how % 6:
            case 1:
                return (reply[:at] + rest[1:])[: len(reply)] + reply[at + len(rest[1:]) :]
            case 2:
                return reply[:at] + rest[1:]
            case 3:
                return rest + reply
            case 4 if seal is not None:
                return seal(rest)
            case 5 if seal is not None and rest:
                check = len(seal(bytes(8))) - 8
                body = reply[:-check]
                at %= len(body) + 1
                return seal((body[:at] + rest[1:])[: len(body)] + body[at + len(rest[1:]) :])
            case _:
                return rest

    def _judged(self, read: Read, came: bytes) -> None:
        """The driver alone, without what stands around it: typed errors only, and no length beyond bounds."""
        with contextlib.suppress(BadFrame):
            length = self._driver.reply_length(read, came)
            assert length is None or 0 < length <= max(len(came), INPUT_LIMIT_BYTES), (
                f"a reply of {length} bytes"
            )
        with contextlib.suppress(DriverError):
            self._driver.decode(read, came)

    def _reception(self, read: Read, request: bytes) -> Reception:
        late = (self._case.other_unit,)
        return Reception(self._driver, read, request, late, is_packet=self._case.is_packet)

    @staticmethod
    def _hear(reception: Reception, read: Read, came: bytes) -> int | None:
        """As a bus hears it: all at once, and at the end of a window what there is."""
        length = reception.length(came)
        if length is None and read.window_ms and came:
            reception.take(came)
        return length

    def _finds_its_way_back(self, name: str) -> None:
        """Sound turns of the poll again: one of the first few is understood."""
        reads = self._driver.reads()
        for _ in range(SOUND_LOST_MAX + 1):
            read = next((read for read in reads if read.name == name), reads[0])
            for _ in range(16):
                request = self._driver.encode(read)
                reception = self._reception(read, request)
                self._hear(reception, read, self._answer(request))
                if isinstance(reception.answer, list):
                    return
                if not isinstance(reception.answer, Read):
                    break
                read = reception.answer
        raise AssertionError(f"{SOUND_LOST_MAX + 1} sound turns after it, none of them understood")

    def _far_end_hears(self, data: bytes) -> None:
        """The simulated device hears it too; it may answer what it likes."""
        self._heard += 1
        if self._heard % FAR_END_RENEWED == 1:
            self._heard_all = self._case.far_end(self._case.site.unit, True)
        self._heard_all(data)


def _spliced(data: bytes, seeds: list[bytes]) -> Iterator[bytes]:
    """The bytes as they are, and written over a place of something sound."""
    yield data
    if len(data) > 2:
        seed, patch = seeds[data[0] % len(seeds)], data[2:]
        at = data[1] * len(seed) // 256
        yield seed[:at] + patch + seed[at + len(patch) :]


def _feed_rows(data: bytes) -> None:
    for raw in _spliced(data, ROWS):
        with contextlib.suppress(ContractError):
            row = rows.decode_row(raw)
            assert rows.encode_row(row) == raw, "two spellings of one row"


def _feed_messages(data: bytes) -> None:
    for raw in _spliced(data, MESSAGES):
        for kind in get_args(messages.AnyMessage):
            with contextlib.suppress(ContractError):
                message = messages.decode(kind, raw)
                assert messages.decode(kind, messages.encode(message)) == message
    with contextlib.suppress(ContractError):
        pictures.decode_header(data)
    for parse in (topics.parse_up, topics.parse_down):
        with contextlib.suppress(ContractError):
            parse(data.decode("utf-8", "replace"))


def _timed(feed: Callable[[bytes], None]) -> Callable[[bytes], float]:
    def judge_s(data: bytes) -> float:
        full = (data * (JUDGED_BYTES // max(1, len(data)) + 1))[:JUDGED_BYTES]
        before_s = time.perf_counter()
        feed(full)
        return time.perf_counter() - before_s

    return judge_s


def names() -> list[str]:
    return [*(case.name for case in CASES), "contract-rows", "contract-messages"]


def words(name: str) -> tuple[bytes, ...]:
    """What a fuzzer of this target should know."""
    return next((case.words for case in CASES if case.name == name), ())


def target(name: str) -> Target:
    if name == "contract-rows":
        return Target(name, _feed_rows, _timed(_feed_rows))
    if name == "contract-messages":
        return Target(name, _feed_messages, _timed(_feed_messages))
    near = NearEnd(next(case for case in CASES if case.name == name))
    return Target(name, near.feed, near.judge_s)
