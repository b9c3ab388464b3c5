"""Keys are single until a line is asked for; a Chinese character may come in pieces."""

from edge.technician.keyboard import Keyboard


class Desk:
    def __init__(self) -> None:
        self.keys: list[str] = []
        self.lines: list[str] = []
        self.keyboard = Keyboard(self.keys.append, self.lines.append)


def test_single_keys_are_told_at_once_in_lower_case() -> None:
    desk = Desk()
    desk.keyboard.type(b"sN")
    assert desk.keys == ["s", "n"]


def test_a_line_gathers_until_enter_and_then_keys_are_single_again() -> None:
    desk = Desk()
    desk.keyboard.ask()
    desk.keyboard.type("门框松".encode()[:4])
    desk.keyboard.type("门框松".encode()[4:] + b"xy\x7f\x7f\x1b\x01")
    assert desk.keyboard.line == "门框松"
    desk.keyboard.type(b"\ns")
    assert (desk.lines, desk.keys) == (["门框松"], ["s"])


def test_erasing_an_empty_line_keeps_it_empty() -> None:
    desk = Desk()
    desk.keyboard.ask()
    desk.keyboard.type(b"\x7f\r")
    assert desk.lines == [""]
