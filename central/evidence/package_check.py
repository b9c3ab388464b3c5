"""Checks an evidence package: from the signature on its manifest down to every row of the edge.

Needs the package alone: no store, no settings, no network. Steps come in order, and the first that fails is
the last: what stands on it proves nothing.
"""

import sqlite3
from collections.abc import Callable, Collection, Generator, Iterator
from pathlib import Path

from msgspec import Struct

from central.evidence import certificates
from central.evidence.checkpoints import REWRITTEN, Checkpoint, Key, fault_of
from central.evidence.manifest import (
    AUTHORITY,
    CENTRE,
    DATABASE,
    MANIFEST,
    MANIFEST_MAX_BYTES,
    SIGNATURE,
    Manifest,
    decode,
    sum_of,
)
from contract import chain
from contract.certificates import CENTRAL_NAME, public_of
from contract.chain_walk import Walk
from contract.errors import BadRow, ContractError
from contract.ids import EdgeId, Epoch
from contract.keys import is_signed


class Step(Struct, frozen=True):
    """One check, in words. `fault` is None where it holds."""

    what: str
    fault: str | None = None


class _Failed(Exception):
    pass


class PackageCheck:
    """`authority` (PEM) and `edge_keys` (hex): what the checker has from another hand than the package."""

    def __init__(self, folder: Path, authority: bytes | None = None, edge_keys: Collection[str] = ()) -> None:
        self._folder = folder
        self._authority = authority or b""
        self._is_given = authority is not None
        self._edge_keys = edge_keys
        self._manifest: Manifest

    def run(self) -> Iterator[Step]:
        """Ends after the first step with a fault."""
        steps: tuple[tuple[str, Callable[[], str]], ...] = (
            ("manifest", self._read_manifest),
            ("authority", self._check_authority),
            ("the centre's certificate", self._check_centre),
            ("the centre's signature on the manifest", self._check_signature),
            ("files", self._check_files),
        )
        for what, check in steps:
            try:
                found = check()
            except (_Failed, ContractError, OSError, ValueError) as error:
                yield Step(what, str(error))
                return
            yield Step(f"{what}: {found}")
        yield from self._database_steps()

    def _read_manifest(self) -> str:
        path = self._folder / MANIFEST
        if path.stat().st_size > MANIFEST_MAX_BYTES:
            raise _Failed(f"{MANIFEST} is too long")
        self._manifest = decode(path.read_bytes())
        said = self._manifest
        return f"alert {said.alert} of {said.room}, exported by {said.exported_by}: {said.reason}"

    def _check_authority(self) -> str:
        inside = (self._folder / AUTHORITY).read_bytes()
        if not self._is_given:
            self._authority = inside
        elif inside.strip() != self._authority.strip():
            raise _Failed(f"{AUTHORITY} in the package is not the certificate that was given")
        self._ask(AUTHORITY, certificates.authority_fault(self._authority, self._manifest.exported_ms))
        return "as given" if self._is_given else "TAKEN FROM THE PACKAGE ITSELF, which anybody can make"

    def _check_centre(self) -> str:
        pem = (self._folder / CENTRE).read_bytes()
        at_ms = self._manifest.exported_ms
        found = certificates.fault(pem, self._authority, CENTRAL_NAME, public_of(pem), at_ms)
        self._ask(CENTRE, found)
        return "issued by the authority, valid when it was exported"

    def _check_signature(self) -> str:
        public = public_of((self._folder / CENTRE).read_bytes())
        signature = (self._folder / SIGNATURE).read_bytes()
        if not is_signed(public, (self._folder / MANIFEST).read_bytes(), signature.hex()):
            raise _Failed(f"{MANIFEST} was changed after the centre signed it, or another key signed it")
        return "right"

    def _check_files(self) -> str:
        known = {*self._manifest.files, MANIFEST, SIGNATURE}
        for path in sorted(self._folder.iterdir()):
            if path.name not in known or path.is_symlink() or not path.is_file():
                raise _Failed(f"{path.name} is not of this package")
        for name, expected in sorted(self._manifest.files.items()):
            path = self._folder / name
            if not path.exists():
                raise _Failed(f"{name} is missing")
            if sum_of(path) != expected:
                raise _Failed(f"{name} was changed: its SHA-256 is not the manifest's")
        return f"{len(self._manifest.files)}, each with the SHA-256 of the manifest"

    def _database_steps(self) -> Iterator[Step]:
        address = f"{(self._folder / DATABASE).absolute().as_uri()}?mode=ro&immutable=1"
        db = sqlite3.connect(address, uri=True)
        try:
            db.execute("PRAGMA trusted_schema=OFF")
            keys = yield from self._certificate_steps(db)
            if keys is not None:
                yield from _segment_steps(db, keys)
        except (sqlite3.Error, ValueError, TypeError) as error:
            yield Step(DATABASE, str(error))
        finally:
            db.close()

    def _certificate_steps(self, db: sqlite3.Connection) -> Generator[Step, None, dict[str, Key] | None]:
        keys: dict[str, Key] = {}
        query = (
            "SELECT k.edge, k.public, k.certificate, k.revoked_ms, min(c.received_ms), max(c.received_ms) "
            "FROM edge_key k JOIN checkpoint c ON c.public = k.public GROUP BY k.public"
        )
        for edge, public, pem, revoked_ms, first_ms, last_ms in db.execute(query).fetchall():
            what = f"certificate of edge {edge}, key {public}"
            if self._edge_keys and public not in self._edge_keys:
                yield Step(what, "is none of the keys that were given")
                return None
            for at_ms in (first_ms, last_ms):
                found = certificates.fault(pem.encode(), self._authority, edge, public, at_ms)
                if found:
                    yield Step(what, found)
                    return None
            keys[public] = Key(edge, public, revoked_ms)
            yield Step(f"{what}: issued by the authority, valid when it signed")
        return keys

    @staticmethod
    def _ask(what: str, found: str | None) -> None:
        if found:
            raise _Failed(f"{what} {found}")


