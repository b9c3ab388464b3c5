"""The acceptance sheet: what was walked, by whom, when, with what result, signed by this box's own key.

The signature (Ed25519) is over the canonical JSON of `acceptance`: keys sorted, no spaces, UTF-8. It says
that nobody changed the sheet since; that the key is this station's, the key printed on paper says.
"""

import os
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta

from edge.errors import SheetFault
from edge.technician.commissioning import Result, Trial

KEY_NAME = "commission.key"
SHEET_MAX_BYTES = 4 * 2**20
KeyHex = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
SignatureHex = Annotated[str, Meta(pattern="^[0-9a-f]{128}$")]


class Acceptance(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is signed. Times are wall ms."""

    format: Literal[1] = 1
    edge: str
    by: Annotated[str, Meta(min_length=1, max_length=80)]
    began_at: int
    ended_at: int
    version: str
    settings: str
    simulated: bool
    not_walked: tuple[str, ...]
    """Points that are not part of the walk: cameras and modems."""
    points: list[Trial]
    public_key: KeyHex

    def count(self, result: Result) -> int:
        return sum(trial.result is result for trial in self.points)


class Sheet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file."""

    acceptance: Acceptance
    signature: SignatureHex


_canonical = msgspec.json.Encoder(order="sorted")


def sign(acceptance: Acceptance, key: Ed25519PrivateKey) -> Sheet:
    return Sheet(acceptance, key.sign(_canonical.encode(acceptance)).hex())


def verify(path: Path) -> Sheet:
    """A sheet as it was signed. Raises SheetFault."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SheetFault(f"{path}: {error.strerror}") from error
    if len(raw) > SHEET_MAX_BYTES:
        raise SheetFault(f"{path}: {len(raw)} bytes are no acceptance sheet")
    try:
        sheet = msgspec.json.decode(raw, type=Sheet)
    except msgspec.DecodeError as error:
        raise SheetFault(f"{path}: is no acceptance sheet: {error}") from error
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(sheet.acceptance.public_key))
    try:
        key.verify(bytes.fromhex(sheet.signature), _canonical.encode(sheet.acceptance))
    except InvalidSignature:
        raise SheetFault(f"{path}: was changed after it was signed: accept nothing by it") from None
    return sheet


def write(sheet: Sheet, path: Path) -> None:
    """The file, for machines and for `verify`."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(sheet), indent=2) + b"\n")


def public_hex(key: Ed25519PrivateKey) -> str:
    raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
    return key.public_key().public_bytes(*raw).hex()


def load_key(data_dir: Path) -> Ed25519PrivateKey:
    """The box's key for sheets, made at its first use, its owner's alone. Raises SheetFault, OSError."""
    path = data_dir / KEY_NAME
    data_dir.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read_key(path)
    made = Ed25519PrivateKey.generate()
    with os.fdopen(descriptor, "wb") as file:
        file.write(
            made.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        file.flush()
        os.fsync(file.fileno())
    return made


def _read_key(path: Path) -> Ed25519PrivateKey:
    if path.stat().st_mode & 0o077:
        raise SheetFault(f"{path} may be read by others: what it signed proves nothing; remove it, walk anew")
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError) as error:
        raise SheetFault(f"{path} is no key: {error}; remove it, a new one is made") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SheetFault(f"{path} is a key of another kind; remove it, a new one is made")
    return key
