"""Many rows into one table at once, without the work that SQLAlchemy would have with each of them."""

from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, Dialect, Table, insert


def insert_rows(conn: Connection, table: Table, rows: Sequence[Struct]) -> None:
    """Rows of one struct, whose fields are columns, in the order given; values as the driver takes them."""
    if rows:
        text, parameters = _statement(table, type(rows[0]), conn.dialect)
        conn.exec_driver_sql(text, [parameters(row) for row in rows])


@cache
def _statement(
    table: Table, kind: type[Struct], dialect: Dialect
) -> tuple[str, Callable[[Struct], dict[str, Any] | tuple[Any, ...]]]:
    """The insert in the words of a database's driver, and the parameters that it wants of a row."""
    compiled = insert(table).compile(dialect=dialect, column_keys=[*kind.__struct_fields__])
    return str(compiled), attrgetter(*compiled.positiontup) if compiled.positiontup else asdict
