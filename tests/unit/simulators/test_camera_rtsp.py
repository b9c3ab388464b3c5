"""RTSP and RTP of the simulated camera, as bytes."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.camera import rtp, rtsp
from simulators.camera.rtsp import RtspFault, Transport

OPTIONS = b"OPTIONS rtsp://cam:554/liuxu.int1 RTSP/1.0\r\nCSeq: 2\r\n\r\n"


def test_request_is_taken_whole_and_leaves_the_next_in_the_buffer():
    buffer = bytearray(OPTIONS + OPTIONS[:20])
    request = rtsp.take_request(buffer)
    assert request is not None
    assert (request.method, request.path, request.headers["cseq"]) == ("OPTIONS", "liuxu.int1", "2")
    assert bytes(buffer) == OPTIONS[:20]


@given(st.integers(1, len(OPTIONS) - 1))
def test_request_in_pieces_is_waited_for(cut: int):
    buffer = bytearray(OPTIONS[:cut])
    assert rtsp.take_request(buffer) is None
    buffer += OPTIONS[cut:]
    assert rtsp.take_request(buffer) is not None


def test_receiver_reports_between_requests_are_skipped():
    buffer = bytearray(b"$\x01\x00\x04abcd" + OPTIONS + b"$\x01\x00\x04ab")
    request = rtsp.take_request(buffer)
    assert request is not None
    assert request.method == "OPTIONS"
    assert rtsp.take_request(buffer) is None
    assert bytes(buffer) == b"$\x01\x00\x04ab"


def test_body_belongs_to_its_request():
    buffer = bytearray(
        b"GET_PARAMETER rtsp://h/c/ RTSP/1.0\r\nCSeq: 3\r\nContent-Length: 4\r\n\r\nping" + OPTIONS
    )
    assert rtsp.take_request(buffer).method == "GET_PARAMETER"
    assert bytes(buffer) == OPTIONS


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\xff\xfe\r\n\r\n",
        b"PLAY rtsp://x RTSP/1.0\r\nno colon\r\n\r\n",
        b"x" * 9000,
    ],
)
def test_what_is_no_rtsp_is_refused(raw: bytes):
    with pytest.raises(RtspFault):
        rtsp.take_request(bytearray(raw))


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("RTP/AVP/TCP;unicast;interleaved=0-1", Transport("tcp", 0, 1)),
        ("RTP/AVP;unicast;client_port=5000-5001", Transport("udp", 5000, 5001)),
        ("RTP/AVP;multicast;client_port=5000-5001,RTP/AVP/TCP;interleaved=2-3", Transport("tcp", 2, 3)),
        ("RTP/AVP;multicast", None),
        ("RTP/AVP/TCP;interleaved=256-257", None),
        ("RTP/AVP;unicast;client_port=0-1", None),
        ("", None),
    ],
)
def test_first_transport_that_can_be_served_is_taken(header: str, wanted: Transport | None):
    assert rtsp.transport(header) == wanted


@given(st.integers(1, 9_000))
def test_nal_unit_survives_its_fragments(length: int):
    nal = b"\x65" + bytes(index % 251 for index in range(length))
    parts = list(rtp.payloads(nal))
    assert all(len(part) <= rtp.PAYLOAD_MAX_BYTES for part in parts)
    if len(parts) == 1:
        assert parts == [nal]
        return
    assert [part[1] & 0xC0 for part in parts] == [0x80, *[0] * (len(parts) - 2), 0x40]
    rebuilt = bytes([(parts[0][0] & 0xE0) | (parts[0][1] & 0x1F)]) + b"".join(part[2:] for part in parts)
    assert rebuilt == nal


def test_marker_ends_the_access_unit_and_sequence_wraps():
    stream = rtp.RtpStream(ssrc=7, first_seq=0xFFFF, timestamp_base=0)
    packets = list(stream.packets([b"\x67abc", b"\x65" + bytes(2_000)], wall_ns=1_000_000_000))
    assert [packet[1] >> 7 for packet in packets] == [0, 0, 1]
    assert [struct.unpack_from(">H", packet, 2)[0] for packet in packets] == [0xFFFF, 0, 1]
    assert {struct.unpack_from(">I", packet, 4)[0] for packet in packets} == {90_000}


def test_sender_report_ties_rtp_time_to_the_cameras_clock():
    stream = rtp.RtpStream(ssrc=7, first_seq=0, timestamp_base=5)
    list(stream.packets([b"\x65abcd"], wall_ns=0))
    report = stream.sender_report(wall_ns=1_500_000_000)
    _, kind, words, ssrc, seconds, fraction, timestamp, packets, octets = struct.unpack_from(
        ">BBHIIIIII", report
    )
    assert (kind, words, ssrc, packets, octets) == (200, 6, 7, 1, 5)
    assert (seconds, fraction) == (2_208_988_801, 1 << 31)
    assert timestamp == 5 + 135_000
    assert len(report) % 4 == 0


def test_nal_units_are_found_behind_short_and_long_start_codes():
    assert rtp.nal_units(b"\0\0\0\1\x67a\0\0\1\x68b\0\0\0\1\x65c") == [b"\x67a", b"\x68b", b"\x65c"]
