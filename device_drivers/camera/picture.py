"""Whether a camera's picture still shows its room: `ok`, `covered` or `dark`. Pure; no decoder, no clock.

A damage must be in every picture of three seconds: that lets the thresholds be low, and somebody who
passes close to the lens is none. The measures leave out the top and bottom ninth of the picture, where
cameras write time and name on whatever the lens sees.
"""

from collections.abc import Sequence
from enum import StrEnum
from statistics import median

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
"""A picture of WIDTH × HEIGHT in grey: rows × columns."""

WIDTH, HEIGHT = 480, 270
BAND = 30
BLOCK = 15
SETTLING_MS = 2_000
"""Between the first and the third picture, a second apart, that all say the same."""
LEARNING_PICTURES = 5

DARK_MEAN = 24.0
"""Of 255. A picture below it, and below DARK_SHARE of the reference, has no light."""
DARK_SHARE = 0.35
FLAT_CONTRAST = 0.02
"""No room is as flat as this in any light; what is, is never learnt from."""
CONTRAST_LEFT = 0.4
SHARPNESS_LEFT = 0.2
EDGES_LEFT = 0.4


class Verdict(StrEnum):
    OK = "ok"
    COVERED = "covered"
    DARK = "dark"


class Measures(msgspec.Struct, frozen=True):
    """One picture in figures, the last three independent of how much light there is.

    `contrast`: mean deviation within blocks over mean. `sharpness`: variance of the Laplacian over mean
    squared. `edges`: one bit a pixel.
    """

    mean: float
    contrast: float
    sharpness: float
    edges: bytes


def measure(grey: Grey) -> Measures:
    """Figures of one picture."""
    room = grey[BAND:-BAND]
    mean = max(float(room.mean()), 1.0)
    exact = room.astype(np.float32)
    blocks = (WIDTH // BLOCK, room.shape[0] // BLOCK)
    block_mean = cv2.resize(exact, blocks, interpolation=cv2.INTER_AREA)
    block_square = cv2.resize(exact * exact, blocks, interpolation=cv2.INTER_AREA)
    deviation = np.sqrt(np.maximum(block_square - block_mean * block_mean, 0.0))
    edges = cv2.Canny(room, 0.4 * mean, 0.9 * mean)
    return Measures(
        mean=mean,
        contrast=float(deviation.mean()) / mean,
        sharpness=float(cv2.Laplacian(exact, cv2.CV_32F).var()) / mean**2,
        edges=np.packbits(edges > 0).tobytes(),
    )


def look(seen: Measures, reference: Measures | None) -> Verdict:
    """What one picture says by itself; without a reference only the plain cases are told."""
    if seen.contrast < FLAT_CONTRAST:
        return Verdict.COVERED
    if reference is None:
        return Verdict.DARK if seen.mean < DARK_MEAN else Verdict.OK
    if seen.contrast < CONTRAST_LEFT * reference.contrast:
        return Verdict.COVERED
    if seen.mean < DARK_MEAN and seen.mean < DARK_SHARE * reference.mean:
        return Verdict.DARK
    is_blurred = seen.sharpness < SHARPNESS_LEFT * reference.sharpness
    if is_blurred or edges_left(seen, reference) < EDGES_LEFT:
        return Verdict.COVERED
    return Verdict.OK


def edges_left(seen: Measures, reference: Measures) -> float:
    """Share of the reference's edges that the picture still has, give or take two pixels."""
    lasting = _plane(reference.edges)
    total = int(lasting.sum())
    if total == 0:
        return 1.0
    near = cv2.dilate(_plane(seen.edges), np.ones((5, 5), np.uint8)).astype(np.uint8, copy=False)
    return int((lasting & near).sum()) / total


def learn(pictures: Sequence[Measures]) -> Measures:
    """The reference from some pictures of a room in order: middle figures, and the edges that all have."""
    lasting = np.bitwise_and.reduce([np.frombuffer(picture.edges, np.uint8) for picture in pictures])
    return Measures(
        mean=median(picture.mean for picture in pictures),
        contrast=median(picture.contrast for picture in pictures),
        sharpness=median(picture.sharpness for picture in pictures),
        edges=lasting.tobytes(),
    )


class PictureJudge:
    """One camera's verdict over time. `reference` outlives the judge: give it to the next one."""

    def __init__(self, reference: Measures | None = None) -> None:
        self.reference = reference
        self.verdict: Verdict | None = None
        """None until the first pictures agree."""
        self._learning: list[Measures] = []
        self._differs_since_ms: int | None = None

    def judge(self, seen: Measures, now_ms: int) -> Verdict | None:
        """The verdict after one more picture, about one a second. `now_ms` is monotonic."""
        says = look(seen, self.reference)
        if self.reference is None and says is Verdict.OK:
            self._learning.append(seen)
            if len(self._learning) == LEARNING_PICTURES:
                self.reference = learn(self._learning)
        if says is self.verdict:
            self._differs_since_ms = None
        elif self._differs_since_ms is None:
            self._differs_since_ms = now_ms
        elif now_ms - self._differs_since_ms >= SETTLING_MS:
            self.verdict = says
            self._differs_since_ms = None
        return self.verdict


def _plane(bits: bytes) -> NDArray[np.uint8]:
    rows = HEIGHT - 2 * BAND
    return np.unpackbits(np.frombuffer(bits, np.uint8)).reshape(rows, WIDTH)
