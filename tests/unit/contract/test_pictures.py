"""Pictures on the wire: header and JPEG ride together; anything else is refused by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import ContractError
from contract.pictures import (
    NoPicture,
    PictureHeader,
    decode_header,
    decode_no_picture,
    encode_no_picture,
    encode_picture,
)


def test_a_picture_is_length_header_and_jpeg() -> None:
    raw = encode_picture(PictureHeader(7, 11, 13), b"\xff\xd8...")
    assert raw[:4] == len(raw[4:-5]).to_bytes(4, "big")
    assert raw.endswith(b"\xff\xd8...")
    assert decode_header(raw) == PictureHeader(7, 11, 13)


def test_the_absence_of_a_picture_is_said() -> None:
    text = '{"type":"no_picture","code":"camera.lost","since_ms":5}'
    assert decode_no_picture(text) == NoPicture("camera.lost", 5)
    assert encode_no_picture(NoPicture("camera.lost", 5)) == text


@given(st.binary(max_size=80))
def test_other_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(ContractError):
        decode_header(raw)


@pytest.mark.parametrize("raw", [b"\0\0\xff\xff{}", b'\0\0\0\x0a{"seq":"1"}', b"\0\0\0\x02\xff\xff"])
def test_broken_headers_are_refused(raw: bytes) -> None:
    with pytest.raises(ContractError):
        decode_header(raw)


@pytest.mark.parametrize("text", ["", "[]", '{"type":"other"}', "[" * 100_000])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ContractError):
        decode_no_picture(text)
