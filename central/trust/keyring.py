"""What the centre holds of the trust: its own key, the county's certificate, and where they lie.

`<data_dir>/trust/` is its owner's alone (0700). The key of the authority is read only where something is
issued; a centre that only runs needs it for enrolments and renewals.
"""

import ssl
from pathlib import Path

from central.trust.authority import Authority
from central.trust.broker_files import REVOCATION_LIST
from central.trust.errors import NoTrust
from central.trust.files import read_secret_bytes
from central.trust.keys import days_left
from contract.certificates import instant_ms, load, public_of
from contract.keys import Signer

FOLDER = "trust"
OWN = ("ca.pem", "central.pem", "server.pem", "broker.pem")


class Keyring:
    """`signer` signs receipts, naks, commands and the status; `ca_pem` is public."""

    def __init__(self, folder: Path, signer: Signer, ca_pem: bytes, central_pem: bytes) -> None:
        self.folder = folder
        self.signer = signer
        self.ca_pem = ca_pem
        self.central_pem = central_pem

    @classmethod
    def load(cls, data_dir: Path) -> "Keyring":
        """Raises NoTrust, KeyExposed, BadKey, OSError."""
        folder = data_dir / FOLDER
        if not (folder / "central.key").exists():
            raise NoTrust(f"{folder}: no keys here: casewatch central trust init makes them")
        signer = Signer.from_pem(read_secret_bytes(folder / "central.key"))
        central_pem = (folder / "central.pem").read_bytes()
        if public_of(central_pem) != signer.public:
            raise NoTrust(f"{folder}: central.pem is not the certificate of central.key")
        return cls(folder, signer, (folder / "ca.pem").read_bytes(), central_pem)

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.pem"

    def authority(self) -> Authority:
        """Read anew each time: its key is in memory only while something is issued. KeyExposed, OSError."""
        return Authority.from_pem(self.ca_pem, read_secret_bytes(self.folder / "ca.key"))

    def own_ends(self, now_ms: int) -> list[tuple[str, int]]:
        """The centre's own certificates that end within 1, 7 or 30 days (`keys.days_left`), by file."""
        ends = ((name, instant_ms(load(self._read(name)).not_valid_after_utc)) for name in OWN)
        warned = ((name, days_left(ends_ms, now_ms)) for name, ends_ms in ends)
        return [(name, days) for name, days in warned if days is not None]

    def _read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def client_context(self) -> ssl.SSLContext:
        """For the centre's connections to broker and media servers. Made anew for each, so that a renewed
        certificate is used from the next one on. Raises OSError.
        """
        context = ssl.create_default_context(cafile=self.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_verify_locations(self.folder / REVOCATION_LIST)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        context.load_cert_chain(self.folder / "central.pem", self.folder / "central.key")
        return context
