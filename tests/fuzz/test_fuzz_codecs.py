"""A bounded share of the fuzzing: `script/fuzz` plays the same properties a million times."""

import functools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz import properties

JUDGE_MAX_S = 0.001
INPUTS = st.tuples(st.integers(0, 63), st.integers(0, 5), st.binary(max_size=300))


@functools.cache
def target(name: str) -> properties.Target:
    return properties.target(name)


@pytest.mark.parametrize("name", properties.names())
@settings(max_examples=300, deadline=None, derandomize=True)
@given(INPUTS)
def test_any_bytes_bring_typed_errors_and_the_next_sound_reply_is_understood(
    name: str, given_bytes: tuple[int, int, bytes]
) -> None:
    place, how, rest = given_bytes
    target(name).feed(bytes([place, how]) + rest)


@pytest.mark.parametrize("name", properties.names())
@settings(max_examples=40, deadline=None, derandomize=True)
@given(INPUTS)
def test_four_kilobytes_are_judged_within_a_millisecond(
    name: str, given_bytes: tuple[int, int, bytes]
) -> None:
    """Once in fifty will do, so that a busy machine is not blamed."""
    place, how, rest = given_bytes
    data = bytes([place, how]) + rest
    assert any(target(name).judge_s(data) <= JUDGE_MAX_S for _ in range(50))
