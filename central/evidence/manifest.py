"""The manifest of an evidence package, pure: what is in it, who made it, when and why.

`manifest.json` is canonical JSON, and `manifest.sig` the 64 bytes of the centre's Ed25519 signature over
exactly these bytes: openssl checks it as well as we do.
"""

import hashlib
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from contract.errors import Malformed

FORMAT: Final = "casewatch-evidence/1"
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
DATABASE, PAGE, AUTHORITY, CENTRE = "evidence.db", "index.html", "ca.pem", "central.pem"
CONTENTS = (DATABASE, PAGE, AUTHORITY, CENTRE)
MANIFEST_MAX_BYTES = 64 * 1_024


class FileSum(Struct, frozen=True, forbid_unknown_fields=True):
    """`sha256` hex."""

    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    bytes: Annotated[int, Meta(ge=0)]


class Manifest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    format: Literal["casewatch-evidence/1"] = FORMAT
    alert: int
    station: str
    room: str
    exported_ms: int
    exported_by: str
    reason: str
    software: str
    files: dict[str, FileSum]


_encoder = msgspec.json.Encoder(order="sorted")


def encode(manifest: Manifest) -> bytes:
    """The bytes that are signed, and lie in the package."""
    return _encoder.encode(manifest)


def decode(raw: bytes) -> Manifest:
    """Raises Malformed."""
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"{MANIFEST}: {error}") from error
    if set(manifest.files) != set(CONTENTS):
        raise Malformed(f"{MANIFEST} names {', '.join(sorted(manifest.files))}, not {', '.join(CONTENTS)}")
    return manifest


def sum_of(file: Path) -> FileSum:
    with file.open("rb") as opened:
        return FileSum(hashlib.file_digest(opened, "sha256").hexdigest(), file.stat().st_size)
