"""How much picture a viewer was really shown."""

from hypothesis import given
from hypothesis import strategies as st

from central.video.presented import GAP_MAX_MS, SENT_KEPT, PresentedTime


def shown(frames: list[tuple[int, int]], drawn: list[int]) -> int:
    presented = PresentedTime()
    for seq, camera_ms in frames:
        presented.sent(seq, camera_ms)
    for seq in drawn:
        presented.presented(seq)
    return presented.total_ms


FIVE_A_SECOND = [(seq, 10_000 + 200 * seq) for seq in range(1, 31)]


def test_time_between_drawn_pictures_adds_up():
    assert shown(FIVE_A_SECOND, list(range(1, 31))) == 29 * 200


def test_skipped_pictures_still_count_up_to_a_second():
    assert shown(FIVE_A_SECOND, [1, 6, 11]) == 2_000
    assert shown(FIVE_A_SECOND, [1, 7, 12]) == 1_000


def test_one_picture_alone_is_no_time():
    assert shown(FIVE_A_SECOND, [1]) == 0


def test_picture_that_was_never_sent_counts_for_nothing():
    assert shown(FIVE_A_SECOND, [1, 99, 2]) == 200


def test_same_picture_twice_counts_once():
    assert shown(FIVE_A_SECOND, [1, 2, 2, 2]) == 200


def test_step_of_the_cameras_clock_counts_for_nothing():
    assert shown([(1, 1_000), (2, 90_000), (3, 90_200), (4, 1_400), (5, 1_600)], [1, 2, 3, 4, 5]) == 400


def test_only_the_newest_pictures_are_remembered():
    frames = [(seq, seq * 100) for seq in range(SENT_KEPT + 2)]
    assert shown(frames, [0, 1, 2, 3]) == 100


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 10_000)), max_size=40), st.lists(st.integers(0, 20))
)
def test_total_never_exceeds_a_second_for_each_picture_drawn(frames: list[tuple[int, int]], drawn: list[int]):
    assert 0 <= shown(frames, drawn) <= GAP_MAX_MS * len(drawn)
