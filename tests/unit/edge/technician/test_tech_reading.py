"""`read` judges a point as the agent would, and keeps a tally."""

from contract.points import Clock
from device_drivers.bus import Exchange
from device_drivers.driver import Fault, Observation, Read
from device_drivers.errors import DeviceRefused, DriverError, NoReply
from edge.clock import Stamp
from edge.schedule import Poll, PollClass
from edge.settings import PointSettings
from edge.technician.reading import Watch
from edge.technician.turns import Turn

POINT = PointSettings(id="liuxu.int1.door", type="door", device="io1", channel="di:0")
POLL = Poll("io1", Read("inputs", 1, ("di:0", "di:1"), 8, 6), PollClass.SECURITY, 100_000_000)
EXCHANGE = Exchange(0, 1, b"\x01\x02", b"\x03", "", 4_200_000)


def turn(*sights: Observation, error: DriverError | None = None) -> Turn:
    return Turn(POLL, None if error else list(sights), error, [EXCHANGE], 0)


def stamp(at: int = 1) -> Stamp:
    return Stamp(at, at, "boot", Clock.FREE)


def test_a_reading_has_value_quality_counter_frames_and_time() -> None:
    sample, _ = Watch(POINT).take(turn(Observation("di:0", True, 7), Observation("di:1", False, 9)), stamp())
    assert (sample.value, sample.quality, sample.counter) == ("open", "good", 7)
    assert (sample.frames, sample.round_trip_ms) == ([("01 02", "03")], 4.2)


def test_an_inverted_point_is_told_as_the_agent_would() -> None:
    inverted = PointSettings(id="a.door", type="door", device="io1", channel="di:0", inverted=True)
    assert Watch(inverted).take(turn(Observation("di:0", True)), stamp())[0].value == "closed"


def test_changes_are_those_the_agent_would_write() -> None:
    watch = Watch(POINT)
    kinds = []
    for active, counter in ((False, 1), (False, 1), (True, 2), (False, 2), (False, 4)):
        _, changes = watch.take(turn(Observation("di:0", active, counter)), stamp())
        kinds += [change.kind for change in changes]
    assert kinds == ["point.baseline", "door.open", "door.closed", "point.pulse"]


def test_a_fault_of_the_line_is_its_quality() -> None:
    sample, _ = Watch(POINT).take(turn(Observation("di:0", False, fault=Fault.LINE_OPEN)), stamp())
    assert (sample.quality, sample.error) == ("line_open", "")


def test_a_miss_keeps_the_value_and_says_what_it_is_worth() -> None:
    watch = Watch(POINT)
    watch.take(turn(Observation("di:0", True)), stamp())
    sample, changes = watch.take(turn(error=NoReply("nothing came")), stamp())
    assert (sample.value, sample.quality, sample.error) == ("open", "comm_fail", "driver.no_reply")
    assert [change.kind for change in changes] == ["point.quality"]
    assert watch.take(turn(error=DeviceRefused("exception 2")), stamp())[0].quality == "device_error"


def test_the_summary_counts_reads_misses_and_changes() -> None:
    watch = Watch(POINT)
    for active in (False, True, False):
        watch.take(turn(Observation("di:0", active)), stamp())
    watch.take(turn(error=NoReply("nothing")), stamp())
    summary = watch.summary()
    assert (summary.reads, summary.misses, summary.errors) == (4, 1, {"driver.no_reply": 1})
    assert summary.changes == 4
    assert summary.round_trip_p99_ms == 4.2


def test_a_watch_without_a_reading_has_a_summary_too() -> None:
    assert Watch(POINT).summary().round_trip_max_ms == 0.0
