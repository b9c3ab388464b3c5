"""Steps of the wall clock, told from drift."""

import time

import pytest

from edge.clock import StepDetector, SystemClock


@pytest.mark.parametrize(
    ("wall_ms", "step_ms"), [(15_000, 0), (16_900, 0), (17_100, 2_100), (-3_600_000, -3_615_000)]
)
def test_step_is_what_the_wall_ran_beyond_monotonic_time(wall_ms: int, step_ms: int) -> None:
    detector = StepDetector(10_000, 0)
    assert detector.check(wall_ms, 5_000_000_000) == step_ms


def test_step_is_told_once() -> None:
    detector = StepDetector(10_000, 0)
    assert detector.check(70_000, 0) == 60_000
    assert detector.check(75_000, 5_000_000_000) == 0


def test_system_clock_stamps_with_one_boot_and_rising_monotonic_time() -> None:
    clock = SystemClock()
    first, second = clock.stamp(), clock.stamp()
    assert first.boot == second.boot
    assert first.mono <= second.mono
    assert clock.check() == 0


def test_time_runs_on_while_the_machine_sleeps(monkeypatch) -> None:
    an_hour_asleep = {time.CLOCK_MONOTONIC: 60_000_000_000, time.CLOCK_BOOTTIME: 3_660_000_000_000}
    monkeypatch.setattr(time, "clock_gettime_ns", an_hour_asleep.__getitem__)
    monkeypatch.setattr(time, "monotonic_ns", lambda: an_hour_asleep[time.CLOCK_MONOTONIC])
    assert SystemClock().mono_ns() == 3_660_000_000_000
