"""One player's RTSP connection: its requests, and the camera it plays, over TCP or UDP."""

import asyncio
import secrets
from collections.abc import Callable
from typing import Protocol

from simulators.camera import rtsp
from simulators.camera.encoder import AccessUnit
from simulators.camera.rtp import RtpStream, interleaved
from simulators.camera.rtsp import Request, RtspFault, Transport

WRITE_BUFFER_MAX_BYTES = 512 * 1024
"""A player that reads slower than this loses pictures up to the next key frame."""
REPORT_INTERVAL_S = 2.0


class Camera(Protocol):
    """What a connection needs of a camera."""

    def description(self, host: str) -> bytes: ...

    def attach(self, player: "Player") -> None: ...

    def detach(self, player: "Player") -> None: ...


class UdpPath:
    """Two UDP sockets towards a player's two ports."""

    def __init__(self, rtp: asyncio.DatagramTransport, rtcp: asyncio.DatagramTransport) -> None:
        self._rtp = rtp
        self._rtcp = rtcp

    @classmethod
    async def open(cls, local_host: str, peer_host: str, wanted: Transport) -> "UdpPath":
        loop = asyncio.get_running_loop()
        paths = [
            await loop.create_datagram_endpoint(
                asyncio.DatagramProtocol, local_addr=(local_host, 0), remote_addr=(peer_host, port)
            )
            for port in (wanted.rtp, wanted.rtcp)
        ]
        return cls(paths[0][0], paths[1][0])

    @property
    def ports(self) -> tuple[int, int]:
        return tuple(path.get_extra_info("sockname")[1] for path in (self._rtp, self._rtcp))

    def send(self, packet: bytes, *, is_report: bool) -> None:
        (self._rtcp if is_report else self._rtp).sendto(packet)

    def close(self) -> None:
        self._rtp.close()
        self._rtcp.close()


class TcpPath:
    """Two channels of the RTSP connection itself."""

    def __init__(self, writer: asyncio.StreamWriter, wanted: Transport) -> None:
        self._writer = writer
        self._wanted = wanted

    def send(self, packet: bytes, *, is_report: bool) -> None:
        channel = self._wanted.rtcp if is_report else self._wanted.rtp
        self._writer.write(interleaved(channel, packet))

    def close(self) -> None:
        """The connection closes it."""


class Player:
    """One connection, from its first request to its end."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        camera_of: Callable[[str], Camera | None],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._camera_of = camera_of
        self._camera: Camera | None = None
        self._path: TcpPath | UdpPath | None = None
        self._stream = RtpStream(secrets.randbits(32), secrets.randbits(16), secrets.randbits(32))
        self._session = secrets.token_hex(8)
        self._is_playing = False
        self._needs_key = True
        self._reported_ns = 0

    async def serve(self) -> None:
        """Answer requests until the player goes."""
        buffer = bytearray()
        try:
            while chunk := await self._reader.read(4_096):
                buffer += chunk
                while request := rtsp.take_request(buffer):
                    self._writer.write(await self._answer(request))
                    if request.method == "PLAY" and self._path and not self._is_playing:
                        self._play()
                    if request.method == "TEARDOWN":
                        return
                await self._writer.drain()
        except (RtspFault, ConnectionError):
            return
        finally:
            self._end()

    def deliver(self, unit: AccessUnit) -> None:
        """Send one picture; a sender report goes before it when one is due."""
        assert self._path is not None
        if self._writer.transport.get_write_buffer_size() > WRITE_BUFFER_MAX_BYTES:
            self._needs_key = True
        if self._needs_key and not unit.is_key:
            return
        self._needs_key = False
        if unit.wall_ns - self._reported_ns > REPORT_INTERVAL_S * 1e9:
            self._reported_ns = unit.wall_ns
            self._path.send(self._stream.sender_report(unit.wall_ns), is_report=True)
        for packet in self._stream.packets(unit.nals, unit.wall_ns):
            self._path.send(packet, is_report=False)

    def close(self) -> None:
        self._writer.transport.abort()

    async def _answer(self, request: Request) -> bytes:
        if request.method == "OPTIONS":
            return rtsp.response(request, 200, {"Public": ", ".join(rtsp.METHODS)})
        camera = self._camera_of(request.path)
        if request.method not in rtsp.METHODS or camera is None:
            return rtsp.response(request, 501 if request.method not in rtsp.METHODS else 404, {})
        if request.method == "DESCRIBE":
            host = self._writer.get_extra_info("sockname")[0]
            headers = {"Content-Type": "application/sdp", "Content-Base": request.url.rstrip("/") + "/"}
            return rtsp.response(request, 200, headers, camera.description(host))
        if request.method == "SETUP":
            return await self._set_up(request, camera)
        is_set_up = self._path is not None
        return rtsp.response(request, 200 if is_set_up else 454, self._session_header if is_set_up else {})

    @property
    def _session_header(self) -> dict[str, str]:
        return {"Session": f"{self._session};timeout=60"}

    async def _set_up(self, request: Request, camera: Camera) -> bytes:
        if self._path is not None:
            return rtsp.response(request, 455, {})
        wanted = rtsp.transport(request.headers.get("transport", ""))
        if wanted is None:
            return rtsp.response(request, 461, {})
        ssrc = f"ssrc={self._stream.ssrc:08X}"
        if wanted.kind == "tcp":
            self._path = TcpPath(self._writer, wanted)
            agreed = f"RTP/AVP/TCP;unicast;interleaved={wanted.rtp}-{wanted.rtcp};{ssrc}"
        else:
            local, peer = (self._writer.get_extra_info(name)[0] for name in ("sockname", "peername"))
            self._path = await UdpPath.open(local, peer, wanted)
            ours = "-".join(str(port) for port in self._path.ports)
            agreed = f"RTP/AVP;unicast;client_port={wanted.rtp}-{wanted.rtcp};server_port={ours};{ssrc}"
        self._camera = camera
        return rtsp.response(request, 200, {"Transport": agreed} | self._session_header)

    def _play(self) -> None:
        assert self._camera is not None
        self._is_playing = True
        self._camera.attach(self)

    def _end(self) -> None:
        if self._camera is not None and self._is_playing:
            self._camera.detach(self)
        if self._path is not None:
            self._path.close()
        self._writer.close()
