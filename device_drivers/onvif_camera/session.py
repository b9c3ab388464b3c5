"""One camera over SOAP, through onvif-zeep-async. Heavy (zeep, lxml): import it only where a camera is.

What a camera answers is not trusted:
- Answers are cut off at ANSWER_MAX_BYTES and must be XML. The library itself reads without end, takes
  attachments, and lifts libxml2's limits; we set them again (`_SETTINGS`).
- Document types and entities are refused, and nothing outside is ever loaded: zeep resolves no entities, and
  the library's own transport loads local files only.
- Addresses in answers keep their path and lose their host, and redirects are not followed: no camera sends
  us, or its password, elsewhere.
- What broken XML does to zeep is without limit, so whatever else it raises is a BadFrame.
"""

import asyncio
import datetime as dt
import os
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Self, TypeVar
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from onvif.client import _WSDL_PATH, AsyncTransportProtocolErrorHandler, ONVIFService
from onvif.definition import SERVICES
from onvif.util import is_auth_error
from zeep.exceptions import Fault
from zeep.settings import Settings

from device_drivers.errors import BadFrame, DeviceRefused, DriverError, LinkDown, LoginRefused, NoReply
from device_drivers.onvif_camera.events import Event

ANSWER_MAX_BYTES = 256 * 1024
ANSWER_S = 5.0
PULL_S = 5
PULL_MAX_MESSAGES = 32
LIFETIME_S = 60
GOODBYE_S = 1.0
TEXT_MAX_CHARS = 64
URI_MAX_CHARS = 512
CLOCK_MAX_OFFSET = dt.timedelta(days=36_500)

T = TypeVar("T")

_RELATIVE = f"PT{LIFETIME_S}S"
_MEDIA_TYPES = frozenset({"application/soap+xml", "text/xml", "application/xml"})
_SETTINGS = Settings(forbid_dtd=True, forbid_entities=True, forbid_external=True)


class _BoundedTransport(AsyncTransportProtocolErrorHandler):  # type: ignore[misc]
    """Reads so much of an answer and no more, follows no redirect, and takes nothing but XML."""

    async def _post_internal(
        self, address: str, message: str | bytes, headers: dict[str, str]
    ) -> tuple[Any, bytes]:
        data = message.encode() if isinstance(message, str) else message
        async with self.session.post(address, data=data, headers=headers, allow_redirects=False) as answer:
            if answer.status == 401:
                raise LoginRefused("asks for a login that is not WS-UsernameToken")
            if answer.content_type not in _MEDIA_TYPES:
                raise BadFrame(f"answers {answer.status} with {answer.content_type[:TEXT_MAX_CHARS]}")
            content = b""
            while chunk := await answer.content.read(ANSWER_MAX_BYTES):
                content += chunk
                if len(content) > ANSWER_MAX_BYTES:
                    raise BadFrame(f"answers with more than {ANSWER_MAX_BYTES} bytes")
        return answer, content


class _Service(ONVIFService):  # type: ignore[misc]
    """One of the camera's services, with our bounds."""

    def __init__(self, name: str, address: str, login: tuple[str, str], offset: dt.timedelta | None) -> None:
        known = SERVICES[name]
        super().__init__(
            address,
            *login,
            os.path.join(_WSDL_PATH, known["wsdl"]),  # noqa: PTH118 the library wants text
            no_cache=True,
            dt_diff=offset,
            binding_name=f"{{{known['ns']}}}{known['binding']}",
        )
        self.transport = _BoundedTransport(session=self._session, cache=None)

    async def setup(self) -> None:
        await super().setup()
        for client in (self.zeep_client, self.zeep_client_authless):
            client.settings = _SETTINGS


