"""Eight Modbus units on one pty that answer late, never, garbled or behind an echo: a process of its own.

Written from the serial line specification, without our codecs. Unit u has bit u-1 set in its level word
(input register 16) and in every counter (0 … 15, high word first) the number of requests it has had, so that
a reply of another unit and an old one of the same unit both show. `python -m tests.support.sick_line` prints
the path of the pty and serves until its standard input ends.
"""

import argparse
import asyncio
import os
import random
import sys
import tty

REQUEST_BYTES = 8
COUNTERS = 8
BITS_PER_CHAR = 11
DEVICE_DELAY_S = 0.01


def crc(data: bytes) -> bytes:
    """CRC-16 of Modbus, low byte first."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return value.to_bytes(2, "little")


def wire_s(chars: int, baud: int) -> float:
    """Time on the wire, and the silence of t3.5 by which a unit knows that the request has ended."""
    return chars * BITS_PER_CHAR / baud + (0.00175 if baud > 19_200 else 3.5 * BITS_PER_CHAR / baud)


class SickLine:
    """Hears requests on `master` and answers as the seeded dice say."""

    def __init__(self, master: int, options: argparse.Namespace) -> None:
        self._master = master
        self._options = options
        self._dice = random.Random(options.seed)
        self._heard = b""
        self._requests = dict.fromkeys(range(1, 9), 0)
        self._dead = {int(unit) for unit in options.dead.split(",") if unit}

    def hear(self) -> None:
        self._heard += os.read(self._master, 4096)
        while len(self._heard) >= REQUEST_BYTES:
            frame = self._heard[:REQUEST_BYTES]
            if crc(frame[:-2]) == frame[-2:]:
                self._heard = self._heard[REQUEST_BYTES:]
                self._answer(frame)
            else:
                self._heard = self._heard[1:]

    def _answer(self, request: bytes) -> None:
        unit = request[0]
        if unit not in self._requests or unit in self._dead:
            return
        self._requests[unit] += 1
        words = [self._requests[unit] >> 16, self._requests[unit] & 0xFFFF] * COUNTERS + [1 << (unit - 1)]
        head = bytes([unit, request[1], 2 * len(words)]) + b"".join(word.to_bytes(2) for word in words)
        reply = head + crc(head)
        delay_s, options = 0.0, self._options
        draw = self._dice.random() * 100
        if draw < options.late:
            delay_s = options.timeout_ms / 1_000 * self._dice.choice((1.1, 1.5, 3.0))
        elif draw < options.late + options.lost:
            return
        elif draw < options.late + options.lost + options.corrupted:
            at = self._dice.randrange(len(reply))
            reply = reply[:at] + bytes([reply[at] ^ 1 << self._dice.randrange(8)]) + reply[at + 1 :]
        elif draw < options.late + options.lost + options.corrupted + options.echoed:
            reply = request + reply
        if options.baud:
            delay_s += wire_s(len(request) + len(reply), options.baud) + DEVICE_DELAY_S
        asyncio.get_running_loop().call_later(delay_s, os.write, self._master, reply)


async def serve(options: argparse.Namespace) -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    line = SickLine(master, options)
    loop = asyncio.get_running_loop()
    loop.add_reader(master, line.hear)
    sys.stdout.write(os.ttyname(slave) + "\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("late", "lost", "corrupted", "echoed"):
        parser.add_argument(f"--{name}", type=float, default=0.0, help="per cent of the replies")
    parser.add_argument("--timeout-ms", type=float, default=25.0, help="of the other side")
    parser.add_argument("--dead", default="", help="units that never answer: 1,2,3")
    parser.add_argument("--baud", type=int, default=0, help="take the time that this speed would take")
    parser.add_argument("--seed", type=int, default=1)
    asyncio.run(serve(parser.parse_args()))
