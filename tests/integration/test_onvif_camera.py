"""Cameras by ONVIF: events into rows, streams for the recorder, and cameras that mean ill."""

import asyncio
import logging
import shutil
import subprocess
import sys
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from device_drivers.driver import Fault, Observation
from device_drivers.errors import BadFrame, DeviceRefused, DriverError, LinkDown, LoginRefused, NoReply
from device_drivers.onvif_camera import driver
from device_drivers.onvif_camera.driver import OnvifCamera, _session_class, stream_uri
from edge.recorder.address import stream_url
from edge.settings import CameraSettings, PointSettings
from simulators import onvif_answers
from simulators.onvif_device import OnvifDevice
from tests.support.heard import Heard, Station

LOGIN = ("viewer", "s3cret/+pass")
STREAM = "rtsp://10.9.8.7:8554/main?x=1"


@pytest.fixture
async def far_end():
    device = OnvifDevice(STREAM, user=LOGIN[0], password=LOGIN[1], clock_offset_s=-3 * 3600)
    await device.start()
    yield device
    await device.stop()


def camera(far_end, *channels):
    return OnvifCamera("cam", "127.0.0.1", far_end.port, LOGIN, channels)


@asynccontextmanager
async def running(listener):
    heard = Heard()
    task = asyncio.create_task(listener.run(heard.tell))
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_a_camera_with_a_slow_clock_is_understood_and_asked_who_it_is(far_end):
    async with _session_class()("127.0.0.1", far_end.port, *LOGIN) as session:
        assert abs(session.clock_offset.total_seconds() + 3 * 3600) < 5
        assert (await session.identity())["Model"] == "Simulated camera"
        assert await session.profiles() == ["main"]


async def test_a_stream_is_at_the_camera_that_was_asked_with_the_login_quoted(far_end):
    expected = "rtsp://viewer:s3cret%2F%2Bpass@127.0.0.1:8554/main?x=1"
    assert await stream_uri("127.0.0.1", far_end.port, *LOGIN) == expected
    assert await stream_uri("127.0.0.1", far_end.port, *LOGIN, profile="main") == expected
    with pytest.raises(DeviceRefused):
        await stream_uri("127.0.0.1", far_end.port, *LOGIN, profile="other")


async def test_a_wrong_password_is_a_refusal_that_quotes_none(far_end):
    with pytest.raises(LoginRefused, match="user or password") as refused:
        await stream_uri("127.0.0.1", far_end.port, "viewer", "wr0ng")
    assert "wr0ng" not in str(refused.value)


async def test_states_are_told_at_once_and_changes_as_they_happen(far_end):
    await far_end.act("dark")
    async with running(camera(far_end, "scene", "dark", "input:1")) as heard:
        await heard.sees("cam", Observation("dark", active=True))
        await far_end.act("scene")
        await heard.sees("cam", Observation("scene", active=True))
        await far_end.act("scene over")
        await heard.sees("cam", Observation("scene", active=False))
        await far_end.act("input 1 on")
        await heard.sees("cam", Observation("input:1", active=True))
        assert far_end.subscriptions == 1
    assert far_end.subscriptions == 0


async def test_a_channel_of_which_the_camera_never_speaks_is_a_fault(far_end, monkeypatch):
    monkeypatch.setattr(driver, "FIRST_WORD_S", 0.0)
    async with running(camera(far_end, "scene", "input:9")) as heard:
        untold = Observation("input:9", active=False, fault=Fault.DEVICE_ERROR)
        await heard.sees("cam", untold)
    assert not [sight for _, sight in heard.told if sight.channel == "scene" and sight.fault]


async def test_a_subscription_is_renewed_before_it_ends(far_end, monkeypatch):
    session = sys.modules[_session_class().__module__]
    for name, value in (("LIFETIME_S", 1), ("_RELATIVE", "PT1S"), ("PULL_S", 0.1)):
        monkeypatch.setattr(session, name, value)
    renewed, thrice = onvif_answers.renewed, asyncio.Event()
    ends = []

    def note(now, until):
        ends.append(until)
        if len(ends) == 3:  # half a life lies before each: nobody's first life lasts so long
            thrice.set()
        return renewed(now, until)

    monkeypatch.setattr(onvif_answers, "renewed", note)
    async with running(camera(far_end, "scene")) as heard:
        await heard.sees("cam", Observation("scene", active=False))
        async with asyncio.timeout(20):
            await thrice.wait()
        await far_end.act("scene")
        await heard.sees("cam", Observation("scene", active=True))
    assert far_end.subscriptions == 0


