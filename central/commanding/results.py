"""What the rows of an edge's journal say of the commands that it was given."""

from central.commanding import queries
from central.commanding.states import STEPS
from central.store.database import Transaction
from contract.rows import EdgeKind, Row

_TOLD = ("why", "value", "quality")


def take(tx: Transaction, edge: str, row: Row, now_ms: int) -> None:
    """Lets a row have its effect on the command it names; any other row has none. Twice is as once."""
    step = STEPS.get(EdgeKind(row.kind)) if row.kind in _KINDS else None
    id_ = row.data.get("id")
    if step is None or not isinstance(id_, str):
        return
    told = [str(row.data[name]) for name in _TOLD if row.data.get(name)]
    queries.move(tx, id_, edge, step, result_ms=now_ms, detail=" ".join(told))


_KINDS = frozenset(kind.value for kind in STEPS)
