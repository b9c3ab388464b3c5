"""A read with a window: all that comes in it is one reply, an echo before it is not, and alone is none."""

import asyncio

import pytest

from device_drivers.bus import Bus, BusSettings
from device_drivers.driver import Answer, Observation, Read
from device_drivers.errors import BadFrame, NoReply
from device_drivers.transport.memory import MemoryTransport

READ = Read("tags", 1, ("tag:1",), 2, 4, window_ms=30)


class Listening:
    """Asks `?!`; each `+` that comes back is one more tag."""

    kind = "listening"

    def reads(self) -> tuple[Read, ...]:
        return (READ,)

    def encode(self, read: Read) -> bytes:
        return b"?!"

    def reply_length(self, read: Read, received: bytes) -> int | None:
        return None

    def decode(self, read: Read, reply: bytes) -> Answer:
        if set(reply) != {ord("+")}:
            raise BadFrame(f"no tags: {reply!r}")
        return [Observation(f"tag:{n}", active=True) for n in range(len(reply))]


async def answered(*pieces: bytes) -> tuple[int, Bus]:
    """How many tags a bus makes of these pieces."""
    wire = MemoryTransport()
    bus = Bus(wire, BusSettings(timeout_s=0.01, quarantine_s=0.0))
    await bus.open()
    reading = asyncio.create_task(bus.read(Listening(), READ))
    await wire.far.requests.get()
    for piece in pieces:
        wire.far.send(piece)
    try:
        return len(await reading), bus
    finally:
        await bus.close()


async def test_everything_that_comes_in_the_window_is_the_reply() -> None:
    tags, _ = await answered(b"+", b"++")
    assert tags == 3


async def test_an_echo_before_it_is_stripped() -> None:
    tags, bus = await answered(b"?", b"!+", b"+")
    assert (tags, bus.counters.echo) == (2, 1)


@pytest.mark.parametrize("size", [1, 16, 1_025])
async def test_more_than_a_read_allows_is_babble_at_once(size: int) -> None:
    most = READ.input_max_bytes
    assert (await answered(b"+" * most))[0] == most
    with pytest.raises(BadFrame, match="more than"):
        await answered(*[b"+" * size] * (most // size + 1))


@pytest.mark.parametrize("pieces", [[], [b"?!"], [b"\x00", b"?!"]])
async def test_nothing_but_an_echo_is_no_reply(pieces: list[bytes]) -> None:
    with pytest.raises(NoReply):
        await answered(*pieces)


@pytest.mark.parametrize("pieces", [[b"?"], [b"?!", b"?!"], [b"+-"]])
async def test_anything_else_is_a_bad_frame(pieces: list[bytes]) -> None:
    with pytest.raises(BadFrame):
        await answered(*pieces)
