"""Text of short messages (3GPP TS 23.038): 7-bit default alphabet where it has every letter, else UCS2. Pure.

A message that is too long for one is cut into parts of up to 153 septets or 67 UCS2 units; neither an escaped
letter nor a surrogate pair is cut in two.
"""

from collections.abc import Iterable, Sequence

from device_drivers.errors import BadFrame

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
ESCAPE = 0x1B
_EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
_SEPTETS: dict[str, tuple[int, ...]] = {
    letter: (code,) for code, letter in enumerate(_BASIC) if code != ESCAPE
}
_SEPTETS |= {letter: (ESCAPE, code) for code, letter in _EXTENSION.items()}

SEPTETS_ONE = 160
SEPTETS_PART = 153
UNITS_ONE = 70
UNITS_PART = 67


def is_gsm7(text: str) -> bool:
    """Whether the 7-bit alphabet has every letter of the text."""
    return all(letter in _SEPTETS for letter in text)


def split(text: str) -> list[str]:
    """The text in as few parts as carry it; at least one."""
    if is_gsm7(text):
        sizes = [len(_SEPTETS[letter]) for letter in text]
        one, part = SEPTETS_ONE, SEPTETS_PART
    else:
        sizes = [len(letter.encode("utf-16-be")) // 2 for letter in text]
        one, part = UNITS_ONE, UNITS_PART
    if sum(sizes) <= one:
        return [text]
    parts, begun, room = [], 0, part
    for at, size in enumerate(sizes):
        if size > room:
            parts.append(text[begun:at])
            begun, room = at, part
        room -= size
    return [*parts, text[begun:]]


def septets(text: str) -> list[int]:
    """The 7-bit codes of a text that `is_gsm7`."""
    return [code for letter in text for code in _SEPTETS[letter]]


def text_of(codes: Iterable[int]) -> str:
    """The text of 7-bit codes; an escape before an unknown code is a space, as the standard has it."""
    letters, is_escaped = [], False
    for code in codes:
        if is_escaped:
            letters.append(_EXTENSION.get(code, " "))
            is_escaped = False
        elif code == ESCAPE:
            is_escaped = True
        else:
            letters.append(_BASIC[code])
    return "".join(letters)


def pack(codes: Sequence[int], skipped_bits: int = 0) -> bytes:
    """Seven bits each, lowest first, after `skipped_bits` of filling."""
    bits = sum(code << (skipped_bits + 7 * at) for at, code in enumerate(codes))
    return bits.to_bytes((skipped_bits + 7 * len(codes) + 7) // 8, "little")


def unpack(packed: bytes, count: int, skipped_bits: int = 0) -> list[int]:
    """`count` codes from their packed form. Raises BadFrame: there are not so many."""
    if len(packed) * 8 < skipped_bits + 7 * count:
        raise BadFrame(f"{len(packed)} bytes are less than {count} septets")
    bits = int.from_bytes(packed, "little") >> skipped_bits
    return [bits >> 7 * at & 0x7F for at in range(count)]
