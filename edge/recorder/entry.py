"""The way into a camera's process: libav and OpenCV are loaded there, and nowhere in the edge's own."""

import multiprocessing
import socket
from multiprocessing.context import ForkServerContext, ForkServerProcess

_context: ForkServerContext = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["edge.recorder.process"])


def start(name: str, url: str, supervisor: socket.socket, reference: bytes | None) -> ForkServerProcess:
    """Fork a camera's process from the server that has its libraries. Blocks, the first time for a second."""
    process = _context.Process(target=_record, name=name, args=(url, supervisor, reference), daemon=True)
    process.start()
    return process


def _record(url: str, supervisor: socket.socket, reference: bytes | None) -> None:
    from edge.recorder.process import record  # noqa: PLC0415 (see the module's docstring)

    record(url, supervisor, reference)
