"""RTP for H.264 (RFC 6184, packetization-mode 1) and RTCP sender reports (RFC 3550). Pure: bytes out.

A NAL unit that fits goes alone; a longer one as FU-A fragments. The marker bit ends an access unit.
"""

import re
import struct
from collections.abc import Iterator

PAYLOAD_TYPE = 96
CLOCK_HZ = 90_000
PAYLOAD_MAX_BYTES = 1_400

_NTP_EPOCH_OFFSET_S = 2_208_988_800
_FU_A = 28
_START_CODE = re.compile(rb"\x00\x00\x00?\x01")


def nal_units(annex_b: bytes) -> list[bytes]:
    """The NAL units of an Annex B access unit, without start codes."""
    return [nal for nal in _START_CODE.split(annex_b) if nal]


def payloads(nal: bytes) -> Iterator[bytes]:
    """RTP payloads of one NAL unit, in order."""
    if len(nal) <= PAYLOAD_MAX_BYTES:
        yield nal
        return
    indicator = (nal[0] & 0xE0) | _FU_A
    kind = nal[0] & 0x1F
    body = nal[1:]
    step = PAYLOAD_MAX_BYTES - 2
    for start in range(0, len(body), step):
        first = 0x80 if start == 0 else 0
        last = 0x40 if start + step >= len(body) else 0
        yield bytes((indicator, first | last | kind)) + body[start : start + step]


class RtpStream:
    """Numbers one viewer's packets. `timestamp_base` is the RTP time that stands for wall time 0."""

    def __init__(self, ssrc: int, first_seq: int, timestamp_base: int) -> None:
        self.ssrc = ssrc
        self._seq = first_seq
        self._base = timestamp_base
        self._packets = 0
        self._octets = 0

    def timestamp(self, wall_ns: int) -> int:
        """The 90 kHz RTP time of a wall clock instant."""
        return (self._base + wall_ns * CLOCK_HZ // 1_000_000_000) & 0xFFFF_FFFF

    def packets(self, nals: list[bytes], wall_ns: int) -> Iterator[bytes]:
        """RTP packets of one access unit captured at `wall_ns`."""
        timestamp = self.timestamp(wall_ns)
        parts = [part for nal in nals for part in payloads(nal)]
        for number, part in enumerate(parts, start=1):
            marker = 0x80 if number == len(parts) else 0
            header = struct.pack(">BBHII", 0x80, marker | PAYLOAD_TYPE, self._seq, timestamp, self.ssrc)
            self._seq = (self._seq + 1) & 0xFFFF
            self._packets += 1
            self._octets += len(part)
            yield header + part

    def sender_report(self, wall_ns: int) -> bytes:
        """An RTCP sender report and its CNAME: ties this stream's RTP time to the camera's clock."""
        seconds, rest_ns = divmod(wall_ns, 1_000_000_000)
        report = struct.pack(
            ">BBHIIIIII",
            0x80,
            200,
            6,
            self.ssrc,
            (seconds + _NTP_EPOCH_OFFSET_S) & 0xFFFF_FFFF,
            (rest_ns << 32) // 1_000_000_000,
            self.timestamp(wall_ns),
            self._packets & 0xFFFF_FFFF,
            self._octets & 0xFFFF_FFFF,
        )
        return report + _description(self.ssrc)


def interleaved(channel: int, packet: bytes) -> bytes:
    """A packet framed for an RTSP connection (RFC 2326 section 10.12)."""
    return struct.pack(">cBH", b"$", channel, len(packet)) + packet


def _description(ssrc: int) -> bytes:
    item = b"\x01\x06camera"
    body = struct.pack(">I", ssrc) + item
    body += b"\0" * (4 - len(body) % 4)
    return struct.pack(">BBH", 0x81, 202, len(body) // 4) + body
