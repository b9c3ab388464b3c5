"""How a new edge and the centre come to know each other: the code, and what is said over HTTPS. Pure.

    XXXX-XXXX-XXXX-XXXX-YYYY-YYYY-YYYY-YYYY     letters and digits of base 32

X is a secret of 80 random bits, used once; the centre keeps its hash. Y is the beginning (80 bits) of the
SHA-256 of the county's certificate. The edge first fetches that certificate from whoever answers, and goes
on only if it is the one that Y names; then it speaks TLS with nobody that the certificate does not vouch
for, and says X to him. So one code, carried by a person, lets each side trust the other at first sight.
"""

import base64
import binascii
import hmac
import secrets
from typing import Annotated

import msgspec
from msgspec import Meta

from contract import PROTOCOL_VERSION
from contract.errors import Malformed
from contract.ids import EdgeIdText, EpochNumber, SeqNumber

SECRET_BYTES = 10
FINGERPRINT_BYTES = 10
_GROUP = 4

CA_PATH = "/api/v1/trust/ca"
ENROLMENTS_PATH = "/api/v1/trust/enrolments"
RENEWALS_PATH = "/api/v1/trust/renewals"

Pem = Annotated[str, Meta(max_length=4_096)]


class Code(msgspec.Struct, frozen=True):
    """`fingerprint`: the first bytes of the SHA-256 of the county's certificate."""

    secret: bytes
    fingerprint: bytes

    @classmethod
    def new(cls, ca_fingerprint: bytes) -> "Code":
        return cls(secrets.token_bytes(SECRET_BYTES), ca_fingerprint[:FINGERPRINT_BYTES])

    @classmethod
    def read(cls, text: str) -> "Code":
        """As a person typed it: case, spaces and hyphens do not matter. Raises Malformed."""
        letters = "".join(text.upper().replace("-", " ").split())
        try:
            raw = base64.b32decode(letters)
        except (binascii.Error, ValueError) as error:
            raise Malformed("no enrolment code: eight groups of four letters and digits 2 to 7") from error
        if len(raw) != SECRET_BYTES + FINGERPRINT_BYTES:
            raise Malformed(f"no enrolment code: {len(letters)} letters and digits where 32 are needed")
        return cls(raw[:SECRET_BYTES], raw[SECRET_BYTES:])

    def __str__(self) -> str:
        letters = base64.b32encode(self.secret + self.fingerprint).decode()
        return "-".join(letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP))

    def __repr__(self) -> str:
        return "Code(…)"

    def names(self, ca_fingerprint: bytes) -> bool:
        """Whether this is the authority that the code was made by."""
        return hmac.compare_digest(self.fingerprint, ca_fingerprint[:FINGERPRINT_BYTES])


class _Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`request`: PKCS 10 for the edge's Ed25519 key. `media_request`: for the P-256 key of its pictures."""

    edge: EdgeIdText
    request: Pem
    media_request: Pem


class Enrolment(_Request, frozen=True, kw_only=True):
    """`secret`: the code's first half, hex. `epoch` and `seq`: the journal that will speak, and its head."""

    secret: Annotated[str, Meta(pattern=rf"^[0-9a-f]{{{2 * SECRET_BYTES}}}\Z")]
    epoch: EpochNumber
    seq: SeqNumber


class Renewal(_Request, frozen=True, kw_only=True):
    """`key`: the key so far (public, hex), which signs (`sig`) that the new ones are to follow it."""

    key: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    sig: Annotated[str, Meta(max_length=128)] = ""

    def signed_text(self) -> bytes:
        bare = msgspec.structs.replace(self, sig="")
        head = f"casewatch/{PROTOCOL_VERSION}\0Renewal\0".encode()
        return head + msgspec.json.encode(bare, order="sorted")


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to both, all PEM: the edge's two certificates, the county's, the centre's."""

    certificate: Pem
    media_certificate: Pem
    ca: Pem
    central: Pem
