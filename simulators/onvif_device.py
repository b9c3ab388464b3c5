"""A camera's ONVIF side: what it is, where it streams, what it notices. Its pictures are another's business.

A device on its own, no Responder. It checks what a camera with a good firmware checks: digest, age and
freshness of every login (WS-UsernameToken), except for the questions that anybody may ask.
"""

import asyncio
import base64
import datetime as dt
import hashlib
import hmac
from collections import deque
from collections.abc import Callable, Sequence

import isodate
from aiohttp import web
from lxml import etree

from simulators import onvif_answers as answers
from simulators.errors import OnvifFault, PortBusy, UnknownAct
from simulators.frame_log import FrameLog
from simulators.onvif_answers import Happening

SOAP = "application/soap+xml"
ANYBODY = frozenset({"GetSystemDateAndTime", "GetServices", "GetCapabilities"})
LOGIN_AGE_S = 30.0
LOGINS_KEPT = 1_000
LIFETIME_S = 60.0
PULL_MAX_S = 60.0
REBOOT_S = 1.0
REQUEST_MAX_BYTES = 64 * 1024
NAME_MAX_CHARS = 64

_VIDEO = {"VideoSourceConfigurationToken": "source", "VideoAnalyticsConfigurationToken": "", "Rule": ""}
_SCENE = "tns1:VideoSource/GlobalSceneChange/ImagingService"
_DARK = "tns1:VideoSource/ImageTooDark/ImagingService"
_BLURRY = "tns1:VideoSource/ImageTooBlurry/ImagingService"
_INPUT = "tns1:Device/Trigger/DigitalInput"
_LENS_ACTS = {
    "scene": (_SCENE, True),
    "scene over": (_SCENE, False),
    "dark": (_DARK, True),
    "bright": (_DARK, False),
    "blurry": (_BLURRY, True),
    "sharp": (_BLURRY, False),
}
_State = tuple[str, str]
"""A topic and the token of its source."""


class _Subscription:
    def __init__(self, until: dt.datetime) -> None:
        self.until = until
        self.waiting: deque[Happening] = deque(maxlen=1_000)
        self.came = asyncio.Event()

    def tell(self, happening: Happening) -> None:
        self.waiting.append(happening)
        self.came.set()


