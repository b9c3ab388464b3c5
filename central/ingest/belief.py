"""Whom a group of messages is believed from: each must be signed by a key that speaks for its edge now, and
say what only a peer without keys may leave out.
"""

from sqlalchemy import Connection

from central.ingest.admission import UpMessage
from central.trust import keys
from central.trust.keys import EdgeKey
from contract.errors import BadSignature, Malformed, NotEnrolled, Revoked, Superseded, Unsigned
from contract.keys import is_signed
from contract.messages import Batch, Beat, Birth
from contract.signing import signed_text

KEYS_TRIED_MAX = 8
"""Of one edge: a signature costs so many looks at most, however often the edge was enrolled."""


class Belief:
    """One group's: it reads each edge's keys once, and never remembers them longer."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._keys: dict[str, list[EdgeKey]] = {}
        self.has_ended_key = False
        """A new key has spoken, and the one before it is over."""

    def check(self, message: UpMessage, now_ms: int) -> str:
        """The key that signed, hex; older ones end with its first word.

        Raises NotEnrolled, Unsigned, Revoked, Superseded, BadSignature, Malformed.
        """
        edge = message.edge
        if edge not in self._keys:
            every = keys.keys_of(self._conn, edge)
            self._keys[edge] = sorted(every, key=lambda key: not key.is_good)[:KEYS_TRIED_MAX]
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
            over = Revoked if signer.revoked_ms else Superseded
            raise over(f"{type(message).__name__} of {edge} was signed by a key that is {signer.state}")
        _check_whole(message)
        if any(key.is_good and key.id < signer.id for key in known):
            self.has_ended_key |= keys.supersede_others(self._conn, edge, signer.public, now_ms)
            del self._keys[edge]
        return signer.public


def _check_whole(message: UpMessage) -> None:
    """Without its instance a copy would not be told from the true machine, without its last row a batch's
    header would be no checkpoint. Raises Malformed.
    """
    if isinstance(message, Birth | Beat) and not message.instance:
        raise Malformed(f"{type(message).__name__} of {message.edge} does not say of which process")
    if isinstance(message, Batch) and message.last != message.first + len(message.rows) - 1:
        raise Malformed(f"batch {message.edge}/{message.epoch}/{message.first} does not say its last row")
