"""The picture of a room: walls, door, table, chairs, the time, and a person while the room is in use.

Everything that stands still is drawn once a scene; a frame adds the person and the clock. A camera
writes its clock on top of whatever its lens sees, so a covered camera's clock runs on.
"""

import math
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from simulators.scene import CameraSettings, SceneState

Picture = NDArray[np.uint8]
"""Height × width × 3, blue green red."""

DARK_LIGHT = 0.04
"""Share of the light that is left in a dark room."""

_ZONE = timezone(timedelta(hours=8), "Asia/Shanghai")
_WALL = (196, 205, 208)
_FLOOR = (120, 132, 140)
_WOOD = (62, 96, 138)
_INK = (60, 60, 64)
_SHIRT = (96, 62, 40)
_SKIN = (142, 172, 214)


def draw(camera: CameraSettings, scene: SceneState, wall_ns: int) -> Picture:
    """One frame of a camera at a wall clock instant."""
    if scene.covered:
        picture = _cloth(camera.width, camera.height).copy()
    else:
        picture = _room(camera).copy()
        if scene.door_open:
            _draw_open_door(picture)
        if scene.in_use:
            _draw_person(picture, wall_ns / 1e9)
        if scene.dark:
            picture = cv2.convertScaleAbs(picture, alpha=DARK_LIGHT).astype(np.uint8, copy=False)
    _draw_clock(picture, camera.id, wall_ns)
    return picture


@lru_cache(maxsize=64)
def _room(camera: CameraSettings) -> Picture:
    width, height = camera.width, camera.height
    picture = np.full((height, width, 3), _WALL, np.uint8)
    at = _Scale(width, height)
    cv2.fillPoly(picture, [at.polygon((0, 66), (100, 66), (100, 100), (0, 100))], _FLOOR)
    cv2.line(picture, at.point(0, 66), at.point(100, 66), _INK, 2)
    for x in (20, 45, 68):
        cv2.line(picture, at.point(x, 12), at.point(x, 66), (176, 186, 190), 1)
    _draw_door(picture, at)
    _draw_furniture(picture, at)
    grain = np.random.default_rng(camera.id.encode()[0]).normal(0, 2.0, (height, width, 1))
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def _draw_door(picture: Picture, at: "_Scale") -> None:
    cv2.rectangle(picture, at.point(78, 22), at.point(93, 70), _INK, 3)
    cv2.rectangle(picture, at.point(78.6, 23), at.point(92.5, 70), _WOOD, -1)
    cv2.rectangle(picture, at.point(81.5, 27), at.point(89.5, 42), (120, 150, 176), -1)
    cv2.circle(picture, at.point(80.5, 49), at.length(0.8), (40, 190, 220), -1)


def _draw_open_door(picture: Picture) -> None:
    """The corridor's light in the frame, the leaf swung into the room."""
    at = _Scale(picture.shape[1], picture.shape[0])
    cv2.rectangle(picture, at.point(78.6, 23), at.point(92.5, 70), (214, 226, 230), -1)
    cv2.fillPoly(picture, [at.polygon((92.5, 23), (97.5, 19), (97.5, 77), (92.5, 70))], _WOOD)


def _draw_furniture(picture: Picture, at: "_Scale") -> None:
    cv2.rectangle(picture, at.point(24, 20), at.point(38, 40), (150, 120, 60), -1)
    cv2.rectangle(picture, at.point(24, 20), at.point(38, 40), _INK, 2)
    for line in range(24, 38, 3):
        cv2.line(picture, at.point(26, line), at.point(36, line), (225, 225, 215), 1)
    for x in (12, 58):
        cv2.rectangle(picture, at.point(x, 54), at.point(x + 8, 70), (70, 60, 52), -1)
        cv2.rectangle(picture, at.point(x, 70), at.point(x + 8, 73), (50, 44, 40), -1)
        for leg in (x + 1, x + 7):
            cv2.line(picture, at.point(leg, 73), at.point(leg, 86), (40, 36, 34), 3)
    table = at.polygon((22, 70), (54, 70), (60, 80), (17, 80))
    cv2.fillPoly(picture, [table], _WOOD)
    cv2.polylines(picture, [table], isClosed=True, color=_INK, thickness=2)
    for x in (20, 57):
        cv2.line(picture, at.point(x, 80), at.point(x, 95), _INK, 4)
    cv2.fillPoly(picture, [at.polygon((34, 72), (41, 72), (42, 76), (33, 76))], (235, 238, 240))


def _draw_person(picture: Picture, seconds: float) -> None:
    """Somebody on the right-hand chair who sways, nods and writes."""
    at = _Scale(picture.shape[1], picture.shape[0])
    sway = 1.2 * math.sin(seconds * 1.7)
    nod = 0.9 * math.sin(seconds * 2.9)
    hand = at.point(48 + 3.0 * math.sin(seconds * 4.1), 73)
    trunk, head = at.point(62 + sway / 2, 62), at.point(62 + sway, 45 + nod)
    hair = at.point(62 + sway, 43 + nod)
    cv2.ellipse(picture, trunk, (at.length(5), at.length(11)), 0, 0, 360, _SHIRT, -1)
    cv2.line(picture, at.point(59 + sway / 2, 58), hand, _SHIRT, at.length(2))
    cv2.circle(picture, hand, at.length(1.3), _SKIN, -1)
    cv2.circle(picture, head, at.length(3.6), _SKIN, -1)
    cv2.ellipse(picture, hair, (at.length(3.7), at.length(2.4)), 0, 180, 360, (28, 26, 26), -1)


def _draw_clock(picture: Picture, name: str, wall_ns: int) -> None:
    at_local = datetime.fromtimestamp(wall_ns / 1e9, UTC).astimezone(_ZONE)
    scale = picture.shape[0] / 640
    stamp = at_local.strftime("%Y-%m-%d %H:%M:%S.") + f"{at_local.microsecond // 1000:03d}"
    _write(picture, stamp, round(6 * scale), scale)
    _write(picture, name, picture.shape[0] - round(50 * scale), scale)


def _write(picture: Picture, text: str, top: int, scale: float) -> None:
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    margin = round(10 * scale)
    bottom = top + height + 2 * margin
    cv2.rectangle(picture, (0, top), (width + 2 * margin, bottom), (24, 24, 24), -1)
    origin = (margin, bottom - margin)
    cv2.putText(picture, text, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, (255, 255, 255), 1, cv2.LINE_AA)


@lru_cache(maxsize=4)
def _cloth(width: int, height: int) -> Picture:
    """What a lens sees through a cloth: nearly nothing, softly shaded."""
    grain = np.random.default_rng(1).normal(26, 3, (height, width)).astype(np.float32)
    soft = cv2.GaussianBlur(grain, (0, 0), 3) + np.linspace(0, 6, width, dtype=np.float32)
    return np.repeat(np.clip(soft, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


class _Scale:
    """Turns hundredths of the picture into pixels."""

    def __init__(self, width: int, height: int) -> None:
        self._width = width
        self._height = height

    def point(self, x: float, y: float) -> tuple[int, int]:
        return round(x * self._width / 100), round(y * self._height / 100)

    def length(self, hundredths: float) -> int:
        return max(1, round(hundredths * self._width / 100))

    def polygon(self, *points: tuple[float, float]) -> NDArray[np.int32]:
        return np.array([self.point(x, y) for x, y in points], np.int32)
