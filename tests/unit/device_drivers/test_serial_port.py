"""The serial transport on a real pseudo-terminal; the test holds the device's end."""

import asyncio
import os
import tty
from collections.abc import AsyncIterator

import pytest

from device_drivers.errors import BadFrame, LinkDown, NoReply
from device_drivers.transport.serial_port import SerialPort, silent_interval_s


class Pty:
    """Master end of a pty: answers each request with the next of `replies`."""

    def __init__(self) -> None:
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        self._slave: int | None = slave
        self.replies: list[bytes] = []
        self.requests: list[bytes] = []
        self.has_request = asyncio.Event()
        asyncio.get_running_loop().add_reader(self.master, self._receive)

    def _receive(self) -> None:
        self.requests.append(os.read(self.master, 256))
        self.has_request.set()
        if self.replies:
            os.write(self.master, self.replies.pop(0))

    def vanish(self) -> None:
        """As a USB adapter that is pulled out."""
        if self._slave is not None:
            asyncio.get_running_loop().remove_reader(self.master)
            os.close(self.master)
            os.close(self._slave)
            self._slave = None


@pytest.fixture
async def pty() -> AsyncIterator[Pty]:
    pty = Pty()
    yield pty
    pty.vanish()


@pytest.fixture
async def port(pty: Pty) -> AsyncIterator[SerialPort]:
    port = SerialPort(pty.path, 115_200)
    await port.open()
    yield port
    await port.close()


def four(received: bytes) -> int | None:
    return 4 if received else None


async def test_a_request_goes_out_and_its_reply_comes_back(pty: Pty, port: SerialPort) -> None:
    pty.replies = [b"\x00\x11\x13\xff"]
    assert await port.exchange(b"\x01\x0d\x0a", four, 1.0) == b"\x00\x11\x13\xff"
    assert pty.requests == [b"\x01\x0d\x0a"]


async def test_only_what_the_reply_asks_for_is_given_back(pty: Pty, port: SerialPort) -> None:
    pty.replies = [b"abcdef", b"ghij"]
    assert await port.exchange(b"1", four, 1.0) == b"abcd"
    assert await port.exchange(b"2", four, 1.0) == b"ghij"


async def test_what_came_unasked_is_not_the_reply(pty: Pty, port: SerialPort) -> None:
    os.write(pty.master, b"old!")
    pty.replies = [b"new!"]
    assert await port.exchange(b"1", four, 1.0) == b"new!"


async def test_a_partial_reply_is_no_reply_and_is_told(pty: Pty, port: SerialPort) -> None:
    pty.replies = [b"\xaa\xbb"]
    with pytest.raises(NoReply, match="aa bb"):
        await port.exchange(b"1", four, 0.02)


async def test_draining_throws_away_what_came_late(pty: Pty, port: SerialPort) -> None:
    with pytest.raises(NoReply, match="nothing"):
        await port.exchange(b"1", four, 0.02)
    os.write(pty.master, b"late")
    assert await port.drain(0.02) == 4
    assert await port.drain(0.02) == 0


async def test_a_line_that_never_falls_silent_is_a_fault(pty: Pty, port: SerialPort) -> None:
    async def babble() -> None:
        while True:
            os.write(pty.master, b"U")
            await asyncio.sleep(0.002)

    babbling = asyncio.create_task(babble())
    with pytest.raises(BadFrame, match="silent"):
        await port.drain(0.02)
    babbling.cancel()


async def test_the_loop_runs_on_while_a_device_is_silent(port: SerialPort) -> None:
    exchange = asyncio.create_task(port.exchange(b"1", four, 0.1))
    turns = 0
    while not exchange.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 10
    with pytest.raises(NoReply):
        await exchange


async def test_a_port_has_one_user(pty: Pty, port: SerialPort) -> None:
    second = SerialPort(pty.path)
    with pytest.raises(LinkDown, match=pty.path):
        await second.open()


async def test_a_vanished_port_is_a_lost_link_and_closing_it_is_harmless(pty: Pty, port: SerialPort) -> None:
    exchange = asyncio.create_task(port.exchange(b"1", four, 5.0))
    await pty.has_request.wait()
    pty.vanish()
    with pytest.raises(LinkDown):
        await exchange
    await port.close()
    with pytest.raises(LinkDown):
        await port.exchange(b"1", four, 0.02)


async def test_a_port_that_is_not_there_is_a_lost_link() -> None:
    with pytest.raises(LinkDown, match="/dev/nothing"):
        await SerialPort("/dev/nothing").open()


def test_the_silent_interval_is_three_and_a_half_characters_but_fixed_above_19200_baud() -> None:
    assert silent_interval_s(9600) == pytest.approx(0.00401, abs=1e-5)
    assert silent_interval_s(19_200) == pytest.approx(0.002005, abs=1e-5)
    assert silent_interval_s(115_200) == 0.00175
