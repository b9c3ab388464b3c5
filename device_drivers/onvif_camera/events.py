"""What a camera's events say of its channels, pure. Topics are those of the ONVIF core and imaging
specifications; which of them a camera sends, its maker decides.

    VideoSource/GlobalSceneChange/*     State          scene        covered, turned away, out of focus at once
    VideoSource/ImageTooDark/*          State          dark
    VideoSource/ImageTooBlurry/*        State          blurry
    Device/Trigger/DigitalInput         LogicalState   input:{InputToken}
"""

from collections.abc import Iterable, Mapping

import msgspec

from device_drivers.driver import Observation

SCENE, DARK, BLURRY = "scene", "dark", "blurry"
VIDEO_CHANNELS = (SCENE, DARK, BLURRY)
INPUT_PREFIX = "input:"
SOURCES_MAX = 16
"""Of one channel; a camera has one to four."""

_VIDEO = {"GlobalSceneChange": SCENE, "ImageTooDark": DARK, "ImageTooBlurry": BLURRY}
_TRUE = frozenset({"true", "1"})
_FALSE = frozenset({"false", "0"})


class Event(msgspec.Struct, frozen=True):
    """One notification message: its topic as the camera wrote it, its simple items by name."""

    topic: str
    source: Mapping[str, str]
    data: Mapping[str, str]


class States:
    """What is known of a camera's channels. A channel is active while any of its sources is."""

    def __init__(self) -> None:
        self._active: dict[str, dict[tuple[tuple[str, str], ...], bool]] = {}

    @property
    def known(self) -> frozenset[str]:
        """Channels of which the camera has spoken."""
        return frozenset(self._active)

    def take(self, events: Iterable[Event]) -> list[Observation]:
        """What these say, in order; those that say nothing of a channel are passed over."""
        seen = []
        for event in events:
            channel, is_active = _read(event)
            if is_active is None:
                continue
            sources = self._active.setdefault(channel, {})
            source = tuple(sorted(event.source.items()))
            if source in sources or len(sources) < SOURCES_MAX:
                sources[source] = is_active
            seen.append(Observation(channel, any(sources.values())))
        return seen


def _read(event: Event) -> tuple[str, bool | None]:
    """The channel and its state; None where there is none."""
    parts = [part.rpartition(":")[2].strip() for part in event.topic.split("/")]
    if len(parts) >= 2 and parts[0] == "VideoSource" and parts[1] in _VIDEO:
        return _VIDEO[parts[1]], _truth(event.data.get("State"))
    if parts == ["Device", "Trigger", "DigitalInput"] and "InputToken" in event.source:
        return INPUT_PREFIX + event.source["InputToken"], _truth(event.data.get("LogicalState"))
    return "", None


def _truth(text: str | None) -> bool | None:
    word = (text or "").strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None
