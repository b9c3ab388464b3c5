"""Certificates as a county's authority, or somebody who would like to be one, may make them."""

import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from central.trust.authority import Authority

Key = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
DAY_MS = 86_400_000


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def authority_of(trust: Path) -> Authority:
    return Authority.from_pem((trust / "ca.pem").read_bytes(), (trust / "ca.key").read_bytes())


def client_pem(authority: Authority, name: str, at_ms: int | None = None) -> bytes:
    """Key and certificate of a client, issued at an instant: its two years begin there."""
    key = ed25519.Ed25519PrivateKey.generate()
    at = now_ms() if at_ms is None else at_ms
    issued = authority._issue(name, key.public_key(), ExtendedKeyUsageOID.CLIENT_AUTH, (), at)
    return _text(key) + issued.public_bytes(Encoding.PEM)


def server_pem(authority: Authority, hosts: list[str], at_ms: int | None = None) -> tuple[bytes, bytes]:
    """Key and certificate of a server, apart as mosquitto wants them."""
    key = ec.generate_private_key(ec.SECP256R1())
    issued = authority.issue_server(key.public_key(), hosts, now_ms() if at_ms is None else at_ms)
    return _text(key), issued.public_bytes(Encoding.PEM)


def self_signed_pem(name: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return _text(key) + _plain(name, key, key)


def weak_pem(authority: Authority, name: str) -> bytes:
    """Signed by the county's authority itself, for an RSA key of 1,024 bits."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=1_024)
    return _text(key) + _plain(name, key, authority._key, authority.certificate.subject)


def client_context(ca_file: Path, pem: bytes | None, folder: Path) -> ssl.SSLContext:
    """Believes that authority; shows that certificate. Raises ssl.SSLError for one that no TLS takes."""
    context = ssl.create_default_context(cafile=ca_file)
    if pem is not None:
        file = folder / "shown.pem"
        file.write_bytes(pem)
        context.load_cert_chain(file)
    return context


def _plain(name: str, key: Key, signer: Key, issuer: x509.Name | None = None) -> bytes:
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(issuer or own)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
    )
    return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM)


def _text(key: Key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
