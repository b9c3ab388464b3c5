"""One camera as the supervisor sees it: its process, its picture's state, and who watches."""

import asyncio
import random
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from typing import TypeVar

import structlog

from contract.ids import PointId
from contract.pictures import NoPicture, PictureHeader
from contract.points import Quality
from device_drivers.errors import DriverError, LoginRefused
from edge.recorder import entry, wire
from edge.recorder.address import stream_url
from edge.recorder.frames import Frame, Mailbox
from edge.recorder.watchdog import Watchdog
from edge.settings import CameraSettings

T = TypeVar("T")
OnPicture = Callable[[PointId, str, Quality], None]

LOST = "lost"
END_PATIENCE_S = 2.0
LOGIN_PAUSE_S = 600.0
"""Before a camera that refused our login is asked again: it may lock the account after a few of these."""

log = structlog.get_logger()


class Camera:
    """Keeps one process running. `processes` is the one thread that starts and ends processes."""

    def __init__(self, settings: CameraSettings, on_picture: OnPicture, processes: Executor) -> None:
        self.point = PointId(settings.point)
        self._settings = settings
        self._on_picture = on_picture
        self._processes = processes
        self._watchdog = Watchdog()
        self._process: BaseProcess | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reference: bytes | None = None
        self._watching: set[Mailbox] = set()
        self._newest: Frame | NoPicture | None = None
        self._seq = 0
        self._is_lost = False
        self._why = self._detail = ""
        self._pause_s = 0.0

    async def run(self) -> None:
        """One process after the other, until cancelled."""
        while True:
            await self._run_process()
            wait_s = self._watchdog.ended(random.random())  # noqa: S311 (jitter)
            await asyncio.sleep(self._pause_s + wait_s)

    def tick(self) -> None:
        """Called every TICK_S: ends a process that hangs, says that the picture is lost."""
        self._watchdog.tick()
        if self._watchdog.is_hung and self._process is not None:
            self._why, self._detail = "camera.hung", ""
            _kill(self._process)
        if self._watchdog.is_lost_due:
            self._on_picture(self.point, LOST, Quality.GOOD)
        if self._watchdog.is_lost != self._is_lost:
            self._is_lost = not self._is_lost
            if self._is_lost:
                log.warning("picture_lost", point=self.point, code=self._why, detail=self._detail)
                self._show(NoPicture("camera.lost", time.time_ns() // 1_000_000))
            else:
                log.info("picture_returned", point=self.point)
                self._newest = None

    @contextmanager
    def watched(self) -> Iterator[Mailbox]:
        """A mailbox that gets every picture while the block runs, the first one at once."""
        mailbox = Mailbox()
        self._watching.add(mailbox)
        if self._newest is not None:
            mailbox.put(self._newest)
        if len(self._watching) == 1:
            self._tell_watch()
        try:
            yield mailbox
        finally:
            self._watching.discard(mailbox)
            if not self._watching:
                self._tell_watch()
                if isinstance(self._newest, Frame):
                    self._newest = None

    async def _run_process(self) -> None:
        self._pause_s = 0.0
        try:
            url = await stream_url(self._settings)
        except DriverError as error:
            self._why, self._detail = error.code, str(error)
            self._pause_s = LOGIN_PAUSE_S if isinstance(error, LoginRefused) else 0.0
            self._watchdog.started()
            return
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        try:
            with theirs:
                process = await self._start(url, theirs)
            self._process, self._writer = process, writer
            self._watchdog.started()
            if self._watching:
                self._tell_watch()
            await self._follow(reader)
        finally:
            ended, self._process, self._writer = self._process, None, None
            writer.close()
            if ended is not None:
                _kill(ended)
                await self._in_thread(ended.join, END_PATIENCE_S)

    async def _start(self, url: str, theirs: socket.socket) -> BaseProcess:
        """Never left half way: who is cancelled meanwhile ends what was started."""
        starting = self._in_thread(entry.start, str(self.point), url, theirs, self._reference)
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            _kill(await starting)
            raise

    def _in_thread(self, work: Callable[..., T], *args: object) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._processes, work, *args)

    async def _follow(self, reader: asyncio.StreamReader) -> None:
        """Take the process's messages until it ends, or announces one too long to be true."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                (length,) = wire.LENGTH.unpack(await reader.readexactly(wire.LENGTH.size))
                if length > wire.MESSAGE_MAX_BYTES:
                    self._why, self._detail = "camera.bad_message", f"{length} bytes announced"
                    return
                self._take(wire.decode_up(await reader.readexactly(length)))

    def _take(self, message: wire.Up) -> None:
        match message:
            case wire.Arrived(is_decodable):
                self._why = "" if is_decodable else "driver.bad_frame"
                self._watchdog.arrived(is_decodable=is_decodable)
            case wire.Seen(verdict, reference):
                self._reference = reference or self._reference
                if verdict is not None:
                    self._on_picture(self.point, verdict, Quality.GOOD)
            case wire.Shown(camera_ms, at_ms, jpeg):
                self._seq += 1
                self._show(Frame(PictureHeader(self._seq, camera_ms, at_ms), jpeg))
            case wire.Ended(code, detail):
                self._why, self._detail = code, detail

    def _show(self, newest: Frame | NoPicture) -> None:
        self._newest = newest
        for mailbox in self._watching:
            mailbox.put(newest)

    def _tell_watch(self) -> None:
        if self._writer is not None:
            self._writer.write(wire.encode(wire.Watch(bool(self._watching))))


def _kill(process: BaseProcess) -> None:
    """By pid, and only while that pid is still this process's."""
    if process.is_alive():
        process.kill()
