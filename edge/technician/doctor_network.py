"""The doctor's look along the cables: modules, cameras, broker, centre. Every wait has a bound."""

import asyncio
import socket
import struct
import time
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from contract import topics
from contract.errors import ContractError
from contract.messages import CentralStatus, decode
from device_drivers.errors import DriverError
from device_drivers.site import TCP_KINDS
from edge.identity import Credentials
from edge.link import ask_broker
from edge.recorder.address import stream_url
from edge.settings import BrokerSettings, CameraSettings, Settings
from edge.technician.finding import Finding, Verdict

CONNECT_TIMEOUT_S = 2.0
CLOCK_AHEAD_MS = 2_000
RTSP_PORT = 554
_ESTABLISHED = "01"


async def check_lines(settings: Settings) -> list[Finding]:
    """Every module and camera that has an address."""
    connected = established()
    modules = [
        _check_module(f"module {bus.id}", bus.host or "", bus.port, connected)
        for bus in settings.bus
        if bus.kind in TCP_KINDS
    ]
    cameras = [_check_camera(camera) for camera in settings.camera]
    return await asyncio.gather(*modules, *cameras)


async def _check_module(area: str, host: str, port: int, connected: set[tuple[str, int]]) -> Finding:
    """Many modules and every ser2net take one connection: where the agent has it, that is the answer."""
    try:
        addresses = await _resolve(host, port)
    except (OSError, UnicodeError) as error:
        return _unresolved(area, host, error)
    if connected & set(addresses):
        return Finding(area, Verdict.OK, f"{host}:{port}: connected from this machine already")
    began = time.monotonic()
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError) as error:
        mend = "power and link light of the module, address and mask of both, the cable; ping it"
        return Finding(area, Verdict.FAULT, f"{host}:{port}: {_reason(error)}", mend)
    took_ms = 1_000 * (time.monotonic() - began)
    writer.transport.abort()
    return Finding(area, Verdict.OK, f"{host}:{port}: connected in {took_ms:.0f} ms")


async def _check_camera(camera: CameraSettings) -> Finding:
    """Asks RTSP's OPTIONS, which starts nothing. The address is told without its password."""
    area = f"camera {camera.point}"
    try:
        url = urlsplit(await stream_url(camera))
        host, port = url.hostname or "", url.port or RTSP_PORT
    except DriverError as error:
        return Finding(
            area, Verdict.FAULT, str(error), "the camera's address for ONVIF, its user and password"
        )
    except ValueError:  # its text would quote the url
        return Finding(area, Verdict.FAULT, "its url is none", 'url = "rtsp://host:port/path"')
    request = f"OPTIONS rtsp://{host}:{port}{url.path} RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode()
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(request)
            line = await reader.readline()
            writer.transport.abort()
    except (OSError, TimeoutError, ValueError) as error:
        mend = "power and link light of the camera, its address, RTSP switched on in its web page"
        return Finding(area, Verdict.FAULT, f"{host}:{port}: {_reason(error)}", mend)
    if line.startswith(b"RTSP/1."):
        return Finding(
            area, Verdict.OK, f"{host}:{port} speaks RTSP: {line.decode(errors='replace').strip()}"
        )
    return Finding(area, Verdict.FAULT, f"{host}:{port} does not speak RTSP", "the port in the camera's url")


async def check_broker(broker: BrokerSettings, held: Credentials | None = None) -> list[Finding]:
    """The broker, step by step, and whether the centre is behind it. `held`: who we are, where it asks."""
    area, where = "broker", f"{broker.host}:{broker.port}"
    try:
        await _resolve(broker.host, broker.port)
    except (OSError, UnicodeError) as error:
        return [_unresolved(area, broker.host, error), _no_centre("the broker is not reached")]
    try:
        answer = await asyncio.to_thread(
            ask_broker, broker, topics.CENTRAL_STATUS, held.client_context() if held else None
        )
    except (OSError, UnicodeError) as error:
        mend = "is mosquitto running there, is the port open in the firewall, is the way there up?"
        text = f"{where}: {_reason(error)}"
        return [Finding(area, Verdict.FAULT, text, mend), _no_centre("the broker is not reached")]
    if answer.refusal:
        mend = "user name, password file, the broker's access list"
        text = f"{where} refuses {answer.protocol}: {answer.refusal}"
        return [Finding(area, Verdict.FAULT, text, mend), _no_centre("the broker refuses us")]
    took = Finding(area, Verdict.OK, f"{where} takes {answer.protocol}")
    return [took, judge_centre(answer.retained.get(topics.CENTRAL_STATUS), time.time_ns() // 1_000_000)]


def judge_centre(retained: bytes | None, now_ms: int) -> Finding:
    """What the centre left at the broker, judged by our clock."""
    if retained is None:
        mend = "start casewatch central run; does the access list let us read its status?"
        return Finding("centre", Verdict.FAULT, f"nothing on {topics.CENTRAL_STATUS}", mend)
    try:
        status = decode(CentralStatus, retained)
    except ContractError as error:
        mend = "a centre of another version, or something else that publishes there"
        return Finding("centre", Verdict.FAULT, f"its status cannot be read: {error}", mend)
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(status.at / 1_000))
    if status.state == "offline":
        mend = "start casewatch central run; until then rows wait in the journal"
        return Finding("centre", Verdict.FAULT, f"offline since {since}", mend)
    if status.at > now_ms + CLOCK_AHEAD_MS:
        behind_s = (status.at - now_ms) / 1_000
        text = f"online, but by its clock since {since}: ours is at least {behind_s:.0f} s behind"
        return Finding("centre", Verdict.FAULT, text, "set the clocks of both: timedatectl set-ntp true")
    return Finding("centre", Verdict.OK, f"online since {since}")


def established() -> set[tuple[str, int]]:
    """Far ends (address, port) of this machine's TCP connections, by the kernel's list."""
    found = set()
    for name, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        try:
            lines = Path(f"/proc/net/{name}").read_text().splitlines()[1:]
        except OSError:
            continue
        for words in map(str.split, lines):
            if words[3] == _ESTABLISHED:
                found.add(_far_end(words[2], family))
    return found


def _far_end(text: str, family: int) -> tuple[str, int]:
    """`0100007F:1F90` as (127.0.0.1, 8080): words of the machine's own byte order."""
    address, _, port = text.partition(":")
    words = [int(address[at : at + 8], 16) for at in range(0, len(address), 8)]
    return socket.inet_ntop(family, struct.pack(f"={len(words)}I", *words)), int(port, 16)


async def _resolve(host: str, port: int) -> Iterable[tuple[str, int]]:
    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return {(str(address[0]), int(address[1])) for *_, address in found}


def _unresolved(area: str, host: str, error: Exception) -> Finding:
    mend = "write the address in numbers, or mend the name: /etc/hosts, DNS"
    return Finding(area, Verdict.FAULT, f"{host} has no address: {_reason(error)}", mend)


def _no_centre(why: str) -> Finding:
    return Finding("centre", Verdict.FAULT, f"not seen: {why}", "mend the broker first")


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {CONNECT_TIMEOUT_S:.0f} s"
    return getattr(error, "strerror", None) or str(error)
