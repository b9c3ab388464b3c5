"""Answers WS-Discovery probes for a simulated camera, on one interface."""

import asyncio
import re
import socket
import struct
import uuid

GROUP = "239.255.255.250"
PORT = 3702

_MESSAGE_ID = re.compile(rb"MessageID[^>]*>\s*([\w:.-]{1,128})\s*<")
_MATCH = """<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"
 xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl">
<s:Header><a:MessageID>urn:uuid:{id}</a:MessageID><a:RelatesTo>{probe}</a:RelatesTo>
<a:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:To>
<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</a:Action></s:Header>
<s:Body><d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:{device}</a:Address>
</a:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types>
<d:Scopes>onvif://www.onvif.org/name/{name} onvif://www.onvif.org/type/video_encoder</d:Scopes>
<d:XAddrs>{address}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch></d:ProbeMatches></s:Body>
</s:Envelope>"""


class DiscoveryResponder(asyncio.DatagramProtocol):
    """`address`: the camera's device service. `interface`: the address whose network it listens on."""

    def __init__(self, address: str, name: str, interface: str) -> None:
        self._address = address
        self._name = name
        self._interface = interface
        self._device = uuid.uuid4()
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self) -> None:
        """Raises OSError where the group cannot be joined."""
        line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            line.bind((GROUP, PORT))
            joined = struct.pack("4s4s", socket.inet_aton(GROUP), socket.inet_aton(self._interface))
            line.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined)
            loop = asyncio.get_running_loop()
            self._transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=line)
        except BaseException:
            line.close()
            raise

    def stop(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        probe = _MESSAGE_ID.search(data)
        if b"Probe" not in data or probe is None or self._transport is None:
            return
        answer = _MATCH.format(
            id=uuid.uuid4(),
            probe=probe[1].decode(),
            device=self._device,
            name=self._name,
            address=self._address,
        )
        self._transport.sendto(answer.encode(), addr)
