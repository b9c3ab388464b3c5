"""Ed25519 keys: one an edge, one the centre. Pure: keys come in as bytes and go out as bytes.

An edge's key signs what it says, and is the key of its TLS certificate. A key is named by its public half,
in hex.
"""

from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from contract.errors import BadKey

KEYS_REMEMBERED = 1_024


class Signer:
    """A private key, which never leaves it but as `pem`."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = key.public_key().public_bytes_raw().hex()

    @classmethod
    def new(cls) -> "Signer":
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_pem(cls, pem: bytes) -> "Signer":
        """Raises BadKey."""
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError) as error:
            raise BadKey(f"no private key: {error}") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise BadKey("not an Ed25519 key")
        return cls(key)

    @property
    def key(self) -> Ed25519PrivateKey:
        """For the certificate request and the TLS context, which sign with it too."""
        return self._key

    def pem(self) -> bytes:
        """PKCS 8, not encrypted: for a file that its owner alone can read."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def sign(self, text: bytes) -> str:
        """Hex."""
        return self._key.sign(text).hex()


def is_signed(public: str, text: bytes, signature: str) -> bool:
    """Whether the owner of `public` signed `text`. False for whatever is no key or no signature."""
    try:
        _public_key(public).verify(bytes.fromhex(signature), text)
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(KEYS_REMEMBERED)
def _public_key(public: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
