"""Who this edge is: `<data_dir>/identity/`, made by `casewatch edge enrol`, its owner's alone.

    edge.pem      its Ed25519 key and the certificate of it: signs what it says, opens the broker
    media.pem     a P-256 key and certificate for the server of its pictures
    ca.pem        the county's authority
    central.pem   the centre's certificate: whose word is believed
    centre        host:port of the centre, for the renewal

Key and certificate stand in one file, so that no moment has one without the other.
"""

import os
import shutil
import ssl
import stat
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from contract.certificates import CENTRAL_NAME, common_name, instant_ms, load, public_of
from contract.errors import BadKey
from contract.keys import Signer
from edge.errors import IdentityFault, KeyExposed
from edge.voice import Keyring

FOLDER = "identity"
_NO_CHECK_TIME = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which Python has no name for."""


class Credentials:
    """What an enrolled edge has."""

    def __init__(self, folder: Path, keys: Keyring) -> None:
        self.folder = folder
        self.keys = keys

    def client_context(self) -> ssl.SSLContext:
        """For the broker. Made anew for each connection, so that renewed files are used. Raises OSError."""
        context = ssl.create_default_context(cafile=self.folder / "ca.pem")
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.folder / "edge.pem")
        if is_clock_beside_itself((self.folder / "edge.pem").read_bytes(), time.time_ns() // 1_000_000):
            context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
        return context

    def media_context(self) -> ssl.SSLContext:
        """For the server of the pictures: whoever comes must be of this county. Raises OSError."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.folder / "media.pem")
        context.load_verify_locations(self.folder / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        return context


def load_identity(data_dir: Path, edge: str) -> Credentials | None:
    """None where it was never enrolled. Raises IdentityFault, KeyExposed."""
    folder = data_dir / FOLDER
    own = folder / "edge.pem"
    if not own.exists():
        return None
    try:
        pem = read_own_secret(own)
        read_own_secret(folder / "media.pem")
        signer, certificate = Signer.from_pem(pem), load(pem)
        central = (folder / "central.pem").read_bytes()
        if public_of(pem) != signer.public or common_name(certificate) != edge:
            raise IdentityFault(f"{folder} is not an identity of {edge}: enrol it again")
        if common_name(load(central)) != CENTRAL_NAME:
            raise IdentityFault(f"{folder}/central.pem is not the centre's certificate: enrol again")
        return Credentials(folder, Keyring(signer, public_of(central)))
    except (OSError, BadKey) as error:
        raise IdentityFault(f"{folder}: {error}: enrol again") from error


def keep_identity(data_dir: Path, files: Mapping[str, bytes]) -> None:
    """All of a new identity in the place of the old one. A cut between the two leaves none: enrolling again
    with the same code then gives the same one. Raises OSError.
    """
    folder = data_dir / FOLDER
    fresh, old = folder.with_name(f".{FOLDER}.new"), folder.with_name(f".{FOLDER}.old")
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh.mkdir(mode=0o700, parents=True)
    for name, content in files.items():
        write_own_secret(fresh / name, content)
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def is_clock_beside_itself(own_certificate: bytes, now_ms: int) -> bool:
    """A clock outside the span of our own certificate is wrong, as after a start without its battery, or the
    certificate is over, which the broker judges. Then we judge no other certificate by that clock: whose
    it is, is still checked.
    """
    own = load(own_certificate)
    return not instant_ms(own.not_valid_before_utc) <= now_ms <= instant_ms(own.not_valid_after_utc)


def read_own_secret(path: Path) -> bytes:
    """Raises KeyExposed, OSError."""
    mode = path.stat().st_mode
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyExposed(f"{path} can be read by others ({stat.S_IMODE(mode):04o}): chmod 600 {path}")
    return path.read_bytes()


def refuse_exposed(files: Iterable[str]) -> None:
    """Passwords and tokens may be a group's, never everybody's. Raises KeyExposed."""
    for name in files:
        path = Path(name)
        if path.exists() and (mode := path.stat().st_mode) & stat.S_IRWXO:
            raise KeyExposed(f"{path} can be read by everybody ({stat.S_IMODE(mode):04o}): chmod 640 {path}")


def write_own_secret(path: Path, content: bytes) -> None:
    """Durable on return."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
