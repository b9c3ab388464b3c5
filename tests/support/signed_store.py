"""A store with a county's trust, whose edges sign: for tests of what the evidence is worth."""

import time
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from sqlalchemy import Connection, insert, select

from central.store.database import Store, Transaction
from central.trust import folder, keys
from central.trust.keyring import Keyring
from central.trust.schema import checkpoint
from contract.keys import Signer
from contract.messages import Batch
from contract.signing import signed_text
from tests.support.county import T0, Journal, take

YEAR_MS = 365 * 86_400_000
BATCH_ROWS = 4


class SignedStore:
    """Trust in `data_dir`, edges with a key each. `fill` lets a journal come in signed batches."""

    def __init__(self, store: Store, data_dir: Path) -> None:
        self.store = store
        self.made_ms = time.time_ns() // 1_000_000
        folder.make(data_dir / "trust", [], "", self.made_ms)
        self.keyring = Keyring.load(data_dir)
        self.signers: dict[str, Signer] = {}

    async def enrol(self, edge: str = "liuxu") -> Signer:
        signer = Signer.new()
        self.signers[edge] = signer
        certificate = self.keyring.authority().issue_edge(request(signer, edge), edge, T0)
        await self.store.write(
            lambda tx: keys.enrol(
                tx.conn,
                edge,
                public=signer.public,
                certificate=certificate.public_bytes(Encoding.PEM).decode(),
                expires_ms=T0 + YEAR_MS,
                now_ms=T0,
                reason="test",
            )
        )
        return signer

    async def fill(self, journal: Journal, first: int = 1, now_ms: int = T0) -> None:
        """The journal's rows from `first` on, a checkpoint a batch."""
        for start in range(first, journal.seq + 1, BATCH_ROWS):
            last = min(start + BATCH_ROWS - 1, journal.seq)
            batch = self.signed(journal, start, last)
            await self.store.write(lambda tx, batch=batch: _take(tx, batch, self.signers, now_ms))

    def signed(self, journal: Journal, first: int, last: int) -> Batch:
        journal.signer = self.signers[journal.edge]
        return journal.batch(first, last)


def _take(tx: Transaction, batch: Batch, signers: dict[str, Signer], now_ms: int) -> None:
    take(tx, batch, now_ms=now_ms)
    keep_checkpoint(tx.conn, batch, signers[batch.edge].public, now_ms)


def keep_checkpoint(conn: Connection, batch: Batch, public: str, now_ms: int) -> None:
    """Unless the ingest has kept it."""
    place = {"edge": batch.edge, "epoch": batch.epoch, "seq": batch.last}
    here = select(checkpoint).where(*(checkpoint.c[name] == value for name, value in place.items()))
    if conn.execute(here).first() is None:
        text = signed_text(batch)
        values = {**place, "hash": batch.head, "text": text, "sig": batch.sig, "public": public}
        conn.execute(insert(checkpoint).values(**values, received_ms=now_ms))


def request(signer: Signer, edge: str) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, edge)])
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(name)
        .sign(signer.key, None)
        .public_bytes(Encoding.PEM)
    )
