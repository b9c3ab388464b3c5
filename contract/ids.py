"""Identifiers: their types, and the alphabets that make them safe in topics, file names and logs."""

import re
from typing import Annotated, NewType

from msgspec import Meta

EdgeId = NewType("EdgeId", str)
PointId = NewType("PointId", str)
Epoch = NewType("Epoch", int)
Seq = NewType("Seq", int)

# `$` would let a line end stand behind the name.
EDGE_ID_PATTERN = r"^[a-z0-9][a-z0-9-]{0,31}\Z"
POINT_ID_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,63}\Z"

EdgeIdText = Annotated[str, Meta(pattern=EDGE_ID_PATTERN)]
PointIdText = Annotated[str, Meta(pattern=POINT_ID_PATTERN)]
HashText = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
"""A SHA-256 in lower-case hex."""
EpochNumber = Annotated[int, Meta(ge=1, lt=2**53)]
SeqNumber = Annotated[int, Meta(ge=0, lt=2**53)]

_EDGE_ID = re.compile(EDGE_ID_PATTERN)


def is_edge_id(text: str) -> bool:
    return _EDGE_ID.match(text) is not None
