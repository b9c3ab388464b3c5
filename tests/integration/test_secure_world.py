"""As in service: TLS between all, every message signed, the edge enrolled by a code, the shipped broker."""

import ssl
from collections.abc import Iterator

import pytest

from tests.support.eventually import eventually
from tests.support.mosquitto import PATH
from tests.support.world import World

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(PATH is None, reason="needs mosquitto"),
    pytest.mark.timeout(120),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    running = World(tmp_path_factory.mktemp("secure"), cameras=1, secure=True)
    try:
        yield running.start()
    finally:
        running.stop()


def test_a_door_opens_through_all_of_it(world: World) -> None:
    world.flip(world.doors[0], "open")
    eventually(lambda: world.door_states()[world.rooms[0]] == "open", 10, "the open door")
    eventually(world.alerts, 10, "its alert")


def test_the_board_is_reached_by_nobody_who_does_not_verify_it(world: World) -> None:
    stranger = world.client()
    stranger.tls = ssl.create_default_context()
    with pytest.raises(ssl.SSLCertVerificationError):
        stranger.get("/healthz")
