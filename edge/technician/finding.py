"""What the doctor says of one thing: a verdict, what was seen, and what to do about it."""

from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    OK = "ok"
    DOUBTFUL = "doubtful"
    FAULT = "fault"


class Finding(msgspec.Struct, frozen=True):
    """`area` is what was looked at, `mend` is empty where nothing is to be done."""

    area: str
    verdict: Verdict
    text: str
    mend: str = ""
