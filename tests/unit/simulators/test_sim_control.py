"""What the control refuses, and that it says why: numbers without end, healings without a cable."""

import tomllib
from collections.abc import AsyncIterator

import aiohttp
import pytest

from simulators.control.server import ControlServer
from simulators.installation import Installation
from simulators.scenario_file import parse_scenario

SITE = """
[control]
port = 0
[[cable]]
id = "one"
speaks = "modbus-tcp"
tcp = 0
[[cable]]
id = "two"
speaks = "modbus-tcp"
tcp = 0
[[device]]
id = "io1"
cable = "one"
make = "moxa-e1210"
[[device]]
id = "io2"
cable = "two"
make = "moxa-e1210"
"""
LOST = {"cable": "one", "kind": "lost"}


class Control:
    """The control of two cables, in this process."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def get(self, path: str) -> tuple[int, dict[str, object]]:
        async with self._http.get(path) as answer:
            return answer.status, await answer.json()

    async def post(self, path: str, body: dict[str, object]) -> tuple[int, dict[str, object]]:
        async with self._http.post(path, json=body) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def control() -> AsyncIterator[Control]:
    installation = Installation(parse_scenario(tomllib.loads(SITE)), lambda _: None)
    server = ControlServer(installation)
    await installation.start()
    await server.start()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as http:
        yield Control(http)
    await server.stop()
    await installation.stop()


@pytest.mark.parametrize("path", ["/record?after=", "/frames?cable=one&after="])
@pytest.mark.parametrize("digits", [23, 5_000])
async def test_a_number_without_end_is_refused(control: Control, path: str, digits: int) -> None:
    status, told = await control.get(path + "9" * digits)
    assert (status, told["code"]) == (422, "sim.bad_value")
    assert (await control.get(path + "9" * 15))[0] == 200


@pytest.mark.parametrize("field", ["every", "count"])
async def test_a_fault_without_end_is_refused(control: Control, field: str) -> None:
    assert (await control.post("/faults", LOST | {field: 10**30}))[0] == 422
    assert (await control.get("/faults"))[0] == 200


async def test_a_fault_that_cannot_strike_is_refused_and_says_why(control: Control) -> None:
    body: dict[str, object] = {"cable": "one", "kind": "babble", "unit": 1}
    status, told = await control.post("/faults", body)
    assert status == 422
    assert "whole line" in str(told["message"])


async def test_a_fault_is_healed_on_its_own_cable_only(control: Control) -> None:
    for cable in ("one", "two"):
        assert (await control.post("/faults", LOST | {"cable": cable}))[1] == {"id": 1}
    assert (await control.post("/faults/heal", {"id": 1}))[0] == 422
    _, told = await control.get("/faults")
    assert [fault["cable"] for fault in told["active"]] == ["one", "two"]  # type: ignore[attr-defined]
    assert (await control.post("/faults/heal", {"cable": "one", "id": 1}))[0] == 200
    _, told = await control.get("/faults")
    assert [fault["cable"] for fault in told["active"]] == ["two"]  # type: ignore[attr-defined]
