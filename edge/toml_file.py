"""A TOML file, and where in it each key stands. tomllib keeps no lines, so the text is searched."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

KeyPath = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_-]+)\s*\]")
_KEY = re.compile(r"^\s*([A-Za-z0-9_-]+)\s*=")
_SYNTAX_LINE = re.compile(r"\(at line (\d+)")


class Problem(msgspec.Struct, frozen=True):
    """One thing wrong (or, as a warning, doubtful) in a settings file; `line` 0 is the file as a whole."""

    file: str
    line: int
    path: str
    text: str
    hint: str = ""
    is_warning: bool = False

    def __str__(self) -> str:
        mark = "warning: " if self.is_warning else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.file}:{self.line}: {mark}{self.path + ': ' if self.path else ''}{self.text}{hint}"


class TomlFile:
    """Reads a file of flat tables `[name]` and `[[name]]`. What is wrong gathers in `problems`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.table: dict[str, Any] = {}
        self.problems: list[Problem] = []
        self._lines: dict[KeyPath, int] = {}
        try:
            text = path.read_text("utf-8")
            self._lines = dict(_key_lines(text))
            self.table = tomllib.loads(text)
        except OSError as error:
            self.add((), f"cannot be read: {error.strerror}")
        except UnicodeDecodeError:
            self.add((), "is not UTF-8")
        except tomllib.TOMLDecodeError as error:
            found = _SYNTAX_LINE.search(str(error))
            self.problems.append(
                Problem(str(path), int(found[1]) if found else 0, "", f"is no TOML: {error}")
            )

    @property
    def has_faults(self) -> bool:
        return any(not problem.is_warning for problem in self.problems)

    def add(self, path: KeyPath, text: str, hint: str = "", *, is_warning: bool = False) -> None:
        """Note a problem at a key: on its line, or on that of the table around it."""
        near = path
        while near and near not in self._lines:
            near = near[:-1]
        line = self._lines.get(near, 0)
        self.problems.append(Problem(str(self.path), line, dotted(path), text, hint, is_warning))


def dotted(path: KeyPath) -> str:
    """`device[2].bus` for ("device", 2, "bus")."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _key_lines(text: str) -> Iterator[tuple[KeyPath, int]]:
    counts: dict[str, int] = {}
    table: KeyPath = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            name = header[2]
            table = (name,)
            if header[1] == "[[":
                counts[name] = counts.get(name, -1) + 1
                table = (name, counts[name])
            yield table, number
        elif key := _KEY.match(line):
            yield (*table, key[1]), number
