"""The doctor judges each thing by itself, says the mend, and goes on."""

import os
import socket
import sqlite3
import struct
import termios
from pathlib import Path

import pytest
import serial

from contract.ids import EdgeId, Epoch
from contract.messages import CentralStatus, encode
from contract.points import Clock
from edge import data_folder
from edge.clock import Stamp
from edge.journal_file import FILE_NAME, JournalFile
from edge.journal_verify import Verdict as Verified
from edge.journal_verify import verify
from edge.proposals import Draft
from edge.settings import (
    BrokerSettings,
    BusSettings,
    CameraSettings,
    DeviceSettings,
    EdgeSettings,
    MediaSettings,
    Settings,
)
from edge.technician import doctor_journal, doctor_machine, doctor_network
from edge.technician.finding import Verdict

NOW = 1_700_000_000_000


def settings(data_dir: Path, **more: object) -> Settings:
    edge = EdgeSettings(id="liuxu", data_dir=str(data_dir))
    return Settings(**{"edge": edge, "broker": BrokerSettings(host="127.0.0.1", port=1), **more})


def port(device: object) -> BusSettings:
    return BusSettings(id="cab", kind="serial", device=str(device))


@pytest.fixture
def terminal():
    master, slave = os.openpty()
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


def test_a_port_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    found = doctor_machine.check_port(port(tmp_path / "ttyX"), None)
    assert (found.verdict, "plug the adapter in" in found.mend) == (Verdict.FAULT, True)


def test_a_file_is_no_port(tmp_path: Path) -> None:
    (tmp_path / "ttyX").touch()
    assert "is no serial port" in doctor_machine.check_port(port(tmp_path / "ttyX"), None).text


def test_a_port_somebody_else_holds_is_a_fault_and_the_agents_own_is_well(terminal: str) -> None:
    free = doctor_machine.check_port(port(terminal), None)
    assert (free.verdict, "free" in free.text) == (Verdict.OK, True)
    with serial.Serial(terminal, exclusive=True):
        held = doctor_machine.check_port(port(terminal), None)
        own = doctor_machine.check_port(port(terminal), os.getpid())
    assert (held.verdict, str(os.getpid()) in held.mend) == (Verdict.FAULT, True)
    assert (own.verdict, "held by the agent" in own.text) == (Verdict.OK, True)


def test_a_free_port_beside_a_running_agent_is_doubtful(terminal: str) -> None:
    assert doctor_machine.check_port(port(terminal), 1).verdict is Verdict.DOUBTFUL


def test_looking_at_a_port_does_not_touch_it(terminal: str) -> None:
    descriptor = os.open(terminal, os.O_RDWR | os.O_NOCTTY)
    with serial.Serial(terminal, exclusive=True):
        held = termios.tcgetattr(descriptor)
        doctor_machine.check_port(port(terminal), os.getpid())
        assert termios.tcgetattr(descriptor) == held
    os.close(descriptor)


def test_a_folder_that_is_not_there_is_doubtful_and_not_made(tmp_path: Path) -> None:
    (found,) = doctor_machine.check_disk(settings(tmp_path / "none"))
    assert found.verdict is Verdict.DOUBTFUL
    assert not (tmp_path / "none").exists()


def test_a_writable_folder_is_well_and_left_as_it_was(tmp_path: Path) -> None:
    assert [f.area for f in doctor_machine.check_disk(settings(tmp_path))] == ["disk", "fsync"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("mode", "verdict"), [(0o600, Verdict.OK), (0o644, Verdict.DOUBTFUL)])
def test_a_secret_is_its_owners(tmp_path: Path, mode: int, verdict: Verdict) -> None:
    token = tmp_path / "token"
    token.write_text("x")
    token.chmod(mode)
    media = MediaSettings(port=1, token_file=str(token))
    (secret,) = doctor_machine.check_secrets(settings(tmp_path, media=media))
    assert secret.verdict is verdict


def secrets_of(folder: Path, **more: object) -> dict[str, doctor_machine.Finding]:
    found = doctor_machine.check_secrets(settings(folder, **more))
    return {finding.area: finding for finding in found}


def test_every_secret_of_the_settings_is_looked_at_once(tmp_path: Path) -> None:
    names = ("broker", "media", "camera", "onvif", "osdp", "pin")
    files = {name: str(tmp_path / name) for name in names}
    for name in names:
        Path(files[name]).write_text("x")
        Path(files[name]).chmod(0o600)
    options = (
        ("onvif_camera", {"user": "viewer", "password_file": files["onvif"]}),
        ("osdp_reader", {"key_file": files["osdp"]}),
        ("osdp_reader", {"key_file": files["osdp"]}),
        ("sms_modem", {"pin_file": files["pin"]}),
        ("sms_modem", {"pin_file": ""}),
        ("lock_krcu", {"board": "cu16"}),
    )
    found = secrets_of(
        tmp_path,
        broker=BrokerSettings(host="127.0.0.1", username="liuxu", password_file=files["broker"]),
        media=MediaSettings(port=1, token_file=files["media"]),
        device=tuple(
            DeviceSettings(id=f"d{n}", bus="b", driver=driver, options=own)
            for n, (driver, own) in enumerate(options)
        ),
        camera=(CameraSettings(point="a.picture", onvif="10.0.0.1:80", password_file=files["camera"]),),
    )
    assert sorted(found) == sorted(f"secret {name}" for name in names)
    assert {finding.verdict for finding in found.values()} == {Verdict.OK}