class CameraSession:
    """Open it with `async with`; then its methods, each of which raises a DriverError. No user: no login."""

    def __init__(self, host: str, port: int, user: str, password: str) -> None:
        self.clock_offset: dt.timedelta | None = None
        """The camera's clock minus ours, read before anything is signed with it."""
        self._host: Final = host
        self._port: Final = port
        self._login: Final = (user, password)
        self._addresses: dict[str, str] = {}
        self._services: dict[str, _Service] = {}
        self._renew_at_s = 0.0
        self._is_relative_understood = True

    async def __aenter__(self) -> Self:
        try:
            await self._connect()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def identity(self) -> dict[str, str]:
        """Maker, model, firmware, serial number, hardware."""
        names = ("Manufacturer", "Model", "FirmwareVersion", "SerialNumber", "HardwareId")
        return await self._ask(
            "devicemgmt",
            "GetDeviceInformation",
            lambda answer: {name: _text(getattr(answer, name)) for name in names},
        )

    async def profiles(self) -> list[str]:
        """The tokens of what it can stream, best first, as the camera orders them."""
        return await self._ask("media", "GetProfiles", lambda answer: [_text(p.token) for p in answer])

    async def stream_uri(self, profile: str | None) -> str:
        """Where a profile is streamed by RTSP, with our login in it: not for any log."""
        if profile is None:
            tokens = await self.profiles()
            if not tokens:
                raise DeviceRefused(f"{self._host}: offers no profile")
            profile = tokens[0]
        setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
        words = {"StreamSetup": setup, "ProfileToken": profile}
        uri = await self._ask("media", "GetStreamUri", _rtsp, words)
        login = ":".join(quote(word, safe="") for word in self._login) + "@" if self._login[0] else ""
        return urlunsplit(uri._replace(netloc=f"{login}{self._host}:{uri.port or 554}"))

    async def subscribe(self) -> None:
        """Ask for events from now on, and for every state as it is now."""
        words = {"InitialTerminationTime": _RELATIVE}
        address, half_life_s = await self._ask(
            "events",
            "CreatePullPointSubscription",
            lambda answer: (self._own(answer.SubscriptionReference.Address._value_1), _half_life_s(answer)),  # noqa: SLF001 zeep's name
            words,
        )
        self._addresses["pullpoint"] = self._addresses["subscription"] = address
        self._is_relative_understood = half_life_s > LIFETIME_S / 4
        self._renew_at_s = time.monotonic() + half_life_s
        try:
            await self._ask("pullpoint", "SetSynchronizationPoint", _nothing)
        except DeviceRefused:
            return  # not every camera can; its states are then told as they change

    async def pull(self) -> list[Event]:
        """Events in order; none if there were none for PULL_S. Keeps the subscription alive."""
        if time.monotonic() >= self._renew_at_s:
            until = _RELATIVE if self._is_relative_understood else self._camera_time(LIFETIME_S)
            half_life_s = await self._ask("subscription", "Renew", _half_life_s, {"TerminationTime": until})
            self._renew_at_s = time.monotonic() + half_life_s
        words = {"Timeout": dt.timedelta(seconds=PULL_S), "MessageLimit": PULL_MAX_MESSAGES}
        return await self._ask("pullpoint", "PullMessages", _events, words, PULL_S)

    async def _connect(self) -> None:
        self._addresses["devicemgmt"] = f"http://{self._host}:{self._port}/onvif/device_service"
        self.clock_offset = await self._ask("devicemgmt", "authless_GetSystemDateAndTime", _clock_offset)
        await self._services.pop("devicemgmt").close()  # the next one signs with the camera's own time
        wanted = {SERVICES[name]["ns"]: name for name in ("media", "events")}
        self._addresses |= await self._ask(
            "devicemgmt",
            "GetServices",
            lambda answer: {
                wanted[own.Namespace]: self._own(own.XAddr) for own in answer if own.Namespace in wanted
            },
            {"IncludeCapability": False},
        )

    async def _close(self) -> None:
        if "subscription" in self._addresses:
            try:
                async with asyncio.timeout(GOODBYE_S):
                    await self._ask("subscription", "Unsubscribe", _nothing)
            except (DriverError, TimeoutError):
                pass  # it ends by itself within LIFETIME_S
        for service in self._services.values():
            await service.close()

    async def _ask(
        self,
        name: str,
        operation: str,
        take: Callable[[Any], T],
        words: Mapping[str, object] | None = None,
        held_s: float = 0.0,
    ) -> T:
        """One question, and what `take` reads in the answer. Whatever may come of it is a DriverError.

        `held_s`: how long the camera may hold its answer back.
        """
        if not self._login[0] and not operation.startswith("authless_"):
            operation = f"authless_{operation}"
        what = f"{self._host}, {operation.removeprefix('authless_')}"
        within_s = ANSWER_S + held_s
        try:
            async with asyncio.timeout(within_s):
                service = await self._service(name)
                return take(await getattr(service, operation)(words))
        except DriverError as error:
            error.args = (f"{what}: {error}",)
            raise
        except TimeoutError:
            raise NoReply(f"{what}: nothing within {within_s:.0f} s") from None
        except Fault as fault:
            refusal = _refusal(fault)
            raise type(refusal)(f"{what}: {refusal}") from None
        except (OSError, UnicodeError) as error:  # UnicodeError: a name that DNS cannot carry
            raise LinkDown(f"{what}: {error}") from None
        except Exception as error:
            raise BadFrame(f"{what}: {type(error).__name__}") from error

    async def _service(self, name: str) -> _Service:
        if name not in self._addresses:
            raise DeviceRefused(f"has no service {name}")
        if name not in self._services:
            service = _Service(name, self._addresses[name], self._login, self.clock_offset)
            self._services[name] = service
            await service.setup()
        return self._services[name]

    def _camera_time(self, ahead_s: int) -> str:
        at = dt.datetime.now(dt.UTC) + (self.clock_offset or dt.timedelta()) + dt.timedelta(seconds=ahead_s)
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")

    def _own(self, address: str) -> str:
        """An address at this camera: its own port only where it named the host that we know."""
        told = urlsplit(address[:URI_MAX_CHARS])
        port = (told.port or 80) if told.hostname == self._host else self._port
        return urlunsplit(("http", f"{self._host}:{port}", told.path, told.query, ""))


