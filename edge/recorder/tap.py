"""Hands coded pictures from the thread that receives to the one that decodes, which may be slow or idle.

It holds the pictures since the last key frame. Who falls behind by more goes on at the newest key frame;
who begins to watch in the middle is given everything from the key frame on, and so has a picture at once.
"""

import threading
from collections.abc import Iterator

from device_drivers.camera.rtsp_source import CodedPicture

HELD_MAX_PICTURES = 300
"""Twelve seconds at 25 a second. A camera with fewer key frames shows nothing until its next one."""

HELD_MAX_BYTES = 32 * 2**20
"""The same for a camera whose pictures are huge."""


class Tap:
    """`put` and `watch` never wait; `batches` belongs to one thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held: list[CodedPicture] = []
        self._held_bytes = 0
        self._taken = 0
        self._is_watched = False

    def put(self, picture: CodedPicture) -> None:
        with self._changed:
            size = picture.packet.size
            is_full = len(self._held) >= HELD_MAX_PICTURES or self._held_bytes + size > HELD_MAX_BYTES
            if picture.is_key or is_full:
                self._held.clear()
                self._held_bytes = self._taken = 0
            if picture.is_key or self._held:
                self._held.append(picture)
                self._held_bytes += size
                self._changed.notify()

    def watch(self, *, is_on: bool) -> None:
        """Somebody begins to watch, or the last one has gone."""
        with self._changed:
            if is_on and not self._is_watched:
                self._taken = 0
                self._changed.notify()
            self._is_watched = is_on

    def batches(self) -> Iterator[tuple[list[CodedPicture], bool]]:
        """Without end: the pictures not given before, in order, and whether anybody watches."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._taken < len(self._held))
                batch = self._held[self._taken :]
                self._taken = len(self._held)
                is_watched = self._is_watched
            yield batch, is_watched
