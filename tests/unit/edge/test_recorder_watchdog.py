"""When a camera's process is ended, and when its picture is lost."""

from edge.recorder.watchdog import (
    BACKOFF_CAP_S,
    LOST_TICKS,
    PACKET_PATIENCE_TICKS,
    START_PATIENCE_TICKS,
    Watchdog,
)


def ticked(watchdog: Watchdog, ticks: int) -> Watchdog:
    for _ in range(ticks):
        watchdog.tick()
    return watchdog


def playing() -> Watchdog:
    watchdog = Watchdog()
    watchdog.started()
    watchdog.arrived(is_decodable=True)
    return watchdog


def test_process_without_packets_for_its_patience_is_hung():
    watchdog = ticked(playing(), PACKET_PATIENCE_TICKS - 1)
    assert not watchdog.is_hung
    watchdog.tick()
    assert watchdog.is_hung


def test_starting_process_is_given_longer():
    watchdog = playing()
    watchdog.started()
    assert not ticked(watchdog, START_PATIENCE_TICKS - 1).is_hung
    assert ticked(watchdog, 1).is_hung


def test_nothing_is_counted_before_the_first_process():
    watchdog = ticked(Watchdog(), 1_000)
    assert not watchdog.is_hung
    assert not watchdog.is_lost


def test_picture_is_lost_through_any_number_of_restarts():
    watchdog = playing()
    for _ in range(LOST_TICKS - 1):
        watchdog.started()
        watchdog.tick()
    assert not watchdog.is_lost
    assert ticked(watchdog, 1).is_lost


def test_packets_that_give_no_picture_keep_the_process_but_not_the_picture():
    watchdog = playing()
    for _ in range(LOST_TICKS):
        watchdog.tick()
        watchdog.arrived(is_decodable=False)
    assert not watchdog.is_hung
    assert watchdog.is_lost


def test_loss_is_said_once_a_second():
    watchdog = ticked(playing(), LOST_TICKS - 1)
    said = []
    for _ in range(8):
        watchdog.tick()
        said.append(watchdog.is_lost_due)
    assert said == [True, False, False, False, True, False, False, False]


def test_backoff_doubles_to_its_cap_and_a_picture_ends_it():
    watchdog = Watchdog()
    waits = [watchdog.ended(jitter=1.0) for _ in range(8)]
    assert waits[:4] == [0.1, 0.2, 0.4, 0.8]
    assert waits[-1] == BACKOFF_CAP_S
    watchdog.arrived(is_decodable=True)
    assert watchdog.ended(jitter=0.0) == 0.05
