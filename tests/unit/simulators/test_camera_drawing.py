"""The drawn room."""

import numpy as np

from simulators.camera.drawing import draw
from simulators.scene import CameraSettings, SceneState

CAMERA = CameraSettings("liuxu.int1", "讯问室一", "柳圩派出所")
EMPTY = SceneState(in_use=False, covered=False, dark=False)
OPEN = SceneState(in_use=False, covered=False, dark=False, door_open=True)
IN_USE = SceneState(in_use=True, covered=False, dark=False)
COVERED = SceneState(in_use=True, covered=True, dark=False)
DARK = SceneState(in_use=True, covered=False, dark=True)
AT_NS = 1_467_000_000_000_000_000
ROOM = slice(60, 300)
"""Rows without clock and name."""


def changed(one: SceneState, other: SceneState, *, later_ns: int = 0) -> int:
    """Pixels of the room that differ much."""
    a, b = draw(CAMERA, one, AT_NS)[ROOM].astype(int), draw(CAMERA, other, AT_NS + later_ns)[ROOM].astype(int)
    return int((np.abs(a - b).max(axis=2) > 30).sum())


def test_empty_room_stands_still():
    assert changed(EMPTY, EMPTY, later_ns=700_000_000) == 0


def test_person_appears_and_moves():
    assert changed(EMPTY, IN_USE) > 2_000
    assert changed(IN_USE, IN_USE, later_ns=700_000_000) > 100


def test_clock_runs_even_when_the_lens_is_covered():
    early, late = draw(CAMERA, COVERED, AT_NS), draw(CAMERA, COVERED, AT_NS + 1_000_000)
    assert (early[:30] != late[:30]).any()
    assert (early[ROOM] == late[ROOM]).all()


def test_covered_lens_shows_nothing_of_the_room():
    assert draw(CAMERA, COVERED, AT_NS)[ROOM].std() < 4


def test_dark_room_keeps_a_twentyfifth_of_the_light():
    share = draw(CAMERA, DARK, AT_NS)[ROOM].mean() / draw(CAMERA, IN_USE, AT_NS)[ROOM].mean()
    assert 0.03 < share < 0.05


def test_picture_has_the_size_that_was_asked_for():
    large = CameraSettings("linhu.wait", "候问室", "临湖派出所", width=1280, height=720)
    assert draw(large, IN_USE, AT_NS).shape == (720, 1280, 3)


def test_open_door_is_seen_where_the_door_is_and_nowhere_else():
    shut, opened = draw(CAMERA, EMPTY, 0), draw(CAMERA, OPEN, 0)
    changed = (shut != opened).any(axis=2)
    width = changed.shape[1]
    assert changed[:, round(0.77 * width) :].mean() > 0.2
    assert not changed[:, : round(0.77 * width)].any()
