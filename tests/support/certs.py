"""Certificates for tests: a county's trust folder, and what good and bad edges may come with."""

import ssl
import time
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from central.trust import folder
from central.trust.authority import Authority, new_server_key, pem_of, server_key_pem
from central.trust.broker_files import access_list
from contract.certificates import load
from contract.keys import Signer

DAY_MS = 86_400_000


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def request(signer: Signer, name: str = "edge") -> bytes:
    """A certificate request, PEM, signed by its own key."""
    return _builder(name).sign(signer.key, None).public_bytes(Encoding.PEM)


def media_request(key: ec.EllipticCurvePrivateKey, name: str = "edge") -> bytes:
    return _builder(name).sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


class County:
    """A trust folder as `central trust init` makes it, and identities of its authority or of another."""

    def __init__(self, place: Path, *edges: str) -> None:
        self.place = place
        self.trust = place / "trust"
        self.authority = folder.make(self.trust, list(folder.LOCAL_HOSTS), access_list(edges), now_ms())

    @property
    def ca(self) -> Path:
        return self.trust / "ca.pem"

    def edge(self, name: str, *, at_ms: int | None = None, authority: Authority | None = None) -> Path:
        """Key and certificate in one file; `at_ms`: as if issued then."""
        signer = Signer.new()
        issuer = authority or self.authority
        certificate = issuer.issue_edge(request(signer), name, now_ms() if at_ms is None else at_ms)
        path = self.place / f"{name}-{certificate.serial_number:x}.pem"
        path.write_bytes(signer.pem() + pem_of(certificate))
        return path

    def media(self, name: str) -> Path:
        """A server's key and certificate, good for no client."""
        key = new_server_key()
        certificate = self.authority.issue_server(key.public_key(), [name], now_ms())
        path = self.place / f"{name}.server.pem"
        path.write_bytes(server_key_pem(key) + pem_of(certificate))
        return path

    def central(self) -> Path:
        path = self.place / "central.both.pem"
        path.write_bytes(
            (self.trust / "central.key").read_bytes() + (self.trust / "central.pem").read_bytes()
        )
        return path

    def revoke(self, *identities: Path) -> None:
        """In the broker's list; it must read it again."""
        serials = [(load(path.read_bytes()).serial_number, now_ms()) for path in identities]
        (self.trust / "crl.pem").write_bytes(self.authority.revocation_list(serials, now_ms()))

    def context(self, identity: Path | None, ca: Path | None = None) -> ssl.SSLContext:
        """A client that verifies the server, and shows `identity`."""
        context = ssl.create_default_context(cafile=ca or self.ca)
        if identity is not None:
            context.load_cert_chain(identity)
        return context


def _builder(name: str) -> x509.CertificateSigningRequestBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return x509.CertificateSigningRequestBuilder().subject_name(subject)
