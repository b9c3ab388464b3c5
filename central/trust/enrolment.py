"""Codes, enrolments and renewals: what the centre does with them, in one transaction each."""

import hashlib
import hmac
from collections.abc import Iterator

from msgspec import Struct
from sqlalchemy import Connection, insert, select, update

from central.ingest import cursors
from central.ingest.admission import beginning
from central.store import audit, events
from central.store.database import Transaction
from central.trust import keys
from central.trust.authority import Authority, pem_of
from central.trust.errors import CodeRefused, EpochRefused, NotRenewable, RenewedTooOften
from central.trust.keys import EdgeKey
from central.trust.schema import enrolment_code
from contract import certificates
from contract.certificates import fingerprint, instant_ms, media_name, public_of
from contract.enrolment import Code, Enrolment, Renewal
from contract.keys import is_signed

CODE_LASTS_MS = 24 * 3_600_000
RENEWALS_A_DAY = 3
"""Of one edge: a technician's second and third try, and no stream of keys from a box in wrong hands."""
RENEWED = "renewed"


class Pair(Struct, frozen=True):
    """An edge's two certificates, PEM."""

    edge: str
    media: str


def make_code(tx: Transaction, authority: Authority, edge: str, who: str, now_ms: int) -> str:
    """A code for one enrolment of this edge; one that was made before is void."""
    code = Code.new(fingerprint(authority.certificate))
    _void_codes(tx.conn, edge, now_ms)
    tx.conn.execute(
        insert(enrolment_code).values(
            code_hash=_hash(code.secret), edge=edge, made_ms=now_ms, expires_ms=now_ms + CODE_LASTS_MS
        )
    )
    audit.record(tx.conn, who=who, what="edge.enrolment_allowed", object_id=edge, at_ms=now_ms)
    return str(code)


def enrol(tx: Transaction, authority: Authority, asked: Enrolment, address: str, now_ms: int) -> Pair:
    """The edge's key is known from now on, every one before it superseded, its journal's epoch admitted.

    Asked again with the same code and the same key, the answer is the same: the first may have been lost.
    Raises CodeRefused, BadRequest, EpochRefused.
    """
    code_hash = _code_hash(tx.conn, asked, now_ms)
    issued = _issue(authority, asked, now_ms)
    public = public_of(issued.edge.encode())
    is_fresh = _use(tx.conn, code_hash, now_ms)
    known = keys.by_public(tx.conn, public)
    if known is not None:
        return _said_before(known, asked.edge)
    if not is_fresh:
        raise CodeRefused("this code was used already: ask for another")
    _admit(tx.conn, asked.edge, asked.epoch, now_ms)
    _keep(tx.conn, asked.edge, issued, "enrolled", now_ms)
    keys.supersede_others(tx.conn, asked.edge, public, now_ms)
    detail = {"key": public, "epoch": asked.epoch, "seq": asked.seq, "address": address}
    audit.record(
        tx.conn, who="system", what="edge.enrolled", object_id=asked.edge, at_ms=now_ms, detail=detail
    )
    return issued


def renew(tx: Transaction, authority: Authority, asked: Renewal, address: str, now_ms: int) -> Pair:
    """Another key for the same edge and epoch. The old one is good until the new one has signed a message; a
    new one of before that has signed none is void.

    Raises NotRenewable, RenewedTooOften, BadRequest.
    """
    old = keys.by_public(tx.conn, asked.key)
    if not is_signed(asked.key, asked.signed_text(), asked.sig):
        raise NotRenewable("not signed by the key that asks")
    if old is None or old.edge != asked.edge or not old.is_good:
        raise NotRenewable(f"this key does not speak for {asked.edge}: enrol it again")
    issued = _issue(authority, asked, now_ms)
    public = public_of(issued.edge.encode())
    known = keys.by_public(tx.conn, public)
    if known is not None:
        return _said_before(known, asked.edge)
    _check_renewable(tx.conn, old, now_ms)
    keys.supersede_unspoken(tx.conn, old, now_ms)
    _keep(tx.conn, asked.edge, issued, RENEWED, now_ms)
    detail = {"key": public, "was": asked.key, "address": address}
    audit.record(
        tx.conn, who="system", what="edge.key_renewed", object_id=asked.edge, at_ms=now_ms, detail=detail
    )
    return issued


def revoke(tx: Transaction, edge: str, reason: str, who: str, now_ms: int) -> list[str]:
    """Nothing that the edge signs is believed any more, and a code that was made for it opens nothing.

    Returns the keys that were good until now.
    """
    _void_codes(tx.conn, edge, now_ms)
    ended = keys.revoke(tx.conn, edge, reason, now_ms)
    audit.record(
        tx.conn,
        who=who,
        what="edge.revoked",
        object_id=edge,
        at_ms=now_ms,
        reason=reason,
        detail={"keys": ended},
    )
    return ended


