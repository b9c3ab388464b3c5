"""Checks every chain of a store, page by page, also while a centre runs on it: what is written meanwhile
comes behind the moment that is checked. Only reads.
"""

from collections.abc import Callable, Iterator, Mapping

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError, OperationalError

from central.errors import StoreUnavailable
from central.evidence import queries
from central.evidence.chains import ChainCheck, Outline, Verdict
from central.evidence.checkpoints import Key
from central.store import upgrade
from contract.errors import BadRow

Progress = Callable[[int, int], None]
"""Rows done, rows in all."""


def verify(
    engine: Engine, authority: bytes | None, progress: Progress, edge: str | None = None
) -> Iterator[Verdict]:
    """A verdict a chain, by edge and epoch. `authority`: the county's certificate (PEM), if there is one.

    Raises StoreUnavailable, OtherSchema.
    """
    try:
        with engine.begin() as conn:
            upgrade.check_newest(conn)
            keys, outlines = queries.keys(conn, authority), queries.outlines(conn, edge)
    except DatabaseError as error:
        raise StoreUnavailable(f"the store cannot be read: {error.orig}") from error
    total, done = sum(outline.count for outline in outlines), 0
    progress(0, total)
    for outline in outlines:
        counted = done

        def tell(rows: int, counted: int = counted) -> None:
            progress(counted + rows, total)

        yield _verify_chain(engine, outline, keys, tell)
        done += outline.count
        progress(done, total)


def _verify_chain(
    engine: Engine, outline: Outline, keys: Mapping[str, Key], tell: Callable[[int], None]
) -> Verdict:
    check = ChainCheck(outline, keys)
    after = queries.BEFORE_ALL
    try:
        while True:
            with engine.begin() as conn:
                after, is_last = _take_page(conn, check, outline, after)
            tell(check.verdict.rows)
            if is_last:
                return check.end()
    except BadRow as error:
        return _bad(check.verdict, error.seq, error.fault)
    except OperationalError as error:
        raise StoreUnavailable(str(error.orig)) from error
    except DatabaseError as error:
        return _bad(check.verdict, check.verdict.last + 1, f"cannot be read: {error.orig}")


def _take_page(conn: Connection, check: ChainCheck, outline: Outline, after: int) -> tuple[int, bool]:
    """Returns the newest row that was taken, and whether no page is left."""
    chain_id = (outline.edge, outline.epoch)
    rows = queries.rows_after(conn, chain_id, after, outline.last)
    if not rows:
        return after, True
    checkpoints = queries.checkpoints_between(conn, chain_id, rows[0].seq, rows[-1].seq)
    check.take(rows, checkpoints)
    return rows[-1].seq, len(rows) < queries.PAGE


def _bad(verdict: Verdict, seq: int, fault: str) -> Verdict:
    return Verdict(
        verdict.edge, verdict.epoch, verdict.rows, verdict.last, verdict.hash,
        verdict.signed, verdict.skipped, verdict.forked, seq, fault,
    )  # fmt: skip
