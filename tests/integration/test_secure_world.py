"""As in service: TLS between all, every message signed, the edge enrolled by a code, the shipped broker."""

import json
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.support import mosquitto
from tests.support.certs import County
from tests.support.eventually import eventually
from tests.support.mosquitto import await_listener
from tests.support.processes import CASEWATCH, ENVIRONMENT
from tests.support.world import STATION, World

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(mosquitto.PATH is None, reason="mosquitto is not installed: no real broker was asked"),
    pytest.mark.timeout(120),
]
CENTRAL = ("--config", "central.toml")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    running = World(tmp_path_factory.mktemp("secure"), cameras=1, secure=True)
    try:
        yield running.start()
    finally:
        running.stop()


def refused(world: World, *words: str, typed: str = "") -> str:
    """A command that does not do what it was asked; what it says."""
    done = subprocess.run(
        [*CASEWATCH, *words],
        cwd=world.folder,
        env=ENVIRONMENT,
        input=typed,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0, done.stdout
    return done.stderr


def kinds(world: World) -> list[str]:
    return [event["row"]["kind"] for event in world.events()]


def open_and_close(world: World, n: int) -> None:
    """A door that the centre must see."""
    for value, state in (("open", "open"), ("closed", "closed")):
        world.flip(world.doors[n], value)
        eventually(lambda state=state: world.door_states()[world.rooms[n]] == state, 15, f"door {n} {state}")


def test_a_door_opens_through_all_of_it(world: World) -> None:
    open_and_close(world, 0)
    eventually(world.alerts, 10, "its alert")


def test_no_listener_of_the_county_answers_in_the_clear(world: World) -> None:
    """Broker, board, pictures: a plain request gets no answer of their protocol."""
    for port in (world.broker_port, world.web_port, world.media_port):
        with socket.create_connection(("127.0.0.1", port), 5) as line:
            line.settimeout(5)
            line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            try:
                answer = line.recv(64)
            except ConnectionResetError:
                answer = b""
        assert not answer.startswith(b"HTTP"), port


def test_the_board_is_not_shown_to_who_knows_another_authority(world: World) -> None:
    stranger = world.client()
    stranger.tls = ssl.create_default_context()
    with pytest.raises(ssl.SSLCertVerificationError):
        stranger.get("/healthz")


async def test_pictures_are_for_the_centre_and_no_other_of_the_county(world: World, tmp_path: Path) -> None:
    """The token alone opens nothing, nor does the token with another edge's certificate."""
    address = f"wss://127.0.0.1:{world.media_port}/live/{world.rooms[0]}.picture"
    token = (world.folder / "media.token").read_text().strip()
    name = f"{STATION}.edge.casewatch"
    bare = ssl.create_default_context(cafile=world.trust / "ca.pem")
    edge = ssl.create_default_context(cafile=world.trust / "ca.pem")
    edge.load_cert_chain(world.folder / "edge" / "identity" / "edge.pem")
    centre = ssl.create_default_context(cafile=world.trust / "ca.pem")
    centre.load_cert_chain(world.trust / "central.pem", world.trust / "central.key")

    async def look(context: ssl.SSLContext) -> bool:
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http:
            try:
                async with http.ws_connect(address, ssl=context, server_hostname=name) as pictures:
                    return (await pictures.receive(timeout=10)).type is aiohttp.WSMsgType.BINARY
            except (aiohttp.ClientError, ssl.SSLError, OSError):
                return False

    assert not await look(bare)
    assert not await look(edge)
    assert await look(centre)


def test_nobody_else_can_read_the_keys(world: World) -> None:
    for folder in (world.trust, world.folder / "edge" / "identity"):
        assert folder.stat().st_mode & 0o077 == 0
    secrets = [*world.trust.glob("*.key"), world.folder / "edge" / "identity" / "edge.pem"]
    assert [path for path in secrets if path.stat().st_mode & 0o077] == []
    key = world.folder / "edge" / "identity" / "edge.pem"
    key.chmod(0o644)
    try:
        assert "chmod 600" in refused(world, "edge", "renew", "edge.toml")
    finally:
        key.chmod(0o600)


def test_the_doctor_finds_it_well_beside_the_agent(world: World) -> None:
    """And does not end the agent's connection."""
    done = json.loads(world.run("edge", "doctor", "edge.toml", "--json"))
    verdicts = {finding["area"]: finding["verdict"] for finding in done["findings"]}
    assert (verdicts["identity"], verdicts["broker"]) == ("ok", "ok")
    assert world.edge.log.read_text().count("broker_lost") == 0


def test_a_code_of_another_centre_is_told_nothing(world: World, tmp_path: Path) -> None:
    """As where somebody stands between edge and centre with certificates of his own."""
    from contract.certificates import fingerprint  # noqa: PLC0415
    from contract.enrolment import Code  # noqa: PLC0415

    other = County(tmp_path, STATION)
    code = str(Code.new(fingerprint(other.authority.certificate)))
    world.edge.stop()
    said = refused(
        world, "edge", "enrol", "edge.toml", "--centre", f"127.0.0.1:{world.web_port}", typed=f"{code}\n"
    )
    assert "nothing was said to it" in said
    assert "enrolment" not in world.central.tail(2)
    world.edge.start()
    open_and_close(world, 1)


def test_an_edge_renews_its_key_and_loses_nothing(world: World) -> None:
    """Asked for while the agent runs; it speaks with the new key from its next start on."""
    world.run("edge", "renew", "edge.toml")
    open_and_close(world, 2)
    assert world.run("central", "trust", "list", *CENTRAL).count("good") == 2
    world.edge.stop()
    world.edge.start()
    open_and_close(world, 3)
    listed = world.run("central", "trust", "list", *CENTRAL)
    assert (listed.count("good"), listed.count("superseded")) == (1, 1)
    assert kinds(world).count("key.renewed") == 1


def test_a_journal_that_cannot_go_on_is_given_up_at_the_enrolment_and_kept(world: World) -> None:
    """Once, though the first try had a wrong code."""
    from contract.certificates import fingerprint, load  # noqa: PLC0415
    from contract.enrolment import Code  # noqa: PLC0415

    before = {event["epoch"] for event in world.events()}
    world.edge.stop()
    wrong = str(Code.new(fingerprint(load((world.trust / "ca.pem").read_bytes()))))
    words = ("edge", "enrol", "edge.toml", "--centre", f"127.0.0.1:{world.web_port}", "--new-journal")
    assert "trust.code_refused" in refused(world, *words, typed=f"{wrong}\n")
    code = world.run("central", "enrol", STATION, *CENTRAL).splitlines()[-1]
    world.run(*words, typed=f"{code}\n")
    assert len(list((world.folder / "edge").glob("journal.damaged-*.db"))) == 1
    world.edge.start()
    open_and_close(world, 3)
    (epoch,) = {event["epoch"] for event in world.events()} - before
    assert epoch > max(before)


def test_a_revoked_edge_is_believed_no_more_though_the_broker_still_lets_it_in(world: World) -> None:
    """By another process than the centre's, and no restart of anything."""
    world.flip(world.doors[4], "open")
    eventually(lambda: world.door_states()[world.rooms[4]] == "open", 15, "the last that is believed")
    world.run("central", "revoke", STATION, "--reason", "the box was stolen", *CENTRAL)
    world.flip(world.doors[5], "open")
    world.flip(world.doors[5], "closed")
    eventually(lambda: "contract.revoked" in world.central.log.read_text(), 15, "the refusal")
    assert world.door_states()[world.rooms[5]] != "open"
    rows = len(world.events())
    world.flip(world.doors[6], "open")
    world.broker.stop()
    world.broker.start()
    await_listener(world.broker_port)
    eventually(lambda: "CERTIFICATE_REVOKED" in world.edge.log.read_text(), 20, "the broker's refusal")
    assert len(world.events()) == rows
    world.edge.stop()


def test_a_lost_box_is_followed_by_a_new_one_under_its_name(world: World) -> None:
    """Its own key, its own journal; what the old one sent stays stored."""
    before = len(world.events())
    assert "is not enrolled" not in world.run("central", "trust", "list", *CENTRAL)
    shutil.rmtree(world.folder / "edge")
    assert "edge.not_enrolled" in refused(world, "edge", "run", "edge.toml")
    world.enrol()
    world.broker.stop()
    world.broker.start()
    await_listener(world.broker_port)
    world.edge.start()
    open_and_close(world, 7)
    assert len(world.events()) > before
    assert world.run("central", "trust", "list", *CENTRAL).count("revoked") == 3
