"""The centre's link with a real broker; an edge is played by this file."""

import asyncio
import queue
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from structlog.testing import capture_logs

from central.ingest.link import CLIENT_ID, Link
from central.settings import BrokerSettings
from contract import messages, topics
from contract.errors import ContractError
from contract.ids import EdgeId
from contract.limits import MESSAGE_MAX_BYTES
from contract.messages import CentralStatus
from tests.support import mosquitto
from tests.support.eventually import eventually
from tests.support.mosquitto import await_listener
from tests.support.ports import free_ports
from tests.support.processes import Process

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(mosquitto.PATH is None, reason="needs mosquitto"),
]
BEAT = topics.up(EdgeId("liuxu"), topics.Up.BEAT)
RECEIPT = topics.down(EdgeId("liuxu"), topics.Down.RECEIPT)

EARLIER_WILL = messages.encode(CentralStatus(state="offline", instance="an earlier start", at=1))


class Edge:
    """Hears what the centre says."""

    def __init__(self, port: int) -> None:
        self.heard: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="edge")
        self._client.reconnect_delay_set(0.05, 0.1)
        self._client.on_connect = lambda client, *_: client.subscribe(
            [(topics.CENTRAL_STATUS, 1), (RECEIPT, 1)]
        )
        self._client.on_message = lambda _client, _data, said: self.heard.put((said.topic, said.payload))
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def say(self, payload: bytes) -> None:
        self._client.publish(BEAT, payload, qos=1)

    def stand_in_the_centres_place(self, payload: bytes) -> None:
        self._client.publish(topics.CENTRAL_STATUS, payload, qos=1, retain=True)

    async def await_status(self, state: str) -> CentralStatus:
        while True:
            topic, payload = await asyncio.to_thread(self.heard.get, timeout=20)
            if topic == topics.CENTRAL_STATUS:
                with suppress(ContractError):  # what somebody else said in its place
                    status = messages.decode(CentralStatus, payload)
                    if status.state == state:
                        return status

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Centre:
    """A link, and what it was given."""

    def __init__(self, port: int, **credentials: str) -> None:
        self.link = Link(BrokerSettings(port=port, **credentials))
        self.came: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        self.task = asyncio.create_task(self.link.run(self._receive), name="link")

    def _receive(self, topic: str, payload: bytes, _received_ms: int, _mono_s: float) -> None:
        self.came.put_nowait((topic, payload))

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


@pytest.fixture
def broker(tmp_path: Path, port: int) -> Iterator[Process]:
    made = mosquitto.mosquitto(tmp_path, port)
    made.start()
    await_listener(port)
    yield made
    made.kill()


@pytest.fixture
async def centre(broker: Process, port: int) -> AsyncIterator[Centre]:
    made = Centre(port)
    yield made
    await made.stop()


@pytest.fixture
def edge(broker: Process, port: int) -> Iterator[Edge]:
    made = Edge(port)
    yield made
    made.close()


async def test_the_centre_says_that_it_is_there_hears_edges_and_answers(centre: Centre, edge: Edge) -> None:
    await edge.await_status("online")
    edge.say(b"beat")
    async with asyncio.timeout(20):
        assert await centre.came.get() == (BEAT, b"beat")
    centre.link.publish(RECEIPT, b"receipt")
    async with asyncio.timeout(20):
        assert await asyncio.to_thread(edge.heard.get, timeout=20) == (RECEIPT, b"receipt")


async def test_a_broker_that_was_killed_and_comes_back_empty_is_found_again(
    centre: Centre, edge: Edge, broker: Process, port: int
) -> None:
    first = await edge.await_status("online")
    broker.kill()
    await asyncio.to_thread(eventually, lambda: not centre.link.is_connected)
    centre.link.publish(RECEIPT, b"dropped, the edge asks again")
    broker.start()
    again = await edge.await_status("online")
    assert again.instance == first.instance
    edge.say(b"back")
    async with asyncio.timeout(20):
        assert await centre.came.get() == (BEAT, b"back")


