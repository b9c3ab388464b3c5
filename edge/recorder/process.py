"""A camera's process: one thread receives, one decodes, one listens to the supervisor.

Receiving waits for nobody: decoding may be slow, the supervisor may be busy. The process ends when the
camera does, and at once when the supervisor is gone.
"""

import gc
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import cv2

from device_drivers.camera.rtsp_source import RtspSource
from device_drivers.errors import DriverError
from edge.recorder import wire
from edge.recorder.eyes import Eyes
from edge.recorder.tap import Tap

ARRIVED_INTERVAL_S = 0.25
NICENESS = 5
"""A door goes before a picture."""


def record(url: str, supervisor: socket.socket, reference: bytes | None) -> None:
    """Receive the camera until it ends or falls silent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the supervisor's to act on
    threading.excepthook = _end_with_thread
    os.nice(NICENESS)
    gc.freeze()  # what the fork server loaded stays shared: no collection walks over it
    cv2.setNumThreads(1)
    outlet = _Outlet(supervisor)
    tap = Tap()
    threading.Thread(target=_listen, args=(supervisor, tap), name="listen", daemon=True).start()
    try:
        source = RtspSource(url)
        eyes = Eyes(source.decoder(), reference, outlet.send)
        threading.Thread(target=_decode, args=(eyes, tap), name="decode", daemon=True).start()
        _receive(source, tap, eyes, outlet)
    except DriverError as error:
        outlet.send(wire.Ended(error.code, str(error)[:200]))


def _receive(source: RtspSource, tap: Tap, eyes: Eyes, outlet: "_Outlet") -> None:
    told_mono = 0.0
    for picture in source.pictures():
        tap.put(picture)
        now_mono = time.monotonic()
        if now_mono - told_mono >= ARRIVED_INTERVAL_S:
            told_mono = now_mono
            outlet.offer(wire.Arrived(eyes.is_decodable))


def _decode(eyes: Eyes, tap: Tap) -> None:
    for batch, is_watched in tap.batches():
        eyes.look(batch, is_watched=is_watched)


def _listen(supervisor: socket.socket, tap: Tap) -> None:
    with supervisor.makefile("rb") as lines:
        while head := lines.read(wire.LENGTH.size):
            (length,) = wire.LENGTH.unpack(head)
            tap.watch(is_on=wire.decode_down(lines.read(length)).is_on)
    os._exit(0)  # the other threads may be deep in libav, where nothing else reaches them


class _Outlet:
    """The way to the supervisor, for two threads."""

    def __init__(self, supervisor: socket.socket) -> None:
        self._socket = supervisor
        self._lock = threading.Lock()

    def send(self, message: wire.Up) -> None:
        """Waits until the supervisor has room for it."""
        with self._lock, _ending_with_supervisor():
            self._socket.sendall(wire.encode(message))

    def offer(self, message: wire.Arrived) -> None:
        """Never waits: a message that finds no room is dropped. It is so small that it goes whole or not."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            with _ending_with_supervisor(), suppress(BlockingIOError):
                self._socket.send(wire.encode(message), socket.MSG_DONTWAIT)
        finally:
            self._lock.release()


@contextmanager
def _ending_with_supervisor() -> Iterator[None]:
    try:
        yield
    except ConnectionError:
        os._exit(0)


def _end_with_thread(failure: threading.ExceptHookArgs) -> None:
    """A camera whose decoder thread died must not look alive."""
    threading.__excepthook__(failure)
    os._exit(1)
