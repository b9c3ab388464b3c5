"""Whole MQTT packets out of a stream, and as much of a PUBLISH as whoever stands between has to know."""

from msgspec import Struct

CONNECT, PUBLISH, PUBACK = 1, 3, 4
VERSION_5 = 5
PACKET_MAX = 512 * 1024


class Framer:
    """Bytes in, whole packets out. Raises ValueError for what is no MQTT."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        self._buffer += data
        packets = []
        while (length := _length(self._buffer)) is not None and len(self._buffer) >= length:
            packets.append(bytes(self._buffer[:length]))
            del self._buffer[:length]
        return packets


def _length(buffer: bytearray) -> int | None:
    """Of the packet that begins here, header included; None while its header is not whole."""
    size = 0
    for place in range(4):
        if len(buffer) < place + 2:
            return None
        byte = buffer[place + 1]
        size |= (byte & 0x7F) << (7 * place)
        if not byte & 0x80:
            if size > PACKET_MAX:
                raise ValueError(f"a packet of {size} bytes")
            return place + 2 + size
    raise ValueError("a length of more than four bytes")


def kind(packet: bytes) -> int:
    return packet[0] >> 4


def version(connect: bytes) -> int:
    """The protocol version that a CONNECT asks for: 4 is MQTT 3.1.1."""
    body = _body(connect)
    return body[2 + int.from_bytes(body[:2])]


class Publish(Struct, frozen=True):
    """`id` is 0 at QoS 0. `properties`: their bytes with their length, empty before MQTT 5."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    id: int
    properties: bytes = b""


def read_publish(packet: bytes, mqtt_version: int) -> Publish:
    body = _body(packet)
    qos = packet[0] >> 1 & 3
    end = 2 + int.from_bytes(body[:2])
    topic, number = body[2:end].decode(), 0
    if qos:
        number, end = int.from_bytes(body[end : end + 2]), end + 2
    properties = b""
    if mqtt_version == VERSION_5:
        size, place = 0, 0
        while True:
            byte = body[end + place]
            size |= (byte & 0x7F) << (7 * place)
            place += 1
            if not byte & 0x80:
                break
        properties, end = body[end : end + place + size], end + place + size
    return Publish(topic, body[end:], qos, bool(packet[0] & 1), number, properties)


def write_publish(publish: Publish) -> bytes:
    topic = publish.topic.encode()
    body = len(topic).to_bytes(2) + topic
    if publish.qos:
        body += publish.id.to_bytes(2)
    body += publish.properties + publish.payload
    return bytes([PUBLISH << 4 | publish.qos << 1 | publish.retain]) + _varint(len(body)) + body


def puback(number: int) -> bytes:
    return bytes([PUBACK << 4, 2]) + number.to_bytes(2)


def _body(packet: bytes) -> bytes:
    place = 1
    while packet[place] & 0x80:
        place += 1
    return packet[place + 1 :]


def _varint(number: int) -> bytes:
    out = bytearray()
    while True:
        number, low = divmod(number, 128)
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)