class OnvifDevice:
    """One camera at `host`; port 0 takes any. `clock_offset_s`: how far its clock is ahead of ours."""

    def __init__(
        self,
        stream: str,
        *,
        user: str,
        password: str,
        inputs: Sequence[str] = ("1",),
        host: str = "127.0.0.1",
        port: int = 0,
        clock_offset_s: float = 0.0,
        unit: int = 1,
    ) -> None:
        self.frames = FrameLog(lambda _: "")
        self.port = port
        self.clock_offset_s = clock_offset_s
        self.password = password
        self._stream = stream
        self._user = user
        self._unit = unit
        self._host = host
        self._states: dict[_State, bool] = {(topic, "source"): False for topic in (_SCENE, _DARK, _BLURRY)}
        self._states |= {(_INPUT, token): False for token in inputs}
        self._inputs = tuple(inputs)
        self._subscriptions: dict[str, _Subscription] = {}
        self._made = 0
        self._logins: deque[str] = deque(maxlen=LOGINS_KEPT)
        self._runner: web.AppRunner | None = None
        self._returning: asyncio.Task[None] | None = None

    @property
    def base(self) -> str:
        return f"http://{self._host}:{self.port}"

    @property
    def subscriptions(self) -> int:
        """How many subscriptions it holds."""
        return len(self._subscriptions)

    async def start(self) -> None:
        """Answer, at the port it had before if it had one. Raises PortBusy."""
        app = web.Application(client_max_size=REQUEST_MAX_BYTES)
        app.router.add_post("/onvif/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self.port, reuse_address=True).start()
        except OSError as error:
            await runner.cleanup()
            raise PortBusy(f"port {self._host}:{self.port} cannot be used: {error.strerror}") from error
        self._runner = runner
        self.port = runner.addresses[0][1]

    async def stop(self) -> None:
        """Every connection is cut; subscriptions stay until they end."""
        if self._returning is not None:
            self._returning.cancel()
            self._returning = None
        await self._cut()

    def acts(self) -> tuple[str, ...]:
        """What a hand can do to it; `forget` drops all subscriptions."""
        inputs = (f"input {token} {state}" for token in self._inputs for state in ("on", "off"))
        return (*_LENS_ACTS, *inputs, "reboot", "away", "back", "forget")

    async def act(self, act: str) -> None:
        """Raises UnknownAct."""
        if act not in self.acts():
            raise UnknownAct(f"the camera knows no {act!r}")
        match act.split(" "):
            case ["input", token, state]:
                self._set((_INPUT, token), is_on=state == "on")
            case ["forget"]:
                self._subscriptions.clear()
            case ["away"]:
                await self._cut()
            case ["back"]:
                await self.start()
            case ["reboot"]:
                self._subscriptions.clear()
                await self._cut()
                self._returning = asyncio.create_task(self._return())
            case _:
                topic, is_on = _LENS_ACTS[act]
                self._set((topic, "source"), is_on=is_on)

    async def _cut(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _return(self) -> None:
        await asyncio.sleep(REBOOT_S)
        await self.start()

    def _set(self, state: _State, *, is_on: bool) -> None:
        self._states[state] = is_on
        for subscription in self._subscriptions.values():
            subscription.tell(self._happening(state))

    def _happening(self, state: _State, *, is_first: bool = False) -> Happening:
        topic, source = state
        is_on = "true" if self._states[state] else "false"
        if topic == _INPUT:
            return Happening(topic, {"InputToken": source}, {"LogicalState": is_on}, self._now(), is_first)
        names = {name: value or "1" for name, value in _VIDEO.items()} | {"Source": source}
        return Happening(topic, names, {"State": is_on}, self._now(), is_first)

    def _now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self.clock_offset_s)

    async def _answer(self, request: web.Request) -> web.Response:
        status, operation = 200, "no question"
        try:
            envelope, words = _parsed(await request.read())
            operation = etree.QName(words).localname[:NAME_MAX_CHARS]
            self._note(operation, from_host=True)
            if operation not in ANYBODY:
                self._check_login(envelope)
            content = await self._do(operation, words, request.match_info["path"])
            self._note(f"{operation}: answered", from_host=False)
        except OnvifFault as refused:
            status, content = 400, answers.fault(refused.word, str(refused))
            self._note(f"{operation}: {refused.word}, {refused}", from_host=False)
        return web.Response(status=status, body=content, content_type=SOAP, charset="utf-8")

    def _note(self, text: str, *, from_host: bool) -> None:
        self.frames.keep(b"", self._unit, from_host=from_host, text=text)

    async def _do(self, operation: str, words: etree._Element, path: str) -> bytes:
        plain: dict[str, Callable[[], bytes]] = {
            "GetSystemDateAndTime": lambda: answers.clock(self._now()),
            "GetDeviceInformation": answers.identity,
            "GetServices": lambda: answers.services(self.base),
            "GetCapabilities": lambda: answers.capabilities(self.base),
            "GetProfiles": answers.profiles,
            "GetVideoSources": answers.video_sources,
            "CreatePullPointSubscription": lambda: self._subscribe(words),
        }
        if operation in plain:
            return plain[operation]()
        if operation == "GetStreamUri":
            if words.findtext("{*}ProfileToken") != answers.PROFILE:
                raise OnvifFault("NoProfile", "no such profile")
            return answers.stream_uri(self._stream)
        return await self._serve(operation, words, self._subscription(path), path)

    async def _serve(
        self, operation: str, words: etree._Element, subscription: _Subscription, path: str
    ) -> bytes:
        """What is asked of one subscription."""
        match operation:
            case "PullMessages":
                return await self._pull(words, subscription)
            case "SetSynchronizationPoint":
                self._synchronise(subscription)
                return answers.done("tev:SetSynchronizationPointResponse")
            case "Renew":
                subscription.until = self._until(words.findtext("{*}TerminationTime"))
                return answers.renewed(self._now(), subscription.until)
            case "Unsubscribe":
                del self._subscriptions[path]
                return answers.done("wsnt:UnsubscribeResponse")
        raise OnvifFault("ActionNotSupported", operation)

    def _subscribe(self, words: etree._Element) -> bytes:
        self._made += 1
        path = f"subscription/{self._made}"
        until = self._until(words.findtext("{*}InitialTerminationTime"))
        self._subscriptions[path] = _Subscription(until)
        self._synchronise(self._subscriptions[path])
        return answers.subscribed(f"{self.base}/onvif/{path}", self._now(), until)

    def _synchronise(self, subscription: _Subscription) -> None:
        for state in self._states:
            subscription.tell(self._happening(state, is_first=True))

    def _subscription(self, path: str) -> _Subscription:
        subscription = self._subscriptions.get(path)
        if subscription is None or subscription.until < self._now():
            self._subscriptions.pop(path, None)
            raise OnvifFault("InvalidArgVal", "no such subscription")
        return subscription

    async def _pull(self, words: etree._Element, subscription: _Subscription) -> bytes:
        wait_s = min(_seconds(words.findtext("{*}Timeout")), PULL_MAX_S)
        most = int(words.findtext("{*}MessageLimit") or "1")
        if not subscription.waiting:
            subscription.came.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await subscription.came.wait()
            except TimeoutError:
                pass
        taken = [subscription.waiting.popleft() for _ in range(min(most, len(subscription.waiting)))]
        return answers.pulled(taken, self._now(), subscription.until)

    def _until(self, told: str | None) -> dt.datetime:
        """A time or a duration, as the client likes."""
        if told is None or told.startswith("P"):
            return self._now() + dt.timedelta(seconds=_seconds(told) if told else LIFETIME_S)
        at: dt.datetime = isodate.parse_datetime(told)
        return at

    def _check_login(self, envelope: etree._Element) -> None:
        token = envelope.find(".//{*}UsernameToken")
        if token is None:
            raise OnvifFault("NotAuthorized", "no login")
        user, told, nonce, created = (
            token.findtext(f"{{*}}{name}") or "" for name in ("Username", "Password", "Nonce", "Created")
        )
        digest = hashlib.sha1(base64.b64decode(nonce) + created.encode() + self.password.encode())  # noqa: S324
        expected = base64.b64encode(digest.digest()).decode()
        age_s = (self._now() - isodate.parse_datetime(created)).total_seconds() if created else LOGIN_AGE_S
        is_fresh = abs(age_s) < LOGIN_AGE_S and nonce not in self._logins
        if user != self._user or not hmac.compare_digest(told, expected) or not is_fresh:
            raise OnvifFault("NotAuthorized", "wrong, old or repeated login")
        self._logins.append(nonce)


def _parsed(content: bytes) -> tuple[etree._Element, etree._Element]:
    """An envelope, and the one element in its body."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        envelope = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise OnvifFault("WellFormed", "no XML") from error
    words = envelope.find("{*}Body/*")
    if words is None:
        raise OnvifFault("WellFormed", "no body")
    return envelope, words


def _seconds(duration: str | None) -> float:
    return float(isodate.parse_duration(duration or "PT0S").total_seconds())
