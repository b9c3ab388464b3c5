"""Coded pictures between the receiving and the decoding thread."""

from av.packet import Packet

from device_drivers.camera.rtsp_source import CodedPicture
from edge.recorder.tap import HELD_MAX_BYTES, HELD_MAX_PICTURES, Tap


def key(number: int) -> CodedPicture:
    return CodedPicture(Packet(), is_key=True, camera_ms=number, at_ms=number)


def delta(number: int) -> CodedPicture:
    return CodedPicture(Packet(), is_key=False, camera_ms=number, at_ms=number)


def numbers(batch: list[CodedPicture]) -> list[int]:
    return [picture.camera_ms for picture in batch]


def test_pictures_come_once_and_in_order():
    tap = Tap()
    batches = tap.batches()
    tap.put(key(1))
    tap.put(delta(2))
    assert numbers(next(batches)[0]) == [1, 2]
    tap.put(delta(3))
    assert numbers(next(batches)[0]) == [3]


def test_who_falls_behind_goes_on_at_the_newest_key_frame():
    tap = Tap()
    batches = tap.batches()
    for picture in (key(1), delta(2), key(3), delta(4)):
        tap.put(picture)
    assert numbers(next(batches)[0]) == [3, 4]


def test_who_begins_to_watch_is_given_all_since_the_key_frame_at_once():
    tap = Tap()
    batches = tap.batches()
    for picture in (key(1), delta(2), delta(3)):
        tap.put(picture)
    assert next(batches)[1] is False
    tap.watch(is_on=True)
    batch, is_watched = next(batches)
    assert is_watched
    assert numbers(batch) == [1, 2, 3]


def test_watching_on_repeats_nothing():
    tap = Tap()
    batches = tap.batches()
    tap.watch(is_on=True)
    tap.put(key(1))
    next(batches)
    tap.watch(is_on=True)
    tap.put(delta(2))
    assert numbers(next(batches)[0]) == [2]


def test_nothing_is_given_before_a_key_frame():
    tap = Tap()
    tap.put(delta(1))
    tap.put(key(2))
    assert numbers(next(tap.batches())[0]) == [2]


def test_camera_without_key_frames_fills_no_memory():
    tap = Tap()
    tap.put(key(0))
    for number in range(1, HELD_MAX_PICTURES + 50):
        tap.put(delta(number))
    tap.put(key(1_000))
    assert numbers(next(tap.batches())[0]) == [1_000]


def test_huge_pictures_are_held_in_bytes_too():
    tap = Tap()
    batches = tap.batches()
    size = HELD_MAX_BYTES // 4
    tap.put(CodedPicture(Packet(size), is_key=True, camera_ms=1, at_ms=1))
    for number in range(2, 6):
        tap.put(CodedPicture(Packet(size), is_key=False, camera_ms=number, at_ms=number))
    assert tap._held_bytes == 0, "one too many: it goes on at the next key frame"
    tap.put(key(6))
    assert numbers(next(batches)[0]) == [6]
