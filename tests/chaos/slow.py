"""Row 13: somebody does not take what he is sent: the centre itself, or a board that never reads."""

import base64
import os
import signal
import socket
import time

from tests.chaos.ground import Ground, Play
from tests.chaos.history import Figure
from tests.chaos.station import Station

STOPPED_S = (6.0, 22.0)
GROWTH_MB = 40.0
DEAF_BOARDS = 20


def stopped_centre(ground: Ground) -> None:
    """The centre stands still, its sockets open, for less and for more than a silence."""
    station = ground.running(30, secure=True)
    before_mb = station.edge.rss_mb()
    for number in range(ground.trials):
        with station.silent(is_noticeable=False):
            station.central.signal(signal.SIGSTOP)
            time.sleep(STOPPED_S[number % 2])
            station.central.signal(signal.SIGCONT)
            station.await_centre()
        station.settle()
        ground.tried += 1
    grown_mb = station.edge.rss_mb() - before_mb
    station.history.note(
        Figure("P9", "MB that the edge grew while the centre stood still", grown_mb, GROWTH_MB)
    )
    station.conclude()


def deaf_boards(ground: Ground) -> None:
    """Boards that greet and never read again, while contacts move."""
    ground.not_proven("a webhook that hangs: the centre has none yet")
    station = ground.running(40)
    time.sleep(2)
    before_mb = station.central.rss_mb()
    boards = [_deaf(station) for _ in range(DEAF_BOARDS)]
    from_ns = time.monotonic_ns()
    time.sleep(10 * ground.trials)
    until_ns = time.monotonic_ns()
    grown_mb = station.central.rss_mb() - before_mb
    station.history.note(
        Figure("P9", f"MB that the centre grew with {DEAF_BOARDS} deaf boards", grown_mb, GROWTH_MB)
    )
    for board in boards:
        board.close()
    station.settle()
    station.note_lag("P9", "door to centre beside deaf boards", from_ns, until_ns, 2.0)
    ground.tried += ground.trials
    station.conclude()


def _deaf(station: Station) -> socket.socket:
    """Signed in, greeted, and from then on not reading: its window fills."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    sock.connect(("127.0.0.1", station.web_port))
    key = base64.b64encode(os.urandom(16)).decode()
    sock.sendall(
        (
            f"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1:{station.web_port}\r\nOrigin: {station.board}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Version: 13\r\nCookie: {station.centre.cookie}\r\n\r\n"
        ).encode()
    )
    hello = b'{"type":"hello","epoch":null,"last_seq":0,"view":"wall","console":"deaf"}'
    mask = os.urandom(4)
    masked = bytes(byte ^ mask[n % 4] for n, byte in enumerate(hello))
    sock.sendall(bytes([0x81, 0x80 | len(hello)]) + mask + masked)
    return sock


PLAYS = (
    Play(13, "centre", "the centre stands still", stopped_centre, 2, 6, smoke_s=50),
    Play(13, "board", "boards that never read", deaf_boards, 1, 6, smoke_s=25),
)
