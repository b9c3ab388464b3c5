"""How an edge gets its certificates from the centre, over HTTPS: `enrol` by a code, `renew` by its key.

The keys are made here and never leave. Until an answer has come they wait in `identity.pending`, so that a
request whose answer was lost is made again with the same ones, and answered in the same way.
"""

import http.client
import shutil
import ssl
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from contract.certificates import CENTRAL_NAME, common_name, fingerprint, load, media_name, public_of
from contract.enrolment import CA_PATH, ENROLMENTS_PATH, RENEWALS_PATH, Code, Enrolment, Issued, Renewal
from contract.errors import BadKey
from contract.keys import Signer
from edge.errors import CentreMistrusted, EnrolmentFailed, EnrolmentRefused
from edge.identity import Credentials, keep_identity, read_own_secret, write_own_secret
from edge.voice import Keyring

PENDING = "identity.pending"
WEB_CA = "web-ca.pem"
PATIENCE_S = 15.0
ANSWER_MAX_BYTES = 64 * 1024
_REFUSALS = {400, 401, 403, 404, 409, 415, 422}
"""Answers that another try with the same words will not change."""


class Centre:
    """The centre's address as a technician wrote it, `host:port`."""

    def __init__(self, address: str) -> None:
        """Raises EnrolmentFailed."""
        self.address = address
        host, _, port = address.rpartition(":")
        self._host, self._port = host.strip("[]"), port
        if not self._host or not port.isdecimal() or not 0 < int(port) < 65_536:
            raise EnrolmentFailed(f"{address}: write host:port, as in a browser's address")

    def certificate(self) -> bytes:
        """The county's certificate, from whoever answers there: not to be believed before it is compared."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return self._ask("GET", CA_PATH, None, context)

    def post(self, path: str, body: Enrolment | Renewal, ca: bytes, others: Path | None) -> Issued:
        """To nobody but who `ca` vouches for, or whom the authorities of the file `others` do.

        Raises EnrolmentFailed.
        """
        context = ssl.create_default_context(cadata=ca.decode())
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if others is not None:
            context.load_verify_locations(others)
        answer = self._ask("POST", path, msgspec.json.encode(body), context)
        try:
            return msgspec.json.decode(answer, type=Issued)
        except msgspec.DecodeError as error:
            raise EnrolmentFailed(f"{self.address}: not the answer of a centre") from error

    def _ask(self, method: str, path: str, body: bytes | None, context: ssl.SSLContext) -> bytes:
        headers = {"Content-Type": "application/json", "Origin": f"https://{self.address}"}
        line = http.client.HTTPSConnection(self._host, int(self._port), timeout=PATIENCE_S, context=context)
        try:
            line.request(method, path, body, headers)
            answer = line.getresponse()
            text = answer.read(ANSWER_MAX_BYTES)
        except ssl.SSLCertVerificationError as error:
            raise CentreMistrusted(
                f"{self.address}: {error.verify_message}; the centre is reached by another name or shows a "
                "certificate of another authority: casewatch central trust renew --host NAME, or --web-ca"
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise EnrolmentFailed(f"{self.address}: {error or type(error).__name__}") from error
        finally:
            line.close()
        if answer.status in _REFUSALS:
            raise EnrolmentRefused(f"{self.address} refuses: {_said(text)}")
        if answer.status != http.client.OK:
            raise EnrolmentFailed(f"{self.address} cannot now: {_said(text)}")
        return text


class Keys:
    """The two keys of one identity, on their way to their certificates."""

    def __init__(self, signer: Signer, media: ec.EllipticCurvePrivateKey) -> None:
        self.signer = signer
        self._media = media

    @classmethod
    def pending(cls, data_dir: Path) -> "Keys":
        """Those of a request that was not answered, else new ones, kept before they are used. OSError."""
        own, media = data_dir / PENDING / "edge.key", data_dir / PENDING / "media.key"
        if own.exists() and media.exists():
            key = load_pem_private_key(read_own_secret(media), password=None)
            assert isinstance(key, ec.EllipticCurvePrivateKey)
            return cls(Signer.from_pem(read_own_secret(own)), key)
        keys = cls(Signer.new(), ec.generate_private_key(ec.SECP256R1()))
        own.parent.mkdir(mode=0o700, exist_ok=True)
        write_own_secret(media, keys.media_pem())
        write_own_secret(own, keys.signer.pem())
        return keys

    def media_pem(self) -> bytes:
        return self._media.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def requests(self, edge: str) -> dict[str, str]:
        """Signed, each by its key."""
        own = _request(edge).sign(self.signer.key, None)
        media = _request(media_name(edge)).sign(self._media, hashes.SHA256())
        return {
            "request": own.public_bytes(Encoding.PEM).decode(),
            "media_request": media.public_bytes(Encoding.PEM).decode(),
        }


class Errand:
    """One edge's errand at the centre. `others`: a file of authorities of the board, beside the county's."""

    def __init__(self, data_dir: Path, edge: str, centre: Centre, others: Path | None = None) -> None:
        self._data_dir = data_dir
        self._edge = edge
        self._centre = centre
        self._others = others

    def meet(self, code: Code) -> bytes:
        """The county's certificate, from the centre that the code names.

        Raises CentreMistrusted, EnrolmentFailed.
        """
        ca = self._centre.certificate()
        if not code.names(fingerprint(_certificate(ca, self._centre))):
            raise CentreMistrusted(
                f"{self._centre.address} is not the centre that this code is from, or the code was mistyped: "
                "nothing was said to it"
            )
        return ca

    def enrol(self, code: Code, epoch: int, seq: int) -> Keyring:
        """Become known. Raises CentreMistrusted, EnrolmentFailed, KeyExposed, OSError."""
        ca = self.meet(code)
        keys = Keys.pending(self._data_dir)
        words = keys.requests(self._edge)
        asked = Enrolment(edge=self._edge, secret=code.secret.hex(), epoch=epoch, seq=seq, **words)
        return self._send(ENROLMENTS_PATH, asked, keys, ca)

    def renew(self, held: Credentials) -> Keyring:
        """Another key, asked for with the present one. Raises as `enrol`."""
        ca = (held.folder / "ca.pem").read_bytes()
        keys = Keys.pending(self._data_dir)
        asked = Renewal(edge=self._edge, key=held.keys.signer.public, **keys.requests(self._edge))
        signed = msgspec.structs.replace(asked, sig=held.keys.signer.sign(asked.signed_text()))
        return self._send(RENEWALS_PATH, signed, keys, ca)

    def _send(self, path: str, asked: Enrolment | Renewal, keys: Keys, ca: bytes) -> Keyring:
        """Keys that were refused are of no use any more; those without an answer may be known already."""
        try:
            issued = self._centre.post(path, asked, ca, self._others)
        except EnrolmentRefused:
            shutil.rmtree(self._data_dir / PENDING, ignore_errors=True)
            raise
        return self._keep(keys, issued, ca)

    def _keep(self, keys: Keys, issued: Issued, ca: bytes) -> Keyring:
        """Look whether this is what was asked for, and keep it. Raises CentreMistrusted, OSError."""
        centre, edge = self._centre, self._edge
        authority = _certificate(ca, centre)
        own, media, central = (
            _certificate(text.encode(), centre)
            for text in (issued.certificate, issued.media_certificate, issued.central)
        )
        try:
            for certificate in (own, media, central):
                certificate.verify_directly_issued_by(authority)
            is_ours = public_of(issued.certificate.encode()) == keys.signer.public
            central_public = public_of(issued.central.encode())
        except (ValueError, TypeError, InvalidSignature, BadKey) as error:
            raise CentreMistrusted(
                f"{centre.address}: certificates that its authority did not issue"
            ) from error
        if not is_ours or common_name(own) != edge or common_name(central) != CENTRAL_NAME:
            raise CentreMistrusted(f"{centre.address}: certificates for somebody else")
        files = {
            "edge.pem": keys.signer.pem() + issued.certificate.encode(),
            "media.pem": keys.media_pem() + issued.media_certificate.encode(),
            "ca.pem": ca,
            "central.pem": issued.central.encode(),
            "centre": f"{centre.address}\n".encode(),
        }
        if self._others is not None:
            files[WEB_CA] = self._others.read_bytes()
        keep_identity(self._data_dir, files)
        shutil.rmtree(self._data_dir / PENDING, ignore_errors=True)
        return Keyring(keys.signer, central_public)


def renew(data_dir: Path, edge: str, held: Credentials) -> Keyring:
    """At the centre where it was enrolled. Raises CentreMistrusted, EnrolmentFailed, KeyExposed, OSError."""
    centre = Centre((held.folder / "centre").read_text().strip())
    others = held.folder / WEB_CA
    return Errand(data_dir, edge, centre, others if others.exists() else None).renew(held)


def _certificate(pem: bytes, centre: Centre) -> x509.Certificate:
    try:
        return load(pem)
    except BadKey as error:
        raise EnrolmentFailed(f"{centre.address}: not the answer of a centre: {error}") from error


def _request(name: str) -> x509.CertificateSigningRequestBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return x509.CertificateSigningRequestBuilder().subject_name(subject)


class _Refusal(msgspec.Struct):
    code: str
    message: str


def _said(text: bytes) -> str:
    try:
        refusal = msgspec.json.decode(text, type=_Refusal)
    except msgspec.DecodeError:
        return "it does not say why"
    return f"{refusal.message[:200]} ({refusal.code[:64]})"
