"""Picture health, on drawn pictures and with time passed in."""

import cv2
import numpy as np
import pytest

from device_drivers.camera.picture import (
    HEIGHT,
    LEARNING_PICTURES,
    WIDTH,
    Measures,
    PictureJudge,
    Verdict,
    edges_left,
    learn,
    look,
    measure,
)


def room(light: float = 1.0, *, person_at: int | None = None) -> np.ndarray:
    grey = np.full((HEIGHT, WIDTH), 180, np.uint8)
    grey[180:] = 120
    for left in (40, 160, 300, 390):
        cv2.rectangle(grey, (left, 90), (left + 50, 170), 60, -1)
        cv2.rectangle(grey, (left + 8, 100), (left + 30, 150), 220, 2)
    if person_at is not None:
        cv2.ellipse(grey, (person_at, 150), (25, 60), 0, 0, 360, 90, -1)
    noisy = grey + np.random.default_rng(1).normal(0, 2, grey.shape)
    return np.clip(noisy * light, 0, 255).astype(np.uint8)


def cloth() -> np.ndarray:
    return np.random.default_rng(2).normal(28, 0.4, (HEIGHT, WIDTH)).astype(np.uint8)


def with_clock(grey: np.ndarray) -> np.ndarray:
    written = grey.copy()
    cv2.putText(written, "2016-07-23 08:00:00", (4, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 255, 1)
    return written


@pytest.fixture
def reference() -> Measures:
    return learn([measure(room(person_at=at)) for at in (None, 100, 240, None, None)])


@pytest.mark.parametrize("light", [0.4, 0.7, 1.0, 1.25])
@pytest.mark.parametrize("person_at", [None, 60, 240, 400])
def test_room_in_any_usual_light_with_anybody_in_it_is_ok(
    reference: Measures, light: float, person_at: int | None
):
    assert look(measure(room(light, person_at=person_at)), reference) is Verdict.OK


def test_cloth_is_covered_with_and_without_a_reference(reference: Measures):
    seen = measure(with_clock(cloth()))
    assert look(seen, reference) is Verdict.COVERED
    assert look(seen, None) is Verdict.COVERED


def test_light_off_is_dark_and_not_covered(reference: Measures):
    seen = measure(with_clock(room(0.05)))
    assert look(seen, reference) is Verdict.DARK
    assert look(seen, None) is Verdict.DARK


def test_half_a_room_behind_a_sheet_is_covered(reference: Measures):
    grey = room()
    grey[:, : WIDTH * 7 // 10] = 150
    seen = measure(grey)
    assert edges_left(seen, reference) < 0.4
    assert look(seen, reference) is Verdict.COVERED


def test_smeared_lens_is_covered(reference: Measures):
    assert look(measure(cv2.GaussianBlur(room(), (0, 0), 8)), reference) is Verdict.COVERED


def test_clock_written_on_the_picture_changes_no_measure():
    assert measure(with_clock(room())) == measure(room())


def judged(judge: PictureJudge, grey: np.ndarray, seconds: range) -> list[Verdict | None]:
    seen = measure(grey)
    return [judge.judge(seen, second * 1_000) for second in seconds]


def test_verdict_needs_three_seconds_that_agree():
    judge = PictureJudge()
    assert judged(judge, room(), range(6)) == [None, None, *[Verdict.OK] * 4]
    assert judged(judge, cloth(), range(6, 9)) == [Verdict.OK, Verdict.OK, Verdict.COVERED]
    assert judged(judge, room(), range(9, 12)) == [Verdict.COVERED, Verdict.COVERED, Verdict.OK]


def test_hand_before_the_lens_for_two_seconds_is_nothing():
    judge = PictureJudge()
    judged(judge, room(), range(6))
    assert judged(judge, cloth(), range(6, 8)) == [Verdict.OK] * 2
    assert judged(judge, room(), range(8, 10)) == [Verdict.OK] * 2
    assert judged(judge, cloth(), range(10, 12)) == [Verdict.OK] * 2


def test_cover_is_never_learnt():
    judge = PictureJudge()
    assert judged(judge, cloth(), range(20))[-1] is Verdict.COVERED
    assert judge.reference is None
    judged(judge, room(), range(20, 20 + LEARNING_PICTURES))
    assert judge.reference is not None
    assert judged(judge, cloth(), range(30, 33))[-1] is Verdict.COVERED


def test_reference_outlives_its_judge(reference: Measures):
    grey = room()
    grey[:, : WIDTH * 7 // 10] = 150
    assert judged(PictureJudge(reference), grey, range(3))[-1] is Verdict.COVERED
    assert judged(PictureJudge(), grey, range(3))[-1] is Verdict.OK
