"""Bytes over a serial port, in one OS thread a port: t3.5 is no event loop's business."""

import asyncio
import os
import select
import termios
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

import serial

from device_drivers.errors import BadFrame, LinkDown, NoReply, NotOpen
from device_drivers.transport.base import DRAIN_LIMIT, INPUT_LIMIT_BYTES, ReplyLength, no_reply_text

BITS_PER_CHAR = 11
WRITE_TIMEOUT_S = 1.0
HUSH_MAX = 4_096
T = TypeVar("T")


class SerialPort:
    """A port such as `/dev/serial/by-id/…` at `baud`, 8N1, held exclusively."""

    def __init__(self, device: str, baud: int = 9600) -> None:
        self._device = device
        self._baud = baud
        self._gap_s = silent_interval_s(baud)
        self._port: serial.Serial | None = None
        self._last_input_mono = 0.0
        self._thread: ThreadPoolExecutor | None = None
        self._hush = os.pipe()
        os.set_blocking(self._hush[0], False)
        """Written to by who closes: the port's thread then waits for nothing any more."""

    @property
    def name(self) -> str:
        return f"serial {self._device}"

    def __del__(self) -> None:
        for end in self._hush:
            os.close(end)

    async def open(self) -> None:
        await self._run(self._open)

    async def close(self) -> None:
        """Also ends what the port's thread is waiting for."""
        os.write(self._hush[1], b"!")
        try:
            await self._run(self._close)
        finally:
            with suppress(BlockingIOError):
                os.read(self._hush[0], HUSH_MAX)
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown(wait=False)

    async def exchange(self, frame: bytes, reply_length: ReplyLength, timeout_s: float) -> bytes:
        return await self._run(lambda: self._exchange(frame, reply_length, timeout_s))

    async def drain(self, quiet_s: float) -> int:
        return await self._run(lambda: self._drain(quiet_s))

    async def _run(self, work: Callable[[], T]) -> T:
        """Run `work` in the port's thread, after what runs there already. Raises LinkDown for a lost port."""

        def guarded() -> T:
            try:
                return work()
            except (OSError, ValueError, termios.error) as error:
                self._close()
                raise LinkDown(str(error)) from error

        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"serial {self._device}")
        return await asyncio.get_running_loop().run_in_executor(self._thread, guarded)

    def _open(self) -> None:
        self._close()
        self._port = serial.Serial(
            self._device, self._baud, timeout=0, write_timeout=WRITE_TIMEOUT_S, exclusive=True
        )

    def _close(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            try:
                port.close()
            except (OSError, termios.error):
                return  # the port has gone with its adapter: there is nothing left to close

    def _exchange(self, frame: bytes, reply_length: ReplyLength, timeout_s: float) -> bytes:
        port = self._opened()
        self._keep_silent_interval()
        port.reset_input_buffer()
        port.write(frame)
        sending_s = len(frame) * BITS_PER_CHAR / self._baud
        deadline = time.monotonic() + sending_s + timeout_s
        received = b""
        while len(received) <= INPUT_LIMIT_BYTES:
            chunk = self._receive(port, deadline - time.monotonic())
            if not chunk:
                raise NoReply(no_reply_text(received, timeout_s), received)
            received += chunk
            length = reply_length(received)
            if length is not None and len(received) >= length:
                return received[:length]
        raise BadFrame(f"more than {INPUT_LIMIT_BYTES} bytes and no reply among them")

    def _drain(self, quiet_s: float) -> int:
        port = self._opened()
        thrown_away = 0
        give_up_mono = time.monotonic() + DRAIN_LIMIT * quiet_s
        while chunk := self._receive(port, quiet_s):
            thrown_away += len(chunk)
            if time.monotonic() > give_up_mono:
                raise BadFrame(f"the line does not fall silent: {thrown_away} bytes thrown away")
        return thrown_away

    def _receive(self, port: serial.Serial, wait_s: float) -> bytes:
        """What has come, as soon as anything has; empty after `wait_s`."""
        ready, _, _ = select.select([port.fileno(), self._hush[0]], [], [], max(wait_s, 0.0))
        if self._hush[0] in ready:
            raise LinkDown("closed")
        if not ready:
            return b""
        chunk: bytes = port.read(INPUT_LIMIT_BYTES)
        self._last_input_mono = time.monotonic()
        return chunk

    def _keep_silent_interval(self) -> None:
        """t3.5 must pass after a frame, or some devices take two for one."""
        wait_s = self._last_input_mono + self._gap_s - time.monotonic()
        if wait_s > 0:
            time.sleep(wait_s)

    def _opened(self) -> serial.Serial:
        if self._port is None:
            raise NotOpen("not open")
        return self._port


def silent_interval_s(baud: int) -> float:
    """t3.5 of the Modbus serial line specification: 3.5 characters, but 1.75 ms above 19200 baud."""
    return 0.001_75 if baud > 19_200 else 3.5 * BITS_PER_CHAR / baud
