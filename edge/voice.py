"""How this edge speaks and whom it believes: numbers and signs what it says, checks what the centre says.

`session` counts the starts on the journal, `n` what was said since. `instance` is made anew by each process,
so that two machines with one journal give themselves away. Without keys nothing is signed or checked.
"""

import secrets
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from contract.keys import Signer
from contract.messages import (
    Batch,
    Beat,
    Birth,
    CentralStatus,
    Command,
    Live,
    Nak,
    Receipt,
    Status,
    decode,
    encode,
)
from contract.signing import check_signature, sign

Heard = TypeVar("Heard", Receipt, Nak, Command, CentralStatus)


class Keyring(msgspec.Struct, frozen=True):
    """The edge's own key, and the public half of the centre's, hex."""

    signer: Signer
    central_public: str


class Voice:
    """One process's voice."""

    def __init__(self, session: int, keys: Keyring | None = None) -> None:
        self.session = session
        self.instance = secrets.token_hex(16)
        self._keys = keys
        self._n = 0

    def say(self, message: Batch | Live | Beat | Birth) -> bytes:
        """The message on its way: numbered, signed, as bytes."""
        self._n += 1
        numbered = replace(message, session=self.session, n=self._n)
        return encode(sign(numbered, self._keys.signer) if self._keys else numbered)

    def say_status(self, status: Status) -> bytes:
        """A status has no number: the broker may tell it long after it was given."""
        return encode(sign(status, self._keys.signer) if self._keys else status)

    def hear(self, kind: type[Heard], raw: bytes) -> Heard:
        """A message of the centre. Raises ContractError, also where the centre did not sign it."""
        message = decode(kind, raw)
        if self._keys is not None:
            check_signature(message, self._keys.central_public)
        return message
