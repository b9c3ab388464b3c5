"""The doctor asks a real broker, beside an agent that runs, and disturbs neither."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from contract import topics
from contract.messages import CentralStatus, encode
from edge.settings import BrokerSettings
from edge.technician import doctor_network
from edge.technician.finding import Verdict
from tests.support import mosquitto
from tests.support.eventually import eventually
from tests.support.mosquitto import await_listener
from tests.support.ports import free_ports
from tests.support.processes import CASEWATCH, Process
from tests.support.world import World

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(mosquitto.PATH is None, reason="mosquitto is not installed: no real broker was asked"),
]


def leave_status(port: int, status: CentralStatus) -> None:
    """Retained at the broker, as a centre leaves it."""
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.publish(topics.CENTRAL_STATUS, encode(status), 1, retain=True).wait_for_publish(5)
    client.disconnect()
    client.loop_stop()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[tuple[Process, int]]:
    port = free_ports(1)[0]
    process = mosquitto.mosquitto(tmp_path, port)
    process.start()
    await_listener(port)
    yield process, port
    process.stop()


async def test_a_broker_with_a_centre_behind_it_is_well(broker: tuple[Process, int]) -> None:
    _, port = broker
    leave_status(port, CentralStatus(state="online", instance="c1", at=time.time_ns() // 1_000_000))
    found = await doctor_network.check_broker(BrokerSettings(host="127.0.0.1", port=port))
    assert [finding.verdict for finding in found] == [Verdict.OK, Verdict.OK]
    assert "MQTT 5" in found[0].text


async def test_a_broker_without_a_centre_says_so(broker: tuple[Process, int]) -> None:
    _, port = broker
    took, centre = await doctor_network.check_broker(BrokerSettings(host="127.0.0.1", port=port))
    assert (took.verdict, centre.verdict) == (Verdict.OK, Verdict.FAULT)


async def test_a_broker_that_refuses_is_a_fault_with_its_reason(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    process = mosquitto.mosquitto(tmp_path, port)
    path = tmp_path / "mosquitto.conf"
    path.write_text(path.read_text().replace("allow_anonymous true", "allow_anonymous false"))
    process.start()
    try:
        await_listener(port)
        refused, centre = await doctor_network.check_broker(BrokerSettings(host="127.0.0.1", port=port))
    finally:
        process.stop()
    assert refused.verdict is Verdict.FAULT
    assert "not authori" in refused.text.lower()
    assert centre.mend == "mend the broker first"


def test_it_works_beside_a_running_agent_and_leaves_it_alone(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.broker.start()
    await_listener(world.broker_port)
    world.sim.start()
    await_listener(world.control_port)
    world.edge.start()
    try:
        eventually(lambda: "broker_connected" in world.edge.tail(), 20, "the agent's connection")
        leave_status(world.broker_port, CentralStatus(state="online", instance="c", at=1))
        command = [*CASEWATCH, "edge", "doctor", "edge.toml", "--json"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        findings = {finding["area"]: finding for finding in json.loads(done.stdout)["findings"]}
        assert done.returncode == 0, done.stdout
        assert f"process {world.edge.pid}" in findings["agent"]["text"]
        module = next(finding for area, finding in findings.items() if area.startswith("module "))
        assert "already" in module["text"], "a second connection might have thrown the agent out"
        assert findings["journal"]["verdict"] == findings["centre"]["verdict"] == "ok"
        assert findings["identity"]["verdict"] == "doubtful", "it is not enrolled"
        log = world.edge.tail(100)
        assert "broker_lost" not in log
        assert "device_lost" not in log
    finally:
        world.stop()