async def test_questions_and_answers_are_kept_by_name(far_end):
    async with running(camera(far_end, "scene")) as heard:
        await heard.sees("cam", Observation("scene", active=False))
    with pytest.raises(DeviceRefused):
        await stream_uri("127.0.0.1", far_end.port, "viewer", "wr0ng")
    kept = [(frame.from_host, frame.text) for frame in far_end.frames.after(0)]
    assert kept[:2] == [(True, "GetSystemDateAndTime"), (False, "GetSystemDateAndTime: answered")]
    assert (True, "PullMessages") in kept
    assert kept[-2:] == [
        (True, "GetProfiles"),
        (False, "GetProfiles: NotAuthorized, wrong, old or repeated login"),
    ]
    assert "wr0ng" not in str(kept)


@pytest.mark.parametrize("act", ["away", "forget", "reboot"])
async def test_a_camera_that_goes_or_forgets_us_ends_the_run(far_end, act):
    heard = Heard()
    task = asyncio.create_task(camera(far_end, "scene").run(heard.tell))
    await heard.sees("cam", Observation("scene", active=False))
    await far_end.act(act)
    with pytest.raises(DriverError):
        async with asyncio.timeout(20):
            await task


async def test_a_covered_lens_becomes_a_row_and_an_absence_a_loss_that_heals(far_end, tmp_path):
    points = [
        PointSettings(id="liuxu.int1.scene", type="tamper", device="cam", channel="scene"),
        PointSettings(id="liuxu.int1.door", type="door", device="cam", channel="input:1"),
    ]
    async with Station(tmp_path, camera(far_end, "scene", "input:1"), points) as station:
        await station.until("liuxu.int1.scene", "point.baseline", value="quiet")
        await far_end.act("scene")
        await station.until("liuxu.int1.scene", "tamper.tripped")
        await far_end.act("away")
        await station.until("liuxu.int1.door", "point.quality", quality="comm_fail")
        await far_end.act("back")
        await station.until("liuxu.int1.door", "point.quality", quality="good", was="comm_fail")
        await far_end.act("input 1 on")
        await station.until("liuxu.int1.door", "door.open")


async def test_the_recorder_asks_the_camera_where_it_streams(far_end, tmp_path):
    (tmp_path / "pw").write_text(LOGIN[1] + "\n")
    place = f"127.0.0.1:{far_end.port}"
    settings = CameraSettings(
        point="liuxu.int1.picture", onvif=place, user=LOGIN[0], password_file=str(tmp_path / "pw")
    )
    assert await stream_url(settings) == "rtsp://viewer:s3cret%2F%2Bpass@127.0.0.1:8554/main?x=1"
    given = CameraSettings(point="liuxu.int1.picture", url="rtsp://192.0.2.31/1")
    assert await stream_url(given) == "rtsp://192.0.2.31/1"


async def test_loading_the_libraries_leaves_our_logging_as_it_was():
    code = (
        "import logging; from device_drivers.onvif_camera.driver import _session_class;"
        "assert 'zeep' not in __import__('sys').modules; _session_class();"
        "root = logging.getLogger(); assert (root.handlers, root.level) == ([], logging.WARNING)"
    )
    done = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    assert await done.wait() == 0
    assert logging.getLogger("onvif").level == logging.NOTSET


class Villain:
    """A camera that answers whatever it likes: `answer` is a handler."""

    def __init__(self, answer):
        self._answer = answer

    async def __aenter__(self):
        app = web.Application()
        app.router.add_post("/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self._runner.addresses[0][1]

    async def __aexit__(self, *_):
        await self._runner.cleanup()


def saying(body, content_type="application/soap+xml", status=200, headers=None):
    async def answer(_request):
        return web.Response(body=body, content_type=content_type, status=status, headers=headers)

    return answer


async def endless(request):
    response = web.StreamResponse(headers={"Content-Type": "application/soap+xml"})
    await response.prepare(request)
    try:
        while True:
            await response.write(b"<x>" * 10_000)
    except ConnectionError:
        return response


async def mute(_request):
    await asyncio.Event().wait()


CLOCK = onvif_answers.clock(onvif_answers.dt.datetime(2026, 5, 1, tzinfo=onvif_answers.dt.UTC))
EXPANSION = (
    b'<!DOCTYPE b [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
    + CLOCK.partition(b"?>")[2].replace(b"NTP", b"&c;")
)
OUTSIDE = b'<!DOCTYPE b [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + CLOCK.partition(b"?>")[2].replace(
    b"NTP", b"&a;"
)