def pin(path: Path) -> dict[str, object]:
    device = DeviceSettings(id="m", bus="b", driver="sms_modem", options={"pin_file": str(path)})
    return {"device": (device,)}


@pytest.mark.parametrize(("text", "says"), [(None, "No such file"), ("", "is empty"), (" \n", "is empty")])
def test_a_secret_that_is_not_there_or_empty_is_a_fault(tmp_path: Path, text: str | None, says: str) -> None:
    path = tmp_path / "pin"
    if text is not None:
        path.write_text(text)
        path.chmod(0o600)
    (found,) = secrets_of(tmp_path, **pin(path)).values()
    assert (found.verdict, says in found.text) == (Verdict.FAULT, True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away: whose a secret is stays unproven")
@pytest.mark.parametrize(
    ("agent", "owner", "mode", "verdict"),
    [
        (1_234, 1_234, 0o600, Verdict.OK),
        (1_234, 0, 0o600, Verdict.FAULT),
        (1_234, 1_234, 0o200, Verdict.FAULT),
        (0, 1_234, 0o600, Verdict.DOUBTFUL),
    ],
)
def test_a_secret_is_the_agents_users(
    tmp_path: Path, agent: int, owner: int, mode: int, verdict: Verdict
) -> None:
    path, folder = tmp_path / "pin", tmp_path / "data"
    path.write_text("1234")
    path.chmod(mode)
    folder.mkdir()
    os.chown(path, owner, -1)
    os.chown(folder, agent, -1)
    (found,) = secrets_of(folder, **pin(path)).values()
    assert found.verdict is verdict


def test_the_clocks_own_word_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    class Synced:
        state = Clock.SYNCED

    class Free:
        state = Clock.FREE

    for clock, verdict in ((Synced, Verdict.OK), (Free, Verdict.DOUBTFUL)):
        monkeypatch.setattr(doctor_machine, "SystemClock", clock)
        assert doctor_machine.check_clock().verdict is verdict


def central(state: str, at: int) -> bytes:
    return encode(CentralStatus(state=state, instance="c", at=at))


@pytest.mark.parametrize(
    ("retained", "verdict", "says"),
    [
        (None, Verdict.FAULT, "nothing on casewatch/1/central/status"),
        (b"{}", Verdict.FAULT, "cannot be read"),
        (central("offline", NOW), Verdict.FAULT, "offline since"),
        (central("online", NOW - 86_400_000), Verdict.OK, "online since"),
        (central("online", NOW + 1_000), Verdict.OK, "online since"),
        (central("online", NOW + 60_000), Verdict.FAULT, "at least 60 s behind"),
    ],
)
def test_the_centre_is_judged_by_what_it_left(retained: bytes | None, verdict: Verdict, says: str) -> None:
    found = doctor_network.judge_centre(retained, NOW)
    assert (found.verdict, says in found.text) == (verdict, True)


async def test_lines_are_looked_at_all_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        there = listener.getsockname()[1]
        lines = (
            BusSettings(id="a", kind="modbus_tcp", host="127.0.0.1", port=there),
            BusSettings(id="b", kind="modbus_tcp", host="127.0.0.1", port=1),
            BusSettings(id="c", kind="modbus_tcp", host="no.such.host.invalid", port=1),
        )
        camera = CameraSettings(point="a.picture", url="rtsp://me:secret@127.0.0.1:1/s")
        found = await doctor_network.check_lines(settings(tmp_path, bus=lines, camera=(camera,)))
    verdicts = [finding.verdict for finding in found]
    assert verdicts == [Verdict.OK, Verdict.FAULT, Verdict.FAULT, Verdict.FAULT]
    assert "secret" not in "".join(finding.text + finding.mend for finding in found)


@pytest.mark.parametrize("host", ["a..b", "a" * 64])
async def test_a_name_that_cannot_be_looked_up_is_a_fault(tmp_path: Path, host: str) -> None:
    bus = BusSettings(id="a", kind="modbus_tcp", host=host)
    (module,) = await doctor_network.check_lines(settings(tmp_path, bus=(bus,)))
    broker, centre = await doctor_network.check_broker(BrokerSettings(host=host))
    for found in (module, broker, centre):
        assert found.verdict is Verdict.FAULT
    assert "has no address" in module.text


@pytest.mark.parametrize("url", ["rtsp://me:secret@[::1/s", "rtsp://me:secret@10.0.0.1:99999/s"])
async def test_a_cameras_url_that_is_none_is_a_fault_and_not_quoted(tmp_path: Path, url: str) -> None:
    camera = CameraSettings(point="a.picture", url=url)
    (found,) = await doctor_network.check_lines(settings(tmp_path, camera=(camera,)))
    assert found.verdict is Verdict.FAULT
    assert "secret" not in found.text + found.mend


async def test_a_module_that_is_connected_already_gets_no_second_connection(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        listener.settimeout(0.2)
        with socket.create_connection(address), listener.accept()[0]:
            assert address in doctor_network.established()
            bus = BusSettings(id="a", kind="modbus_tcp", host="127.0.0.1", port=address[1])
            (found,) = await doctor_network.check_lines(settings(tmp_path, bus=(bus,)))
            assert "already" in found.text
            with pytest.raises(TimeoutError):
                listener.accept()


def test_the_kernels_list_is_read_in_its_byte_order() -> None:
    (word,) = struct.unpack("=I", socket.inet_aton("10.0.0.7"))
    assert doctor_network._far_end(f"{word:08X}:01F6", socket.AF_INET) == ("10.0.0.7", 502)


async def test_a_broker_that_is_not_there_makes_the_centre_unseen() -> None:
    broker, centre = await doctor_network.check_broker(BrokerSettings(host="127.0.0.1", port=1))
    assert (broker.verdict, centre.verdict) == (Verdict.FAULT, Verdict.FAULT)
    assert "mosquitto" in broker.mend


def journal(folder: Path, rows: int = 5, at: int = NOW) -> Path:
    file = JournalFile(folder / FILE_NAME, EdgeId("liuxu"), Epoch(7))
    for n in range(rows):
        file.append([Draft("edge.started", Stamp(at + n, n, "b0", Clock.FREE), data={"session": n})], {})
    file.close()
    return folder / FILE_NAME


def test_a_sound_journal_is_told_with_head_and_receipts(tmp_path: Path) -> None:
    journal(tmp_path)
    found = list(doctor_journal.check_journal(settings(tmp_path)))
    assert [f.area for f in found] == ["journal", "receipts"]
    assert "head 5" in found[0].text
    assert (found[1].verdict, "0 of 5" in found[1].text) == (Verdict.DOUBTFUL, True)


def test_a_row_of_the_future_says_that_the_clock_went_back(tmp_path: Path) -> None:
    journal(tmp_path, at=4_000_000_000_000)
    *_, clock = doctor_journal.check_journal(settings(tmp_path))
    assert (clock.area, clock.verdict) == ("clock", Verdict.FAULT)


def test_an_edited_journal_is_a_fault(tmp_path: Path) -> None:
    db = sqlite3.connect(journal(tmp_path))
    with db:
        db.execute("DELETE FROM row WHERE seq = 3")
    db.close()
    (found,) = doctor_journal.check_journal(settings(tmp_path))
    assert (found.verdict, "row 3 is missing" in found.text) == (Verdict.FAULT, True)


def test_what_is_no_journal_is_a_fault_and_none_is_doubtful(tmp_path: Path) -> None:
    assert [f.verdict for f in doctor_journal.check_journal(settings(tmp_path))] == [Verdict.DOUBTFUL]
    (tmp_path / FILE_NAME).write_bytes(b"nothing of ours" * 100)
    assert [f.verdict for f in doctor_journal.check_journal(settings(tmp_path))] == [Verdict.FAULT]


@pytest.mark.parametrize(
    ("bad", "newest", "is_found"), [(8, 5, True), (3, 5, False), (3, 100, True), (3, None, True)]
)
def test_the_newest_rows_are_verified_alone(
    tmp_path: Path, bad: int, newest: int | None, is_found: bool
) -> None:
    path = journal(tmp_path, rows=10)
    db = sqlite3.connect(path)
    with db:
        db.execute("UPDATE row SET hash = x'00' WHERE seq = ?", (bad,))
    db.close()
    verdict = verify(path, newest)
    assert (verdict.bad_seq is not None) == is_found
    assert is_found or verdict.last == 10


@pytest.mark.parametrize(
    ("waiting", "verdict"),
    [(None, Verdict.OK), (NOW - 60_000, Verdict.OK), (NOW - 600_000, Verdict.DOUBTFUL)],
)
def test_rows_that_wait_long_for_a_receipt_are_doubtful(waiting: int | None, verdict: Verdict) -> None:
    found = doctor_journal.judge_receipts(Verified("liuxu", 7, 1, 9, 4), waiting, NOW)
    assert (found.verdict, "4 of 9" in found.text) == (verdict, True)


def test_who_holds_the_data_folder_is_known_and_survives_a_second_try(tmp_path: Path) -> None:
    assert data_folder.holder(tmp_path) is None
    with data_folder.hold(tmp_path):
        with pytest.raises(Exception, match="another process"):
            data_folder.hold(tmp_path)
        assert data_folder.holder(tmp_path) == os.getpid()
    assert data_folder.holder(tmp_path) is None