def _segment_steps(db: sqlite3.Connection, keys: dict[str, Key]) -> Iterator[Step]:
    """Each chain of the package: its rows up to a row that the edge signed."""
    starts = db.execute("SELECT edge, epoch, seq, hash FROM segment_start").fetchall()
    if not starts:
        yield Step("rows", "there is no row of any edge in it")
        return
    for edge, epoch, seq, hash_ in starts:
        name = f"{edge}, epoch {epoch}"
        try:
            checked = _walk(db, keys, edge, epoch, Walk(seq, bytes.fromhex(hash_)))
        except BadRow as error:
            yield Step(f"rows of {name}", f"row {error.seq} {error.fault}")
            return
        yield Step(f"rows of {name}: {checked}")
    (alien,) = db.execute(
        "SELECT count(*) FROM row WHERE (edge, epoch) NOT IN (SELECT edge, epoch FROM segment_start)"
    ).fetchone()
    if alien:
        yield Step("rows", f"{alien} rows belong to no chain of this package")


def _walk(db: sqlite3.Connection, keys: dict[str, Key], edge: str, epoch: int, walk: Walk) -> str:
    """Raises BadRow."""
    first = walk.seq + 1
    if walk.seq == 0:
        walk.meet(chain.anchor(EdgeId(edge), Epoch(epoch)).hex(), "is not the beginning of this chain")
    found = db.execute("SELECT * FROM checkpoint WHERE edge = ? AND epoch = ?", (edge, epoch))
    signed = {row[2]: Checkpoint(*row) for row in found}
    _meet(walk, signed, keys)
    of_alert = 0
    rows = "SELECT seq, bytes, hash, is_of_alert FROM row WHERE edge = ? AND epoch = ? ORDER BY seq"
    for seq, raw, hash_, is_of_alert in db.execute(rows, (edge, epoch)):
        walk.take(seq, raw, bytes.fromhex(hash_))
        of_alert += is_of_alert
        _meet(walk, signed, keys)
    if not signed or max(signed) != walk.seq:
        raise BadRow(walk.seq, "is the last, and the edge signed another: what stands here is not proved")
    return f"{first} to {walk.seq} recomputed, the last signed by the edge, {of_alert} of them of this alert"


def _meet(walk: Walk, signed: dict[int, Checkpoint], keys: dict[str, Key]) -> None:
    checkpoint = signed.get(walk.seq)
    if checkpoint is None:
        return
    fault = fault_of(checkpoint, keys)
    if fault:
        raise BadRow(walk.seq, fault)
    walk.meet(checkpoint.hash, REWRITTEN)
