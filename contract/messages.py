"""The messages of each topic, and the one way to turn them into bytes and back.

Rows ride as `msgspec.Raw`: the very bytes that were hashed, neither parsed nor re-encoded on the way.
`sig` is made and checked by `signing`; it is empty only where both sides run without keys. What came after
version 1 of the wire has a default, so that a peer one version behind is still read.
"""

from enum import StrEnum
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Raw

from contract import chain, limits
from contract.errors import ChainBroken, Malformed, TooLarge
from contract.ids import EdgeIdText, EpochNumber, HashText, PointIdText, SeqNumber
from contract.points import Clock, PointType, Quality
from contract.rows import WITHOUT_NUL, Data, Text

Signature = Annotated[str, Meta(pattern=WITHOUT_NUL, max_length=128)]
Millis = Annotated[int, Meta(ge=0, lt=2**53)]
Count = Annotated[int, Meta(ge=0, lt=2**53)]
Instance = Annotated[str, Meta(pattern=r"^[0-9a-f]{0,32}\Z")]


class _Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    edge: EdgeIdText
    sig: Signature = ""


class _Numbered(_Message, frozen=True, kw_only=True):
    """What an edge says. `session` counts the starts on its journal, `n` its messages since: a later one
    has the greater pair, whatever the network did.
    """

    epoch: EpochNumber
    session: Count = 0
    n: Count = 0

    @property
    def place(self) -> tuple[int, int]:
        return self.session, self.n


class Batch(_Numbered, frozen=True, kw_only=True):
    """`up/log`: rows `first` … `last` in order. `prev` is the hash before them, `head` the one after."""

    first: Annotated[int, Meta(ge=1, lt=2**53)]
    last: SeqNumber = 0
    """0 in version 1 of the wire."""
    prev: HashText
    head: HashText
    rows: Annotated[list[Raw], Meta(min_length=1, max_length=limits.BATCH_MAX_ROWS)]


class Live(_Numbered, frozen=True, kw_only=True):
    """`up/live`: one security row ahead of the backlog. `prev` is the hash before it."""

    prev: HashText
    head: HashText
    row: Raw


class Receipt(_Message, frozen=True):
    """`down/receipt`: every row up to and with `seq` is committed. Only this lets an edge forget."""

    epoch: EpochNumber
    seq: SeqNumber
    hash: HashText
    at: Millis


class Nak(_Message, frozen=True):
    """`down/nak`: send rows `first`… again; `last` is the newest seen out of order, 0 if unknown."""

    epoch: EpochNumber
    first: SeqNumber
    last: SeqNumber
    reason: Text
    at: Millis = 0
    """By the centre's clock, as in a receipt: which of the two was said last."""


class Beat(_Numbered, frozen=True, kw_only=True):
    """`up/beat`: I live, this is my head, this is a digest of all my points (`points.state_digest`)."""

    seq: SeqNumber
    hash: HashText
    digest: HashText
    clock: Clock
    at: Millis
    queued: Count
    """Rows that no receipt covers yet."""
    instance: Instance = ""
    beat: Count = 0
    """Counts the beats of a start, from any number on: what a command's time is counted from."""
    forked: bool = False
    """The centre receipted a row that is not ours: one of us has another past."""


class PointState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`value` is empty until the point has been read once; `since`: wall time of its last change, ms."""

    id: PointIdText
    type: PointType
    value: Annotated[str, Meta(pattern=WITHOUT_NUL, max_length=32)]
    quality: Quality
    since: Millis


class Mode(StrEnum):
    SIMULATED = "simulated"
    MAINTENANCE = "maintenance"
    INSECURE = "insecure"
    """No keys: whoever reaches the broker can speak for this edge."""


class Birth(_Numbered, frozen=True, kw_only=True):
    """`up/birth`: who I am, what I watch, how it stands; at each connect and when the centre returns."""

    boot: Text
    software: Text
    config: HashText
    seq: SeqNumber
    hash: HashText
    clock: Clock
    at: Millis
    points: Annotated[list[PointState], Meta(max_length=limits.BIRTH_MAX_POINTS)]
    instance: Instance = ""
    """Made anew at each start of the process: two of them at a time are two machines."""
    base: SeqNumber = 0
    """The newest row that is gone from the journal: what is asked for must come after it."""
    base_hash: HashText | None = None
    modes: Annotated[list[Mode], Meta(max_length=8)] = []
    receipted: Receipt | None = None
    """The newest that the edge holds: the centre's own word, should its store once be an older one."""


