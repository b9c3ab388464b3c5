"""Keys of a terminal as they are pressed, while the loop goes on; a line of text when one is asked for."""

import asyncio
import codecs
import os
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_ENTER = "\r\n"
_ERASE = "\x7f\b"


class Keyboard:
    """Tells `on_key` of each key. After `ask`, keys gather until Enter and go to `on_line` as one text."""

    def __init__(self, on_key: Callable[[str], None], on_line: Callable[[str], None]) -> None:
        self._on_key = on_key
        self._on_line = on_line
        self._decode = codecs.getincrementaldecoder("utf-8")("ignore").decode
        self.line: str | None = None
        """What was typed so far of a line; None while single keys are meant."""

    def ask(self) -> None:
        self.line = ""

    def type(self, data: bytes) -> None:
        """Bytes from the terminal."""
        for char in self._decode(data):
            if self.line is None:
                self._on_key(char.lower())
            elif char in _ENTER:
                line, self.line = self.line, None
                self._on_line(line)
            elif char in _ERASE:
                self.line = self.line[:-1]
            elif char.isprintable():
                self.line += char


@contextmanager
def listening(keyboard: Keyboard) -> Iterator[None]:
    """Stdin without echo and line by line, as long as this lasts; then as it was."""
    descriptor = sys.stdin.fileno()
    was = termios.tcgetattr(descriptor)
    loop = asyncio.get_running_loop()
    tty.setcbreak(descriptor)
    loop.add_reader(descriptor, lambda: keyboard.type(os.read(descriptor, 256)))
    try:
        yield
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, was)