ANSWERS = {
    "expansion": (saying(EXPANSION), BadFrame, "DTDForbidden"),
    "outside": (saying(OUTSIDE), BadFrame, "DTDForbidden"),
    "depth": (saying(b"<open><deep>" * 20_000), BadFrame, "TransportError"),
    "garbage": (saying(b"\x00\xff\xfe"), BadFrame, "TransportError"),
    "nothing": (saying(b""), BadFrame, "TransportError"),
    "month": (saying(CLOCK.replace(b"<tt:Month>5", b"<tt:Month>55")), BadFrame, "ValueError"),
    "century": (saying(CLOCK.replace(b"<tt:Year>2026", b"<tt:Year>9999")), BadFrame, "clock says 9999"),
    "empty": (saying(onvif_answers.done("tds:GetSystemDateAndTimeResponse")), BadFrame, "AttributeError"),
    "html": (saying(b"<html>", "text/html"), BadFrame, "200 with text/html"),
    "attachment": (saying(b"x", "multipart/related"), BadFrame, "200 with multipart"),
    "redirect": (saying(b"", status=302, headers={"Location": "/elsewhere"}), BadFrame, "TransportError"),
    "401": (saying(b"", status=401), DeviceRefused, "WS-UsernameToken"),
    "fault": (saying(onvif_answers.fault("ActionNotSupported", "not me")), DeviceRefused, "not me"),
    "bare fault": (saying(onvif_answers.envelope("<s:Fault/>")), DeviceRefused, "GetSystemDateAndTime"),
    "endless": (endless, BadFrame, "more than 262144 bytes"),
    "mute": (mute, NoReply, "nothing within 2 s"),
}


@pytest.mark.parametrize(("answer", "error", "words"), ANSWERS.values(), ids=ANSWERS)
async def test_whatever_a_camera_answers_is_an_error_with_a_name(answer, error, words, monkeypatch):
    session = sys.modules[_session_class().__module__]
    monkeypatch.setattr(session, "ANSWER_S", 2.0)
    async with Villain(answer) as port:
        async with asyncio.timeout(10):
            with pytest.raises(error, match=words):
                await stream_uri("127.0.0.1", port, *LOGIN)


async def test_a_camera_cannot_send_us_to_another_host(far_end):
    asked = []

    async def answer(request):
        body = (await request.read()).decode()
        asked.append(request.path)
        assert "Basic" not in request.headers.get("Authorization", "")
        if "GetSystemDateAndTime" in body:
            return await saying(CLOCK)(request)
        if "GetServices" in body:
            return await saying(onvif_answers.services("http://192.0.2.66:99"))(request)
        if "GetProfiles" in body:
            return await saying(onvif_answers.profiles())(request)
        return await saying(onvif_answers.stream_uri("rtsp://u:p@192.0.2.66:8554/main"))(request)

    async with Villain(answer) as port:
        assert await stream_uri("127.0.0.1", port, *LOGIN) == (
            "rtsp://viewer:s3cret%2F%2Bpass@127.0.0.1:8554/main"
        )
    assert asked[-1] == "/onvif/media"


async def test_nobody_there_is_a_lost_link(far_end):
    await far_end.stop()
    with pytest.raises(LinkDown):
        await stream_uri("127.0.0.1", far_end.port, *LOGIN)


DISCOVERY = """
import asyncio
from device_drivers.onvif_camera.discovery import probe
from simulators.onvif_discovery import DiscoveryResponder

async def main():
    responder = DiscoveryResponder("http://127.0.0.1:8080/onvif/device_service", "hall", "127.0.0.1")
    await responder.start()
    print(await probe("127.0.0.1", 1.0))
    responder.stop()

asyncio.run(main())
"""


def test_a_camera_is_found_on_the_interface_that_was_chosen():
    unshare = shutil.which("unshare")
    apart = [unshare, "-rn", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"] if unshare else []
    if not apart or subprocess.run([*apart, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no network namespace may be made here: discovery by multicast was not tried")
    done = subprocess.run(
        [*apart, sys.executable, "-c", DISCOVERY], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[FoundCamera(host='127.0.0.1', port=8080, name='hall')]", done.stderr
