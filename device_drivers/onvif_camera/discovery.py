"""Finds cameras by WS-Discovery, on the one interface that the technician names and on no other.

A probe to the group 239.255.255.250:3702, answers collected for a while. Answers come from anybody on that
network: they are bounded, and parsed without document types, entities or the network.
"""

import asyncio
import ipaddress
import socket
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec
from lxml import etree

from device_drivers.errors import LinkDown

GROUP = "239.255.255.250"
PORT = 3702
WAIT_S = 3.0
CAMERAS_MAX = 256
ANSWER_MAX_BYTES = 16 * 1024
TEXT_MAX_CHARS = 128

_PROBE = """<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"
 xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl">
<s:Header><a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action>
<a:MessageID>{id}</a:MessageID><a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header>
<s:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></s:Body></s:Envelope>"""


class FoundCamera(msgspec.Struct, frozen=True):
    """`host` is where the answer came from; `port` that of its device service. `name`: as it calls itself."""

    host: str
    port: int
    name: str


async def probe(interface: str, wait_s: float = WAIT_S) -> list[FoundCamera]:
    """Cameras that answer on the network of this local address. Raises LinkDown."""
    message_id = f"urn:uuid:{uuid.uuid4()}"
    answers: dict[tuple[str, int], FoundCamera] = {}

    class Collector(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            for camera in read_answer(data, addr[0], message_id):
                if len(answers) < CAMERAS_MAX:
                    answers[camera.host, camera.port] = camera

    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        own = str(ipaddress.IPv4Address(interface))
        line.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(own))
        line.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        line.bind((own, 0))
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(Collector, sock=line)
    except (OSError, ValueError) as error:
        line.close()
        raise LinkDown(f"discovery on {interface}: {error}") from error
    try:
        transport.sendto(_PROBE.format(id=message_id).encode(), (GROUP, PORT))
        await asyncio.sleep(wait_s)
    finally:
        transport.close()
    return sorted(answers.values(), key=lambda camera: (camera.host, camera.port))


def read_answer(data: bytes, sender: str, message_id: str) -> Iterator[FoundCamera]:
    """The cameras in one answer to this very probe. Only its sender's own addresses are believed."""
    if len(data) > ANSWER_MAX_BYTES or b"<!" in data.replace(b"<!--", b""):
        return
    try:
        envelope = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return
    if (envelope.findtext(".//{*}RelatesTo") or "").strip() != message_id:
        return
    for match in envelope.iterfind(".//{*}ProbeMatch"):
        scopes = (match.findtext("{*}Scopes") or "").split()
        name = next((scope.rpartition("/")[2] for scope in scopes if "/name/" in scope), "")
        for address in (match.findtext("{*}XAddrs") or "").split()[:8]:
            port = _port(address, sender)
            if port is not None:
                yield FoundCamera(sender, port, name[:TEXT_MAX_CHARS])
                break


def _port(address: str, sender: str) -> int | None:
    """The port of a service at the sender itself."""
    try:
        told = urlsplit(address)
        port = told.port or 80
    except ValueError:
        return None
    return port if told.scheme == "http" and told.hostname == sender else None
