"""What both sides read in certificates: whose key, whose name, until when. Pure."""

from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509.oid import NameOID

from contract.errors import BadKey
from contract.ids import EdgeId

CENTRAL_NAME = "central"
"""The common name of the centre's certificate: no edge may have it."""


def load(pem: bytes) -> x509.Certificate:
    """The first certificate of a PEM text. Raises BadKey."""
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise BadKey(f"no certificate: {error}") from error


def public_of(pem: bytes) -> str:
    """The Ed25519 key of a certificate, as signatures name it: hex. Raises BadKey."""
    key = load(pem).public_key()
    if not isinstance(key, Ed25519PublicKey):
        raise BadKey("the certificate's key is no Ed25519 key")
    return key.public_bytes_raw().hex()


def common_name(certificate: x509.Certificate) -> str:
    """Empty where it has none."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def fingerprint(certificate: x509.Certificate) -> bytes:
    """SHA-256 of the certificate itself: 32 bytes."""
    return certificate.fingerprint(hashes.SHA256())


def media_name(edge: EdgeId | str) -> str:
    """The name in an edge's media certificate: its identity, which no renumbering of addresses changes."""
    return f"{edge}.edge.casewatch"


def instant_ms(instant: datetime) -> int:
    """Wall ms of one of a certificate's two ends."""
    return int(instant.timestamp()) * 1_000