def _void_codes(conn: Connection, edge: str, now_ms: int) -> None:
    unused = (enrolment_code.c.edge == edge, enrolment_code.c.used_ms.is_(None))
    conn.execute(update(enrolment_code).where(*unused).values(expires_ms=now_ms))


def _check_renewable(conn: Connection, old: EdgeKey, now_ms: int) -> None:
    """Raises NotRenewable for a key that has not spoken yet, RenewedTooOften."""
    known = keys.keys_of(conn, old.edge)
    if any(key.is_good and key.id < old.id for key in known):
        raise NotRenewable(f"{old.edge} has a new key that was not used yet: start the agent anew first")
    of_late = [key for key in known if key.reason == RENEWED and key.from_ms > now_ms - keys.DAY_MS]
    if len(of_late) >= RENEWALS_A_DAY:
        raise RenewedTooOften(
            f"{old.edge} was renewed {len(of_late)} times in a day: wait, or enrol it again"
        )


def _code_hash(conn: Connection, asked: Enrolment, now_ms: int) -> str:
    """The stored hash of the code that was said. A used one is taken only for the key it was used for."""
    said = _hash(bytes.fromhex(asked.secret))
    for code_hash, used_ms, expires_ms in _codes(conn, asked.edge):
        if hmac.compare_digest(code_hash, said) and (used_ms is not None or now_ms < expires_ms):
            return code_hash
    raise CodeRefused(f"no such code for {asked.edge}, or it is used or older than 24 h")


def _codes(conn: Connection, edge: str) -> Iterator[tuple[str, int | None, int]]:
    found = select(enrolment_code).where(enrolment_code.c.edge == edge)
    for row in conn.execute(found):
        yield row.code_hash, row.used_ms, row.expires_ms


def _use(conn: Connection, code_hash: str, now_ms: int) -> bool:
    """False where somebody has used it before."""
    unused = (enrolment_code.c.code_hash == code_hash, enrolment_code.c.used_ms.is_(None))
    return bool(conn.execute(update(enrolment_code).where(*unused).values(used_ms=now_ms)).rowcount)


def _said_before(known: EdgeKey, edge: str) -> Pair:
    """The certificates that this key has already. Raises CodeRefused where it is not to speak here again."""
    if known.edge != edge or not known.is_good:
        raise CodeRefused("this key was used before: let the edge make a new one")
    first, media = known.certificate.split("-----BEGIN", 2)[1:]
    return Pair(f"-----BEGIN{first}", f"-----BEGIN{media}")


def _admit(conn: Connection, edge: str, epoch: int, now_ms: int) -> None:
    """Rows of this journal are taken: from where they were, or from its first. Raises EpochRefused.

    Where the journal before ended is written down: nothing else says it once the cursor has moved.
    """
    cursor = cursors.read(conn, edge)
    if cursor is not None and cursor.epoch == epoch:
        return
    if events.hash_of(conn, edge, epoch, 1) is not None:
        raise EpochRefused(f"epoch {epoch} of {edge} is an earlier journal: its chain cannot be begun again")
    cursors.keep(conn, edge, beginning(edge, epoch))
    if cursor is not None:
        was = {"was": cursor.epoch, "was_seq": cursor.seq, "was_hash": cursor.hash}
        audit.record(
            conn,
            who="system",
            what="edge.readmitted",
            object_id=edge,
            at_ms=now_ms,
            reason="enrolled",
            detail={"epoch": epoch, **was},
        )


def _issue(authority: Authority, asked: Enrolment | Renewal, now_ms: int) -> Pair:
    certificate = authority.issue_edge(asked.request.encode(), asked.edge, now_ms)
    media = authority.issue_media(asked.media_request.encode(), media_name(asked.edge), now_ms)
    return Pair(pem_of(certificate).decode(), pem_of(media).decode())


def _keep(conn: Connection, edge: str, issued: Pair, reason: str, now_ms: int) -> None:
    expires_ms = instant_ms(certificates.load(issued.edge.encode()).not_valid_after_utc)
    keys.enrol(
        conn,
        edge,
        public=public_of(issued.edge.encode()),
        certificate=issued.edge + issued.media,
        expires_ms=expires_ms,
        now_ms=now_ms,
        reason=reason,
    )


def _hash(secret: bytes) -> str:
    """The secret is random and long enough that a plain hash hides it."""
    return hashlib.sha256(secret).hexdigest()