async def test_a_centre_that_stops_says_goodbye_and_its_next_start_is_another_instance(
    centre: Centre, edge: Edge, port: int
) -> None:
    first = await edge.await_status("online")
    await centre.stop()
    assert (await edge.await_status("offline")).instance == first.instance
    second = Centre(port)
    assert (await edge.await_status("online")).instance != first.instance
    await second.stop()


@pytest.mark.parametrize("said", [EARLIER_WILL, b"{", b""])
async def test_what_stands_in_the_centres_place_is_set_right_while_it_is_there(
    centre: Centre, edge: Edge, port: int, said: bytes
) -> None:
    ours = await edge.await_status("online")
    edge.stand_in_the_centres_place(said)
    assert (await edge.await_status("online")).instance == ours.instance
    newcomer = Edge(port)
    assert (await newcomer.await_status("online")).instance == ours.instance
    newcomer.close()


async def test_a_will_of_its_own_that_is_told_late_does_not_stand_while_the_centre_is_there(
    centre: Centre, edge: Edge, port: int
) -> None:
    ours = await edge.await_status("online")
    edge.stand_in_the_centres_place(
        messages.encode(CentralStatus(state="offline", instance=ours.instance, at=1))
    )
    await edge.await_status("offline")
    assert (await edge.await_status("online")).instance == ours.instance


async def test_a_start_ends_at_once_what_an_earlier_one_left_half_open(edge: Edge, port: int) -> None:
    halted = Client(CallbackAPIVersion.VERSION2, client_id=CLIENT_ID)
    halted.will_set(topics.CENTRAL_STATUS, EARLIER_WILL, qos=1, retain=True)
    halted.connect("127.0.0.1", port, keepalive=600)
    while not halted.is_connected():
        halted.loop()
    centre = Centre(port)
    assert (await edge.await_status("offline")).instance == "an earlier start"
    await edge.await_status("online")
    await centre.stop()
    halted.socket().close()


async def test_a_password_file_that_is_away_is_a_lost_broker_and_is_read_when_it_is_back(
    broker: Process, edge: Edge, port: int, tmp_path: Path
) -> None:
    file = tmp_path / "broker.password"
    with capture_logs() as logs:
        centre = Centre(port, username="centre", password_file=str(file))
        await asyncio.to_thread(eventually, lambda: logs)
    assert [entry["event"] for entry in logs] == ["broker_lost"]
    file.write_text("secret")
    await edge.await_status("online")
    await centre.stop()


class Packets:
    """A broker that takes the first so many connections, and of each keeps the CONNECT."""

    def __init__(self, taken: int) -> None:
        self.connects: asyncio.Queue[bytes] = asyncio.Queue()
        self._taken = taken

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connects.put_nowait(await reader.read(1_024))
        if self._taken:
            self._taken -= 1
            writer.write(bytes.fromhex("2003000000"))
            await reader.read(1_024)
        writer.close()


@pytest.mark.parametrize(("taken", "spoken"), [(0, [5, 4, 5]), (1, [5, 5, 5])])
async def test_a_broker_that_once_took_mqtt_5_is_never_spoken_to_in_less(
    taken: int, spoken: list[int]
) -> None:
    packets = Packets(taken)
    async with await asyncio.start_server(packets.serve, "127.0.0.1", 0) as server:
        centre = Centre(server.sockets[0].getsockname()[1])
        async with asyncio.timeout(20):
            connects = [await packets.connects.get() for _ in spoken]
        await centre.stop()
    version = [packet[packet.index(b"MQTT") + 4] for packet in connects]
    assert version == spoken
    maximum = b"\x27" + (MESSAGE_MAX_BYTES + 4_096).to_bytes(4)
    assert [maximum in packet for packet in connects] == [number == 5 for number in version]
