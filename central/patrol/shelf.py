"""Rows of one table that a transaction works on: laid out as loaded, written back where they differ."""

from copy import copy
from functools import cache
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, Insert, Table, Update, bindparam, insert, update

S = TypeVar("S", bound=Struct)


@cache
def _update_by_key(table: Table) -> Update:
    """Sets a whole row; its key's parameters are named `key_…`."""
    where = [column == bindparam(f"key_{column.name}") for column in table.primary_key]
    others = [column.name for column in table.columns if not column.primary_key]
    return update(table).where(*where).values({name: bindparam(name) for name in others})


@cache
def _insert(table: Table) -> Insert:
    return insert(table)


class Shelf:
    """Rows of one table by key, and how they were when they were laid there."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._keys = [column.name for column in table.primary_key]
        self._rows: dict[Any, Struct] = {}
        self._were: dict[Any, Struct] = {}
        self._stored: set[Any] = set()

    def lay(self, key: Any, row: S, *, is_stored: bool) -> S:
        """A row as the store has it, or the blank of one that it may yet get."""
        self._rows[key] = row
        self._were[key] = copy(row)
        if is_stored:
            self._stored.add(key)
        return row

    def add(self, key: Any, row: Struct) -> None:
        """A new row; it goes to the store as it then is."""
        self._rows[key] = row

    def get(self, key: Any) -> Any:
        return self._rows.get(key)

    def write_back(self, conn: Connection) -> None:
        changed = {key: row for key, row in self._rows.items() if row != self._were.get(key)}
        new = [asdict(row) for key, row in changed.items() if key not in self._stored]
        moved = [self._keyed(row) for key, row in changed.items() if key in self._stored]
        if moved:  # first: an old row may have to give up its place to a new one
            conn.execute(_update_by_key(self._table), moved)
        if new:
            conn.execute(_insert(self._table), new)

    def _keyed(self, row: Struct) -> dict[str, Any]:
        fields = asdict(row)
        return {f"key_{name}" if name in self._keys else name: value for name, value in fields.items()}
