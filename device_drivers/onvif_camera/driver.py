"""Listener `onvif_camera`: what a camera notices by itself. And where it streams, for who records it.

Loads the SOAP libraries only when a camera is asked: they take 38 MB.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from device_drivers.driver import Fault, Listener, Observation, Sight, Tell
from device_drivers.errors import ProfileFault
from device_drivers.onvif_camera.events import INPUT_PREFIX, VIDEO_CHANNELS, States
from device_drivers.site import CONTACT, ListenerKind, ListenerSite, typed_options

if TYPE_CHECKING:
    from device_drivers.onvif_camera.session import CameraSession

FIRST_WORD_S = 10.0
"""A camera tells every state it knows as soon as it is asked; what it does not tell, it does not watch."""
PULL_GAP_S = 0.2
"""At least so long between two questions: a camera that raves costs no more than 160 rows a second."""


class OnvifCameraOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A user of the camera, with its password in a file; both empty: the camera wants no login."""

    user: str = ""
    password_file: str = ""


class OnvifCamera:
    """One camera. `channels`: those that points use; of its inputs no others are known."""

    def __init__(
        self, device: str, host: str, port: int, login: tuple[str, str], channels: tuple[str, ...]
    ) -> None:
        self._device = device
        self._host = host
        self._port = port
        self._login = login
        self._used = frozenset(channels)
        inputs = tuple(channel for channel in channels if channel.startswith(INPUT_PREFIX))
        self._channels = (*VIDEO_CHANNELS, *inputs)

    @property
    def channels(self) -> Mapping[str, tuple[str, ...]]:
        return {self._device: self._channels}

    async def run(self, tell: Tell) -> None:
        session = await asyncio.to_thread(_session_class)
        async with session(self._host, self._port, *self._login) as camera:
            await camera.subscribe()
            await self._follow(camera, tell)

    async def _follow(self, camera: "CameraSession", tell: Tell) -> None:
        states = States()
        begun_s = time.monotonic()
        is_complete = False
        while True:
            asked_s = time.monotonic()
            sights: list[Sight] = list(states.take(await camera.pull()))
            if not is_complete and time.monotonic() - begun_s >= FIRST_WORD_S:
                is_complete = True
                untold = sorted(self._used - states.known)
                sights += [Observation(c, active=False, fault=Fault.DEVICE_ERROR) for c in untold]
            await tell(self._device, sights)
            await asyncio.sleep(asked_s + PULL_GAP_S - time.monotonic())


async def stream_uri(host: str, port: int, user: str, password: str, profile: str | None = None) -> str:
    """Where a camera streams, its best profile if none is named. Raises a DriverError.

    The login stands in it: it must never reach a log.
    """
    session = await asyncio.to_thread(_session_class)
    async with session(host, port, user, password) as camera:
        return await camera.stream_uri(profile)


def load_password(path: str) -> str:
    """The first line of a password file. Raises ProfileFault."""
    try:
        text = Path(path).read_text("utf-8").strip()
    except OSError as error:
        raise ProfileFault(f"options: password_file {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ProfileFault(f"options: password_file {path} is not UTF-8") from None
    if not text:
        raise ProfileFault(f"options: password_file {path} is empty")
    return text


def _session_class() -> type["CameraSession"]:
    """Loads the libraries. One of them sets up everybody's logging as it is loaded: that is undone."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    from device_drivers.onvif_camera.session import CameraSession  # noqa: PLC0415

    root.handlers[:] = handlers
    root.setLevel(level)
    return CameraSession


def build(site: ListenerSite) -> Listener:
    """The listener of a line. Raises ProfileFault."""
    ((device, own),) = site.devices.items()
    options = typed_options(own.options, OnvifCameraOptions)
    if bool(options.user) is not bool(options.password_file):
        raise ProfileFault("options: a user and a password_file belong together")
    host, _, port = site.address.rpartition(":")
    password = load_password(options.password_file) if options.user else ""
    return OnvifCamera(device, host, int(port), (options.user, password), own.channels)


_POINT_TYPES = dict.fromkeys(VIDEO_CHANNELS, ("tamper",)) | {INPUT_PREFIX.rstrip(":"): CONTACT}

KIND = ListenerKind(build, "onvif", _POINT_TYPES, is_camera=True)
