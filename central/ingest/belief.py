"""Whom a group of messages is believed from: each must be signed by a key that speaks for its edge now."""

from sqlalchemy import Connection

from central.ingest.admission import UpMessage
from central.trust import keys
from central.trust.keys import EdgeKey
from contract.errors import BadSignature, NotEnrolled, Revoked, Unsigned
from contract.keys import is_signed
from contract.signing import signed_text


class Belief:
    """One group's: it reads each edge's keys once, and never remembers them longer."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._keys: dict[str, list[EdgeKey]] = {}

    def check(self, message: UpMessage, now_ms: int) -> str:
        """The key that signed, hex; older ones end with its first word.

        Raises NotEnrolled, Unsigned, Revoked, BadSignature.
        """
        edge = message.edge
        if edge not in self._keys:
            self._keys[edge] = keys.keys_of(self._conn, edge)
        known = self._keys[edge]
        if not known:
            raise NotEnrolled(f"edge {edge} has no key: casewatch central enrol {edge}")
        if not message.sig:
            raise Unsigned(f"{type(message).__name__} of {edge} has no signature")
        text = signed_text(message)
        signer = next((key for key in known if is_signed(key.public, text, message.sig)), None)
        if signer is None:
            raise BadSignature(f"{type(message).__name__} of {edge} was signed by no key of it")
        if not signer.is_good:
            raise Revoked(f"{type(message).__name__} of {edge} was signed by a key that is {signer.state}")
        if any(key.is_good and key.id < signer.id for key in known):
            keys.supersede_others(self._conn, edge, signer.public, now_ms)
            del self._keys[edge]
        return signer.public
