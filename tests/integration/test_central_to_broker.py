"""The centre's link with a real broker; an edge is played by this file."""

import asyncio
import queue
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from central.ingest.link import Link
from central.settings import BrokerSettings
from contract import messages, topics
from contract.ids import EdgeId
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

    async def await_status(self, state: str) -> CentralStatus:
        while True:
            topic, payload = await asyncio.to_thread(self.heard.get, timeout=20)
            if topic == topics.CENTRAL_STATUS:
                status = messages.decode(CentralStatus, payload)
                if status.state == state:
                    return status

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Centre:
    """A link, and what it was given."""

    def __init__(self, port: int) -> None:
        self.link = Link(BrokerSettings(port=port))
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