def _clock_offset(answer: Any) -> dt.timedelta | None:
    told = answer.UTCDateTime
    if told is None:
        return None
    day, hour = told.Date, told.Time
    at = dt.datetime(day.Year, day.Month, day.Day, hour.Hour, hour.Minute, hour.Second, tzinfo=dt.UTC)
    offset = at - dt.datetime.now(dt.UTC)
    if abs(offset) > CLOCK_MAX_OFFSET:
        raise BadFrame(f"its clock says {at.year}")
    return offset


def _rtsp(answer: Any) -> SplitResult:
    uri = urlsplit(str(answer.Uri)[:URI_MAX_CHARS])
    if uri.scheme not in {"rtsp", "rtsps"}:
        raise BadFrame("offers a stream that is no RTSP")
    if uri.port == 0:
        raise BadFrame("offers a stream at port 0")
    return uri


def _events(answer: Any) -> list[Event]:
    messages = (answer.NotificationMessage or [])[:PULL_MAX_MESSAGES]
    return [event for message in messages if (event := _event(message)) is not None]


def _event(message: Any) -> Event | None:
    """A notification as our words; None for one that is not built as it should be: the others still count."""
    try:
        inner = message.Message._value_1  # noqa: SLF001 zeep's name
        topic = message.Topic._value_1  # noqa: SLF001
        return Event(_text(topic, 256), _items(inner.Source), _items(inner.Data))
    except (AttributeError, TypeError):
        return None


def _items(group: Any) -> dict[str, str]:
    items = (getattr(group, "SimpleItem", None) or [])[:16]
    return {_text(item.Name): _text(item.Value) for item in items}


def _text(value: object, most: int = TEXT_MAX_CHARS) -> str:
    return str(value)[:most]


def _half_life_s(answer: Any) -> float:
    """After how long to renew a subscription, by what the camera says of its end."""
    if answer.TerminationTime is None or answer.CurrentTime is None:
        return LIFETIME_S / 2
    lifetime_s = (answer.TerminationTime - answer.CurrentTime).total_seconds()
    return float(min(max(lifetime_s, PULL_S), LIFETIME_S)) / 2


def _refusal(fault: Fault) -> DeviceRefused:
    try:
        return (
            LoginRefused("user or password") if is_auth_error(fault) else DeviceRefused(_text(fault.message))
        )
    except (AttributeError, TypeError):
        return DeviceRefused("a fault without a reason")


def _nothing(_answer: Any) -> None:
    """What is asked for its effect."""
