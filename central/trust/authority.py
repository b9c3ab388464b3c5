"""The county's authority: who may call himself what. Pure: keys and `now_ms` in, certificates out.

Its own key and those of servers are ECDSA P-256, because browsers verify nothing newer; edges and the centre
have Ed25519 keys (docs/adr/0006-one-key-an-edge.md). Each certificate is good for one use: a client's opens
no server, a server's is no client. All begin a day early, for clocks that are a little behind.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from central.trust.errors import BadRequest
from contract.certificates import CENTRAL_NAME
from contract.errors import BadKey
from contract.ids import is_edge_id

AUTHORITY_DAYS = 20 * 365
CERTIFICATE_DAYS = 2 * 365
EARLY = timedelta(days=1)

ServerKey = ec.EllipticCurvePrivateKey
PublicKey = Ed25519PublicKey | ec.EllipticCurvePublicKey


class Authority:
    """One county's. What it signed is known by `certificate`, and by nothing else."""

    def __init__(self, certificate: x509.Certificate, key: ServerKey) -> None:
        self.certificate = certificate
        self._key = key

    @classmethod
    def new(cls, now_ms: int) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("Casewatch county authority")
        now = _instant(now_ms)
        usage = _key_usage(digital_signature=False, key_cert_sign=True, crl_sign=True)
        certificate = (
            _builder(name, name, key.public_key(), now, AUTHORITY_DAYS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate, key)

    @classmethod
    def from_pem(cls, certificate: bytes, key: bytes) -> "Authority":
        """Raises BadKey."""
        return cls(x509.load_pem_x509_certificate(certificate), server_key_from_pem(key))

    def key_pem(self) -> bytes:
        """For a file that its owner alone can read."""
        return server_key_pem(self._key)

    def issue_edge(self, request: bytes, edge: str, now_ms: int) -> x509.Certificate:
        """A client's certificate for the edge's Ed25519 key. Raises BadRequest."""
        key = _requested(request)
        if not isinstance(key, Ed25519PublicKey):
            raise BadRequest("an edge's key is an Ed25519 key")
        if not is_edge_id(edge) or edge == CENTRAL_NAME:
            raise BadRequest(f"no edge can be called {edge[:64]}")
        return self._issue(edge, key, ExtendedKeyUsageOID.CLIENT_AUTH, (), now_ms)

    def issue_central(self, key: Ed25519PublicKey, now_ms: int) -> x509.Certificate:
        """The centre's own: it signs with this key, and is the broker's client with it."""
        return self._issue(CENTRAL_NAME, key, ExtendedKeyUsageOID.CLIENT_AUTH, (), now_ms)

    def issue_server(
        self, key: ec.EllipticCurvePublicKey, hosts: Sequence[str], now_ms: int
    ) -> x509.Certificate:
        """A server's, good for these names and addresses."""
        return self._issue(hosts[0], key, ExtendedKeyUsageOID.SERVER_AUTH, hosts, now_ms)

    def issue_media(self, request: bytes, name: str, now_ms: int) -> x509.Certificate:
        """For the server of an edge's pictures. Raises BadRequest."""
        key = _requested(request)
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            raise BadRequest("a server's key is a P-256 key")
        return self.issue_server(key, [name], now_ms)

    def revocation_list(self, revoked: Iterable[tuple[int, int]], now_ms: int) -> bytes:
        """PEM, of (serial, since ms). It lasts as long as the authority: an old list must not lock out the
        county, and the broker reads it from this machine's own disk.
        """
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(_instant(now_ms) - EARLY)
            .next_update(self.certificate.not_valid_after_utc)
        )
        for serial, since_ms in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(_instant(since_ms))
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def _issue(
        self, name: str, key: PublicKey, use: x509.ObjectIdentifier, hosts: Sequence[str], now_ms: int
    ) -> x509.Certificate:
        issuer = self.certificate.subject
        builder = (
            _builder(_name(name), issuer, key, _instant(now_ms), CERTIFICATE_DAYS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )
        if hosts:
            alternatives = x509.SubjectAlternativeName([_alternative(host) for host in hosts])
            builder = builder.add_extension(alternatives, critical=False)
        return builder.sign(self._key, hashes.SHA256())


def new_server_key() -> ServerKey:
    return ec.generate_private_key(ec.SECP256R1())


def server_key_pem(key: ServerKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def server_key_from_pem(pem: bytes) -> ServerKey:
    """Raises BadKey."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise BadKey(f"no private key: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise BadKey("not a P-256 key")
    return key


def pem_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def _requested(request: bytes) -> object:
    """The key that a request is for; its signature shows that who asks has the other half."""
    try:
        asked = x509.load_pem_x509_csr(request)
        key = asked.public_key()
        is_sound = asked.is_signature_valid
    except (ValueError, TypeError, InvalidSignature) as error:
        raise BadRequest(f"no certificate request: {error}") from error
    if not is_sound:
        raise BadRequest("the request is not signed by its own key")
    return key


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PublicKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLY)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(
    *, digital_signature: bool, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _instant(ms: int) -> datetime:
    return datetime.fromtimestamp(ms // 1_000, UTC)
