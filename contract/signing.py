"""What a signature covers, and the one way to make and to check it.

    sig = Ed25519("casewatch/1" ‖ 0 ‖ kind ‖ 0 ‖ canonical JSON of the message without its signature)

A batch is signed without its rows: its head stands for each of them, so that the signed text of a batch is
a checkpoint that can be kept and shown long after the batch itself.
"""

from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Raw
from msgspec.structs import replace

from contract import PROTOCOL_VERSION, messages
from contract.errors import BadSignature, Unsigned
from contract.keys import Signer, is_signed
from contract.messages import AnyMessage, Batch

M = TypeVar("M", bound=AnyMessage)


def signed_text(message: AnyMessage) -> bytes:
    """The bytes that a message's signature covers."""
    bare: dict[str, Any] = {"sig": "", "rows": []} if isinstance(message, Batch) else {"sig": ""}
    kind = type(message).__name__
    return f"casewatch/{PROTOCOL_VERSION}\0{kind}\0".encode() + messages.canonical(replace(message, **bare))


def sign(message: M, signer: Signer) -> M:
    """The same message with a signature."""
    return replace(message, sig=signer.sign(signed_text(message)))


def check_signature(message: AnyMessage, public: str) -> None:
    """Raises Unsigned or BadSignature."""
    who = getattr(message, "edge", "central")
    if not message.sig:
        raise Unsigned(f"{type(message).__name__} of {who} has no signature")
    if not is_signed(public, signed_text(message), message.sig):
        raise BadSignature(f"{type(message).__name__} of {who} was not signed by its key")


class Header(Batch, frozen=True, kw_only=True):
    """What is left of a batch without its rows: no message, but what a checkpoint's text says."""

    rows: Annotated[list[Raw], Meta(max_length=0)]


def checkpoint_of(text: bytes) -> Header:
    """The batch header that a kept checkpoint's text tells of. Raises BadSignature."""
    head = f"casewatch/{PROTOCOL_VERSION}\0Batch\0".encode()
    if not text.startswith(head):
        raise BadSignature("not the text of a batch")
    try:
        return msgspec.json.decode(text[len(head) :], type=Header)
    except msgspec.DecodeError as error:
        raise BadSignature(f"not the text of a batch: {error}") from error
