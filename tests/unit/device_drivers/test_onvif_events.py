"""Events of a camera into channels, answers to a probe into cameras; neither believes more than it should."""

import pytest

from device_drivers import registry
from device_drivers.driver import Observation
from device_drivers.errors import ProfileFault
from device_drivers.onvif_camera.discovery import read_answer
from device_drivers.onvif_camera.events import SOURCES_MAX, Event, States
from device_drivers.site import ListenerSite, Site

SCENE = "tns1:VideoSource/GlobalSceneChange/ImagingService"


def scene(state, source="lens"):
    return Event(SCENE, {"Source": source}, {"State": state})


@pytest.mark.parametrize(
    ("event", "seen"),
    [
        (scene("true"), Observation("scene", active=True)),
        (scene("0"), Observation("scene", active=False)),
        (
            Event("tns1:VideoSource/ImageTooDark/AnalyticsService", {}, {"State": "1"}),
            Observation("dark", active=True),
        ),
        (
            Event("VideoSource/ImageTooBlurry/tnsx:Own", {}, {"State": "TRUE "}),
            Observation("blurry", active=True),
        ),
        (
            Event(
                "tns1:Device/tns1:Trigger/tns1:DigitalInput", {"InputToken": "2"}, {"LogicalState": "true"}
            ),
            Observation("input:2", active=True),
        ),
    ],
)
def test_what_a_camera_notices_is_seen_at_its_channel(event, seen):
    assert States().take([event]) == [seen]


@pytest.mark.parametrize(
    "event",
    [
        scene("perhaps"),
        Event(SCENE, {}, {}),
        Event("tns1:Device/Trigger/DigitalInput", {}, {"LogicalState": "true"}),
        Event("tns1:RuleEngine/CellMotionDetector/Motion", {}, {"IsMotion": "true"}),
        Event("", {}, {"State": "true"}),
        Event("VideoSource", {}, {"State": "true"}),
    ],
)
def test_what_says_nothing_of_a_channel_is_passed_over(event):
    states = States()
    assert states.take([event]) == []
    assert states.known == frozenset()


def test_a_channel_is_active_while_any_of_its_sources_is():
    seen = States().take([scene("true", "a"), scene("true", "b"), scene("false", "a"), scene("false", "b")])
    assert [sight.active for sight in seen] == [True, True, True, False]


def test_a_camera_that_invents_sources_without_end_does_not_fill_our_memory():
    states = States()
    states.take([scene("false", str(n)) for n in range(10_000)])
    assert len(states._active["scene"]) == SOURCES_MAX


ANSWER = """<?xml version="1.0"?>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"
 xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Header><a:RelatesTo>urn:uuid:1</a:RelatesTo>
</s:Header><s:Body><d:ProbeMatches><d:ProbeMatch><d:Scopes>onvif://www.onvif.org/name/hall</d:Scopes>
<d:XAddrs>{}</d:XAddrs></d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>"""


def found(addresses, *, sender="192.0.2.31", message="urn:uuid:1", text=ANSWER):
    answer = text.format(addresses).encode()
    return [(camera.host, camera.port, camera.name) for camera in read_answer(answer, sender, message)]


def test_a_camera_is_where_its_answer_came_from():
    addresses = "http://10.0.0.1/onvif/device_service http://192.0.2.31:8080/onvif/device_service"
    assert found(addresses) == [("192.0.2.31", 8080, "hall")]
    assert found("http://192.0.2.31/onvif/device_service") == [("192.0.2.31", 80, "hall")]


def test_an_answer_that_speaks_for_others_or_to_another_probe_is_passed_over():
    assert found("http://192.0.2.99/onvif/device_service") == []
    assert found("http://192.0.2.31:notaport/onvif/device_service") == []
    assert found("http://192.0.2.31/onvif/device_service", message="urn:uuid:2") == []
    assert list(read_answer(b"\xff\x00 no xml", "192.0.2.31", "urn:uuid:1")) == []


def test_an_answer_with_a_document_type_or_too_long_is_not_even_parsed():
    bomb = ANSWER.replace('<?xml version="1.0"?>', '<!DOCTYPE s [<!ENTITY e "x">]>')
    assert found("http://192.0.2.31/onvif/device_service", text=bomb) == []
    assert found("http://192.0.2.31/onvif/device_service" + " " * 20_000) == []


def camera_site(tmp_path, channels=(), **options):
    return ListenerSite("192.0.2.31:80", 0, {"cam": Site("onvif", channels=channels, options=options)})


def test_a_camera_has_the_inputs_that_points_use(tmp_path):
    built = registry.build_listener("onvif_camera", camera_site(tmp_path, ("scene", "input:A-1")))
    assert built.channels == {"cam": ("scene", "dark", "blurry", "input:A-1")}


def test_a_user_without_a_password_or_a_file_without_one_is_refused(tmp_path):
    empty = tmp_path / "empty"
    empty.write_text("\n")
    for options, words in (
        ({"user": "viewer"}, "belong together"),
        ({"user": "viewer", "password_file": str(empty)}, "is empty"),
        ({"user": "viewer", "password_file": str(tmp_path / "none")}, "cannot be read"),
        ({"password": "secret"}, "unknown field"),
    ):
        with pytest.raises(ProfileFault, match=words):
            registry.build_listener("onvif_camera", camera_site(tmp_path, **options))


def test_two_cameras_do_not_share_an_address():
    sites = {name: Site("onvif") for name in ("a", "b")}
    with pytest.raises(ProfileFault, match="1 of onvif_camera are the most"):
        registry.build_listener("onvif_camera", ListenerSite("192.0.2.31:80", 0, sites))
