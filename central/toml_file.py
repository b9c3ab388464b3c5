"""A TOML file into a typed value, with every fault it has: file, line, path and a hint, all at once.

msgspec stops at the first fault of a value, so a table is taken apart here and each key is converted
on its own. tomllib keeps no line numbers, so they are found again in the text.
"""

import difflib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import NODEFAULT, Struct

KeyPath = tuple[str | int, ...]
S = TypeVar("S", bound=Struct)

_HEADER = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.-]+)\s*\]\]?")
_KEY = re.compile(r"^\s*([A-Za-z0-9_-]+)\s*=")
_WHERE = re.compile(r" - at `.*`$")


class Fault(Struct, frozen=True):
    """One thing wrong in a settings file. `line` is 0 where it concerns the whole file."""

    file: str
    line: int
    path: str
    text: str
    hint: str = ""

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.file}:{self.line}: {self.path or '(file)'}: {self.text}{hint}"


class TomlFile:
    """A settings file read once: its table, and where each key of it stands."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.table: dict[str, Any] = {}
        self.faults: list[Fault] = []
        self._lines: dict[KeyPath, int] = {}
        try:
            text = path.read_bytes().decode()
            self.table = tomllib.loads(text)
            self._lines = dict(_key_lines(text))
        except OSError as error:
            self.fault((), f"cannot be read: {error.strerror}")
        except UnicodeDecodeError:
            self.fault((), "is not UTF-8")
        except tomllib.TOMLDecodeError as error:
            self.fault((), f"is not TOML: {error}")

    def fault(self, path: KeyPath, text: str, hint: str = "") -> None:
        """Note a fault at a key, on its line or on that of the nearest table around it."""
        near = path
        while near and near not in self._lines:
            near = near[:-1]
        line = self._lines.get(near, 0)
        self.faults.append(Fault(str(self.path), line, _dotted(path), text, hint))

    def decode(self, kind: type[S]) -> S | None:
        """The file as a `kind`, or None with every fault noted."""
        if self.faults:
            return None
        self._check_struct((), self.table, kind)
        return None if self.faults else msgspec.convert(self.table, kind)

    def _check_struct(self, path: KeyPath, table: object, kind: type[Struct]) -> None:
        if not isinstance(table, dict):
            self.fault(path, "must be a table")
            return
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        for key in table:
            if key not in fields:
                near = difflib.get_close_matches(key, fields, n=1)
                hint = f"did you mean {near[0]}?" if near else "known here: " + ", ".join(fields)
                self.fault((*path, key), "unknown key", hint)
        for name, field in fields.items():
            if name in table:
                self._check_value((*path, name), table[name], field.type)
            elif field.default is NODEFAULT and field.default_factory is NODEFAULT:
                self.fault((*path, name), "is missing")

    def _check_value(self, path: KeyPath, value: object, kind: Any) -> None:
        info = msgspec.inspect.type_info(kind)
        if isinstance(info, msgspec.inspect.UnionType) and isinstance(value, dict):
            info = next((t for t in info.types if isinstance(t, msgspec.inspect.StructType)), info)
        if isinstance(info, msgspec.inspect.StructType):
            self._check_struct(path, value, info.cls)
            return
        item = getattr(info, "item_type", None)
        if isinstance(item, msgspec.inspect.StructType) and isinstance(value, list):
            before = len(self.faults)
            for index, entry in enumerate(value):
                self._check_struct((*path, index), entry, item.cls)
            if len(self.faults) > before:
                return
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            self.fault(path, _WHERE.sub("", str(error)), _allowed(info))


def _allowed(info: msgspec.inspect.Type) -> str:
    """A hint for a value that is none of a few words."""
    if isinstance(info, msgspec.inspect.EnumType):
        return "one of " + ", ".join(str(member.value) for member in info.cls)
    return ""


def _key_lines(text: str) -> Iterator[tuple[KeyPath, int]]:
    """Where each table and key of a TOML text stands. A value over several lines is its first line's."""
    counts: dict[KeyPath, int] = {}
    table: KeyPath = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            *parents, last = header[2].split(".")
            table = ()
            for part in parents:
                table = (*table, part)
                if table in counts:
                    table = (*table, counts[table])
            table = (*table, last)
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            yield table, number
        elif key := _KEY.match(line):
            yield (*table, key[1]), number


def _dotted(path: KeyPath) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
