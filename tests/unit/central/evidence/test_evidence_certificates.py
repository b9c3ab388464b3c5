"""Which certificates are believed, and when."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from central.evidence.certificates import authority_fault, fault
from central.trust.authority import Authority, pem_of
from contract.keys import Signer
from tests.support.county import T0
from tests.support.signed_store import request

YEAR_MS = 365 * 86_400_000
COUNTY = Authority.new(T0)
CA = pem_of(COUNTY.certificate)
SIGNER = Signer.new()
EDGE = pem_of(COUNTY.issue_edge(request(SIGNER, "liuxu"), "liuxu", T0))


def self_signed() -> bytes:
    """Somebody's, who is no authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "anybody")])
    now = datetime.fromtimestamp(T0 / 1_000, UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    return pem_of(builder.sign(key, hashes.SHA256()))


def test_the_countys_authority_and_what_it_issued_are_good_at_their_time() -> None:
    assert authority_fault(CA, T0) is None
    assert fault(EDGE, CA, "liuxu", SIGNER.public, T0) is None


@pytest.mark.parametrize(
    ("pem", "at_ms", "words"),
    [
        (self_signed(), T0, "no authority's"),
        (EDGE, T0, "no authority's"),
        (b"-", T0, "no certificate"),
        (CA, T0 - YEAR_MS, "not valid yet"),
        (CA, T0 + 21 * YEAR_MS, "not valid any more"),
    ],
)
def test_what_is_no_authority_is_told(pem: bytes, at_ms: int, words: str) -> None:
    assert words in (authority_fault(pem, at_ms) or "")


@pytest.mark.parametrize(
    ("pem", "authority", "name", "public", "at_ms", "words"),
    [
        (EDGE, pem_of(Authority.new(T0).certificate), "liuxu", SIGNER.public, T0, "not issued by this"),
        (EDGE, CA, "linhu", SIGNER.public, T0, "is liuxu's, not linhu's"),
        (EDGE, CA, "liuxu", Signer.new().public, T0, "for another key"),
        (EDGE, CA, "liuxu", SIGNER.public, T0 - YEAR_MS, "not valid yet"),
        (EDGE, CA, "liuxu", SIGNER.public, T0 + 3 * YEAR_MS, "not valid any more"),
        (CA, CA, "liuxu", SIGNER.public, T0, "no Ed25519 key"),
        (b"-", CA, "liuxu", SIGNER.public, T0, "no certificate"),
    ],
)
def test_what_is_not_the_edges_is_told(
    pem: bytes, authority: bytes, name: str, public: str, at_ms: int, words: str
) -> None:
    assert words in (fault(pem, authority, name, public, at_ms) or "")
