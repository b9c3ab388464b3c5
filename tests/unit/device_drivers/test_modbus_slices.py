"""How a module is cut into turns: nothing unused is read, no turn keeps the line longer than it may."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers import registry
from device_drivers.bus import wire_time_ms
from device_drivers.modbus.modbus_di import ModbusDi
from device_drivers.modbus.profile import Counters, Level, Profile
from device_drivers.modbus.slices import Line, Slice, Span, input_slices, used_range
from device_drivers.site import Site

MOXA = Profile(
    model="moxa",
    inputs=16,
    level=Level(function=4, address=0x30),
    counters=Counters(address=0x10, word_order="high_first"),
)
ADAM = Profile(
    model="adam",
    inputs=12,
    level=Level(function=1, address=0),
    counters=Counters(address=0, function=3, word_order="low_first"),
)
LARGE = Profile(
    model="large",
    inputs=128,
    level=Level(function=2, address=0),
    counters=Counters(address=0x100, function=4, word_order="high_first"),
)
RTU_BYTES = 3


def slices(profile: Profile, baud: int = 0, max_slice_ms: float = 100.0, used=None) -> list[Slice]:
    return input_slices(
        profile, used or (0, profile.inputs - 1), Line(RTU_BYTES, baud=baud, max_slice_ms=max_slice_ms)
    )


def test_level_and_counters_of_one_function_near_each_other_are_one_request() -> None:
    assert slices(MOXA) == [Slice(0, 15, Span(4, 0x10, 33))]


def test_counters_of_another_function_stand_between_two_readings_of_the_level() -> None:
    (part,) = slices(ADAM)
    assert part.spans == (Span(1, 0, 12), Span(3, 0, 24), Span(1, 0, 12))


def test_counters_too_far_for_one_frame_stand_between_two_readings_of_the_level() -> None:
    far = Profile(
        model="far",
        inputs=16,
        level=Level(function=4, address=0x200),
        counters=Counters(address=0x10, bits=16),
    )
    (part,) = slices(far)
    assert part.spans == (Span(4, 0x200, 1), Span(4, 0x10, 16), Span(4, 0x200, 1))


def test_only_what_lies_between_the_lowest_and_the_highest_used_channel_is_read() -> None:
    (part,) = slices(ADAM, used=(3, 5))
    assert part.spans == (Span(1, 3, 3), Span(3, 6, 6), Span(1, 3, 3))
    assert slices(MOXA, used=(14, 15)) == [Slice(14, 15, Span(4, 0x2C, 5))]


@pytest.mark.parametrize(
    ("channels", "used"),
    [
        ((), (0, 11)),
        (("di:7", "di:4"), (4, 7)),
        (("di:4", "di:12"), (0, 11)),
        (("lock:1",), (0, 11)),
    ],
)
def test_the_used_range_is_all_where_a_channel_is_not_there(channels, used) -> None:
    assert used_range("di", 12, channels) == used


def test_a_module_that_would_keep_a_slow_line_too_long_is_cut() -> None:
    parts = slices(ADAM, baud=9600)
    assert len(parts) > 1
    assert len(slices(ADAM, baud=115200)) == 1


def test_what_fits_into_the_slice_is_not_cut() -> None:
    assert len(slices(MOXA, baud=9600, max_slice_ms=99)) == 1
    assert len(slices(MOXA, baud=9600, max_slice_ms=98)) > 1


def test_no_request_asks_for_more_words_than_the_protocol_has_even_without_a_speed() -> None:
    parts = slices(LARGE)
    assert [part.last for part in parts] == [61, 123, 127]
    assert max(span.count for part in parts for span in part.spans) <= 125


def test_a_line_too_slow_for_one_channel_gets_the_cheapest_turns() -> None:
    parts = slices(ADAM, baud=1200, max_slice_ms=20)
    assert [(part.first, part.last) for part in parts] == [(n, n) for n in range(12)]


@given(
    profile=st.sampled_from([MOXA, ADAM, LARGE]),
    baud=st.sampled_from([1200, 9600, 19200, 115200]),
    max_slice_ms=st.floats(20, 400),
    data=st.data(),
)
def test_slices_cover_each_used_channel_once_within_the_time_if_one_channel_is(
    profile, baud, max_slice_ms, data
) -> None:
    first = data.draw(st.integers(0, profile.inputs - 1))
    last = data.draw(st.integers(first, profile.inputs - 1))
    channels = (f"di:{first}", f"di:{last}")
    driver = ModbusDi(profile, 1, "rtu", channels=channels, baud=baud, max_slice_ms=max_slice_ms)
    reads = driver.reads()
    assert [c for read in reads for c in read.channels] == [f"di:{n}" for n in range(first, last + 1)]
    assert len({read.name for read in reads}) == len(reads)
    for read in reads:
        assert wire_time_ms(read, baud) <= max_slice_ms or len(read.channels) == 1 or is_stuck(profile, read)


def is_stuck(profile: Profile, read) -> bool:
    """One frame that holds the counters and a level behind them costs the same for fewer channels."""
    return profile is MOXA and read.exchanges == 1


def test_the_driver_of_a_site_keeps_to_its_line_and_its_points(tmp_path) -> None:
    path = tmp_path / "adam.toml"
    path.write_text(
        'model = "adam"\ninputs = 12\n[level]\nfunction = 1\naddress = 0\n'
        '[counters]\nfunction = 3\naddress = 0\nword_order = "low_first"\n'
    )
    site = Site(bus_kind="modbus_rtu", baud=9600, max_slice_ms=100, channels=("di:2", "di:9"), profile=path)
    reads = registry.build("modbus_di", site).reads()
    assert len(reads) > 1
    assert (reads[0].channels[0], reads[-1].channels[-1]) == ("di:2", "di:9")
