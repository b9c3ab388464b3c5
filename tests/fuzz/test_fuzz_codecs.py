"""A bounded share of the fuzzing: `script/fuzz` plays the same properties a million times."""

import functools
import random
from collections import deque

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_drivers.driver import Answer, Driver, Read
from device_drivers.errors import BadFrame
from tests.fuzz import properties
from tests.support.driver_cases import DriverCase
from tests.support.model_driver import MODEL_CASE, ModelDriver

JUDGE_MAX_S = 0.001
WORDS = sorted({word for name in properties.names() for word in properties.words(name)})
CONTENT = st.binary(max_size=300) | st.lists(st.sampled_from(WORDS) | st.binary(max_size=2), max_size=8).map(
    b"".join
)
INPUTS = st.tuples(st.integers(0, 63), st.integers(0, 5), CONTENT)


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
def test_four_kilobytes_are_judged_within_a_millisecond(name: str) -> None:
    """Once in fifty will do, so that a busy machine is not blamed."""
    chance = random.Random(1)
    for _ in range(60):
        data = chance.randbytes(chance.randrange(2, 40))
        assert any(target(name).judge_s(data) <= JUDGE_MAX_S for _ in range(50)), data.hex()


class FallsOver(ModelDriver):
    """A state it has never heard of."""

    def answer(self, read: Read, state: int) -> Answer:
        if state > 1:
            raise KeyError(state)
        return super().answer(read, state)


class NeverRecovers(ModelDriver):
    """Once it has heard nonsense it believes nothing any more."""

    is_offended = False

    def decode(self, read: Read, reply: bytes) -> Answer:
        try:
            answer = super().decode(read, reply)
        except BadFrame:
            self.is_offended = True
            raise
        if self.is_offended:
            raise BadFrame("nonsense was heard")
        return answer


@pytest.mark.parametrize(("driver", "fault"), [(FallsOver, KeyError), (NeverRecovers, AssertionError)])
def test_the_properties_find_a_planted_bug(driver: type[ModelDriver], fault: type[Exception]) -> None:
    class Case(DriverCase, frozen=True):
        def driver(self, unit: int | None = None) -> Driver:
            return driver(unit or self.site.unit)

    near = properties.NearEnd(Case(**msgspec.structs.asdict(MODEL_CASE)))
    chance = random.Random(2)
    inputs = [bytes([n % 64, n % 6]) + chance.randbytes(6) for n in range(500)]
    with pytest.raises(fault):
        deque(map(near.feed, inputs))
