"""Who the edge is: its files, its TLS, and what it makes of a clock that is wrong."""

import asyncio
import ssl
from pathlib import Path

import pytest

from central.trust.authority import new_server_key, pem_of, server_key_pem
from contract.certificates import media_name
from contract.ids import EdgeId
from contract.keys import Signer
from edge.enrolling import Keys
from edge.errors import IdentityFault, KeyExposed
from edge.identity import FOLDER, is_clock_beside_itself, keep_identity, load_identity
from edge.link import Link
from edge.settings import BrokerSettings
from edge.technician import doctor_command
from tests.support.certs import DAY_MS, County, media_request, now_ms, request

TOPIC = b"casewatch/1/liuxu/down/receipt"


@pytest.fixture
def county(tmp_path: Path) -> County:
    return County(tmp_path / "centre", "liuxu")


def files(county: County, edge: str = "liuxu", at_ms: int | None = None) -> dict[str, bytes]:
    """What an enrolment leaves."""
    signer, media = Signer.new(), new_server_key()
    at_ms = now_ms() if at_ms is None else at_ms
    own = county.authority.issue_edge(request(signer), edge, at_ms)
    served = county.authority.issue_media(media_request(media), media_name(edge), at_ms)
    return {
        "edge.pem": signer.pem() + pem_of(own),
        "media.pem": server_key_pem(media) + pem_of(served),
        "ca.pem": county.ca.read_bytes(),
        "central.pem": (county.trust / "central.pem").read_bytes(),
        "centre": b"127.0.0.1:8460\n",
    }


def test_an_identity_is_kept_for_its_owner_alone_and_loaded_again(county: County, tmp_path: Path) -> None:
    assert load_identity(tmp_path, "liuxu") is None
    keep_identity(tmp_path, files(county))
    held = load_identity(tmp_path, "liuxu")
    assert held is not None
    assert (tmp_path / FOLDER).stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / FOLDER).iterdir()} == {0o600}
    first = held.keys.signer.public
    keep_identity(tmp_path, files(county))
    again = load_identity(tmp_path, "liuxu")
    assert again is not None
    assert again.keys.signer.public != first
    assert again.keys.central_public == held.keys.central_public
    assert [path.name for path in tmp_path.iterdir() if "identity" in path.name] == [FOLDER]


def test_what_is_no_identity_of_this_edge_is_refused(county: County, tmp_path: Path) -> None:
    good = files(county)
    other = files(county)
    for name, content in (
        ("edge.pem", b"rubbish"),
        (
            "edge.pem",
            good["edge.pem"].split(b"-----BEGIN CERT")[0] + other["edge.pem"].partition(b"KEY-----\n")[2],
        ),
        ("central.pem", good["edge.pem"]),
        ("central.pem", good["ca.pem"]),
    ):
        keep_identity(tmp_path, good | {name: content})
        with pytest.raises(IdentityFault):
            load_identity(tmp_path, "liuxu")
    keep_identity(tmp_path, good)
    with pytest.raises(IdentityFault):
        load_identity(tmp_path, "linhu")


def test_an_identity_that_others_can_read_is_refused_with_the_mend(county: County, tmp_path: Path) -> None:
    keep_identity(tmp_path, files(county))
    (tmp_path / FOLDER / "edge.pem").chmod(0o640)
    with pytest.raises(KeyExposed, match="chmod 600"):
        load_identity(tmp_path, "liuxu")


def test_keys_wait_for_their_answer_and_are_asked_for_again(tmp_path: Path) -> None:
    first = Keys.pending(tmp_path)
    assert Keys.pending(tmp_path).signer.public == first.signer.public
    assert Keys.pending(tmp_path).media_pem() == first.media_pem()


@pytest.mark.parametrize(
    ("at_ms", "is_wrong"),
    [(0, True), (now_ms() - 2 * DAY_MS, True), (now_ms(), False), (now_ms() + 5 * 365 * DAY_MS, True)],
    ids=["1970", "before it was issued", "now", "after its end"],
)
def test_a_clock_outside_our_own_certificate_is_wrong(county: County, at_ms: int, is_wrong: bool) -> None:
    assert is_clock_beside_itself(files(county)["edge.pem"], at_ms) is is_wrong


def test_a_wrong_clock_keeps_nobody_out_and_lets_no_stranger_in(county: County, tmp_path: Path) -> None:
    """As if this box had started in a year long before its certificate."""
    keep_identity(tmp_path, files(county, at_ms=now_ms() + 100 * DAY_MS))
    held = load_identity(tmp_path, "liuxu")
    assert held is not None
    context = held.client_context()
    assert context.verify_flags & 0x200000
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    keep_identity(tmp_path, files(county))
    assert not held.client_context().verify_flags & 0x200000


def publish(n: int) -> bytes:
    """An MQTT 5 packet, QoS 0."""
    body = len(TOPIC).to_bytes(2, "big") + TOPIC + b"\0" + b"%d" % n
    return bytes([0x30, len(body)]) + body


async def test_many_packets_in_one_record_are_all_read_at_once(county: County, tmp_path: Path) -> None:
    """TLS takes the whole record off the socket, which is readable no more while packets are left."""
    keep_identity(tmp_path, files(county))
    held = load_identity(tmp_path, "liuxu")
    assert held is not None
    said = asyncio.Event()

    async def broker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1_024)
        writer.write(bytes.fromhex("2003000000"))
        await writer.drain()
        await reader.read(1_024)
        writer.write(b"".join(publish(n) for n in range(9)))
        await writer.drain()
        said.set()
        await reader.read(1_024)
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(county.trust / "broker.pem", county.trust / "broker.key")
    server = await asyncio.start_server(broker, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    settings = BrokerSettings(host="127.0.0.1", port=port)
    link = Link(settings, EdgeId("liuxu"), lambda: b"{}", held.client_context)
    heard: list[bytes] = []
    all_heard = asyncio.Event()

    def hear(_topic: str, payload: bytes) -> None:
        heard.append(payload)
        if len(heard) == 9:
            all_heard.set()

    link.on_message = hear
    task = asyncio.create_task(link.run())
    async with asyncio.timeout(10):
        await said.wait()
    async with asyncio.timeout(3):
        await all_heard.wait()
    assert heard == [b"%d" % n for n in range(9)]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    server.close()


def test_the_doctor_calls_the_way_to_the_broker_readable_only_before_enrolment(
    county: County, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings_file = tmp_path / "edge.toml"
    settings_file.write_text(
        f'[edge]\nid = "liuxu"\ndata_dir = "{tmp_path}"\n[broker]\nhost = "127.0.0.1"\nport = 1\n'
    )
    doctor_command.run(settings_file, is_json=False)
    before = " ".join(capsys.readouterr().out.split())
    assert "not enrolled" in before
    assert "can be read on the way" in before
    keep_identity(tmp_path, files(county))
    doctor_command.run(settings_file, is_json=False)
    enrolled = " ".join(capsys.readouterr().out.split())
    assert "identity: enrolled, until" in enrolled
    assert "on the way" not in enrolled