class Status(_Message, frozen=True):
    """`up/status`, retained. A will of an older `session` than the newest birth says nothing."""

    state: Literal["online", "offline"]
    session: Count
    at: Millis
    reason: Literal["", "stop", "will"] = ""
    """Of `offline`: said in parting, or told by the broker when the connection was lost."""


class Action(StrEnum):
    OPEN_SLOT = "open_slot"
    REREAD = "reread"
    SEND_MESSAGE = "send_message"
    MAINTAIN = "maintain"
    """`args`: `permission`, `for_s`."""
    END_MAINTENANCE = "end_maintenance"


class Command(_Message, frozen=True):
    """`down/command`: do this once, and write down what came of it.

    It is meant for one `session` of the edge and ends `valid_s` after that edge sent its beat number
    `beat`, by the edge's own monotonic clock: no wall clock makes it last longer, no replay makes it young.
    """

    id: Annotated[str, Meta(pattern=r"^[0-9a-z-]{1,36}\Z")]
    action: Action
    point: PointIdText | None
    args: Data
    session: Count
    beat: Count
    valid_s: Annotated[int, Meta(ge=1, le=limits.COMMAND_VALID_MAX_S)]


class CentralStatus(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`central/status`, retained. `instance` changes at each start of the centre."""

    state: Literal["online", "offline"]
    instance: Text
    at: Millis
    sig: Signature = ""


AnyMessage = Batch | Live | Receipt | Nak | Beat | Birth | Status | Command | CentralStatus
M = TypeVar("M", Batch, Live, Receipt, Nak, Beat, Birth, Status, Command, CentralStatus)

_encoder = msgspec.json.Encoder(order="sorted")
_decoders = {
    kind: msgspec.json.Decoder(kind)
    for kind in (Batch, Live, Receipt, Nak, Beat, Birth, Status, Command, CentralStatus)
}


def canonical(message: AnyMessage) -> bytes:
    """Canonical JSON, whatever its length: what a signature covers."""
    return _encoder.encode(message)


def encode(message: AnyMessage) -> bytes:
    """Bytes of a message. Raises TooLarge where a reader would refuse them."""
    raw = _encoder.encode(message)
    if len(raw) > size_limit(type(message)):
        raise TooLarge(f"{type(message).__name__}: {len(raw)} bytes")
    return raw


def decode(kind: type[M], raw: bytes) -> M:
    """A message of the expected kind. Raises TooLarge before parsing, Malformed after."""
    if len(raw) > size_limit(kind):
        raise TooLarge(f"{kind.__name__}: {len(raw)} bytes, limit {size_limit(kind)}")
    try:
        message = _decoders[kind].decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"{kind.__name__}: {error}") from error
    assert isinstance(message, kind)
    return message


def size_limit(kind: type[AnyMessage]) -> int:
    """Most bytes a message of this kind may have: a batch's rows, and room for its envelope."""
    return limits.MESSAGE_MAX_BYTES if kind is Birth else limits.BATCH_MAX_BYTES + 1_024


def batch_hashes(batch: Batch) -> list[bytes]:
    """The hash after each row of a batch. Raises ChainBroken where they do not lead to its head."""
    hashes = list(chain.links(bytes.fromhex(batch.prev), (bytes(row) for row in batch.rows)))
    if hashes[-1].hex() != batch.head:
        raise ChainBroken(f"batch {batch.edge}/{batch.epoch}/{batch.first}: rows do not hash to its head")
    return hashes


def live_hash(live: Live) -> bytes:
    """The hash after a live row. Raises ChainBroken where it is not the head it claims."""
    head = chain.link(bytes.fromhex(live.prev), bytes(live.row))
    if head.hex() != live.head:
        raise ChainBroken(f"live {live.edge}/{live.epoch}: row does not hash to its head")
    return head
