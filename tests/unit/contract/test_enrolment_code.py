"""The code that a person carries from the centre to an edge."""

import pytest

from contract.enrolment import Code
from contract.errors import Malformed

FINGERPRINT = bytes(range(32))


def test_a_code_is_read_as_it_was_written_whatever_a_person_makes_of_it() -> None:
    code = Code.new(FINGERPRINT)
    text = str(code)
    assert [len(group) for group in text.split("-")] == [4] * 8
    for typed in (text, text.lower(), text.replace("-", " "), f"  {text}\n", text.replace("-", "")):
        assert Code.read(typed) == code


def test_a_code_names_one_authority() -> None:
    code = Code.read(str(Code.new(FINGERPRINT)))
    assert code.names(FINGERPRINT)
    assert not code.names(bytes(32))
    assert not code.names(FINGERPRINT[:9] + b"\xff" + FINGERPRINT[10:])


def test_no_two_codes_are_alike_and_none_shows_in_a_log() -> None:
    codes = [Code.new(FINGERPRINT) for _ in range(100)]
    assert len({code.secret for code in codes}) == 100
    assert codes[0].secret.hex() not in repr(codes[0])
    assert str(codes[0]) not in repr([codes[0]])


@pytest.mark.parametrize("text", ["", "AAAA", "A" * 31, "A" * 33, "A" * 40, "1" * 32, "é" * 32, "=" * 32])
def test_what_is_no_code_is_told_so(text: str) -> None:
    with pytest.raises(Malformed):
        Code.read(text)
