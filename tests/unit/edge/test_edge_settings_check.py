"""Every fault of a settings file at once, each at its line."""

from pathlib import Path

import pytest

from edge.errors import SettingsFault
from edge.settings_check import CheckedSettings, check, fingerprint, load
from tests.support.edge_settings import SOUND

ROOT = Path(__file__).parents[3]

TCP_LINE = 'kind = "modbus_tcp"\nhost = "192.0.2.1"'

TEN_FAULTS = """\
[edge]
id = "Liu Xu"
data_dir = "edge"
simulatd = true

[broker]
port = 70000

[[bus]]
id = "io"
kind = "modbus_tcp"

[[device]]
id = "io1"
bus = "io0"
driver = "modbus_di"
profile = "adam-6051"

[[device]]
id = "io1"
bus = "io"
driver = "modbus_di"
profile = "adam-6050"

[[point]]
id = "liuxu.int1.door"
type = "window"
device = "io1"
channel = "di:0"

[[point]]
id = "liuxu.int2.door"
type = "door"
device = "io9"
channel = "di:1"
"""


def checked(folder: Path, text: str) -> CheckedSettings:
    path = folder / "edge.toml"
    path.write_text(text)
    return check(path)


def said(folder: Path, text: str) -> list[str]:
    """Problems without the file's name."""
    return [str(problem).rpartition("edge.toml:")[2] for problem in checked(folder, text).problems]


def test_sound_file_has_nothing_to_say(tmp_path: Path) -> None:
    result = checked(tmp_path, SOUND)
    assert result.problems == []
    assert result.settings is not None
    assert result.settings.device[0].interval_ms == 100


def test_ten_faults_are_ten_lines_each_at_its_place(tmp_path: Path) -> None:
    problems = checked(tmp_path, TEN_FAULTS).problems
    assert [(problem.line, problem.path) for problem in problems] == [
        (2, "edge.id"),
        (4, "edge.simulatd"),
        (6, "broker.host"),
        (7, "broker.port"),
        (9, "bus[0].host"),
        (15, "device[0].bus"),
        (17, "device[0].profile"),
        (20, "device[1].id"),
        (27, "point[0].type"),
        (34, "point[1].device"),
    ]


def test_misspelt_names_come_with_the_nearest_known_one(tmp_path: Path) -> None:
    hints = {problem.path: problem.hint for problem in checked(tmp_path, TEN_FAULTS).problems}
    assert hints["edge.simulatd"] == "did you mean simulated?"
    assert hints["device[0].bus"] == "did you mean io?"
    assert hints["device[0].profile"] == "did you mean adam-6050?"
    assert hints["point[1].device"] == "did you mean io1?"


SINGLE_FAULTS = {
    "no TOML": (SOUND.replace('id = "liuxu"', "id = liuxu"), "2: is no TOML"),
    "missing table": (SOUND.partition("[broker]")[0], "0: table [broker] is missing"),
    "unknown table": (SOUND + "[brokr]\n", "24: brokr: unknown table (did you mean broker?)"),
    "single brackets": (SOUND.replace("[[bus]]", "[bus]"), "8: bus: must be written [[bus]]"),
    "serial bus without device": (
        SOUND.replace(TCP_LINE, 'kind = "modbus_rtu"').replace("adam-6050", "waveshare-io8"),
        "8: bus[0].device: is missing",
    ),
    "two points on a channel": (
        SOUND + '[[point]]\nid = "x.door"\ntype = "door"\ndevice = "io1"\nchannel = "di:0"\n',
        "28: point[1].channel: di:0 is liuxu.int1.door already",
    ),
    "point twice": (
        SOUND + '[[point]]\nid = "liuxu.int1.door"\ntype = "door"\ndevice = "io1"\nchannel = "di:1"\n',
        "25: point[1].id: liuxu.int1.door is there twice",
    ),
    "channel the module has not": (
        SOUND.replace("di:0", "di:12"),
        "23: point[0].channel: io1 has no di:12 (it has di:0 to di:11)",
    ),
    "camera named as a point": (
        SOUND + '[[camera]]\npoint = "liuxu.int1.door"\nurl = "rtsp://192.0.2.9/1"\n',
        "25: camera[0].point: liuxu.int1.door is the id of a [[point]] already",
    ),
    "two units with one number": (
        SOUND + '[[device]]\nid = "io2"\nbus = "io"\ndriver = "modbus_di"\nprofile = "adam-6050"\n',
        "24: device[1].unit: 1 is io1 on bus io already",
    ),
    "two masters on a line": (
        SOUND + '[[bus]]\nid = "two"\nkind = "modbus_tcp"\nhost = "192.0.2.1"\n',
        "27: bus[1].host: 192.0.2.1:502 is bus io already",
    ),
    "two masters on a line by two names": (
        SOUND.replace("192.0.2.1", "127.0.0.1")
        + '[[bus]]\nid = "two"\nkind = "modbus_tcp"\nhost = "LocalHost"\n',
        "27: bus[1].host: LocalHost:502 is bus io already",
    ),
    "an address written in two ways": (
        SOUND.replace("192.0.2.1", "2001:db8::1")
        + '[[bus]]\nid = "two"\nkind = "modbus_tcp"\nhost = "2001:0DB8:0:0:0:0:0:1"\n',
        "27: bus[1].host: 2001:0DB8:0:0:0:0:0:1:502 is bus io already",
    ),
    "a name that cannot be looked up": (
        SOUND.replace("192.0.2.1", "a..b"),
        "11: bus[0].host: is no host: a name that DNS can carry",
    ),
    "a modem's type on an input": (
        SOUND.replace('type = "door"', 'type = "modem"'),
        "21: point[0].type: di:0 of io1 is no modem (it takes door or lock or item or tamper)",
    ),
    "lock board on Modbus TCP": (
        SOUND.replace('"modbus_di"\nprofile = "adam-6050"', '"lock_8a"')
        .replace("di:0", "lock:1")
        .replace('type = "door"', 'type = "lock"'),
        "15: device[0].bus: bus: lock_8a needs one of kind serial or serial_tcp, not modbus_tcp",
    ),
    "driver without profile": (
        SOUND.replace('profile = "adam-6050"\n', ""),
        "13: device[0].profile: profile: modbus_di needs one",
    ),
    "password without user": (
        SOUND.replace("[[bus]]", 'password_file = "p"\n[[bus]]', 1),
        "8: broker.password_file: needs a username",
    ),
}


@pytest.mark.parametrize(("text", "problem"), SINGLE_FAULTS.values(), ids=SINGLE_FAULTS)
def test_fault_is_told_once_and_at_its_line(tmp_path: Path, text: str, problem: str) -> None:
    problems = said(tmp_path, text)
    assert len(problems) == 1, problems
    assert problems[0].startswith(problem)


@pytest.mark.parametrize(
    ("secret", "fault"),
    [(None, "cannot be read: No such file"), (b" \n", "is empty"), (b"\xff\xfe", "is not UTF-8")],
    ids=["missing", "empty", "binary"],
)
def test_secret_that_cannot_be_used_is_a_fault_at_its_line(
    tmp_path: Path, secret: bytes | None, fault: str
) -> None:
    file = tmp_path / "secret"
    if secret is not None:
        file.write_bytes(secret)
    broker = f'username = "liuxu"\npassword_file = "{file}"\n[[bus]]'
    media = f'[media]\nport = 8471\ntoken_file = "{file}"\n'
    text = SOUND.replace("[[bus]]", broker, 1) + media
    problems = said(tmp_path, text)
    assert len(problems) == 2
    assert problems[0].startswith(f"9: broker.password_file: {file} {fault}")
    assert problems[1].startswith(f"28: media.token_file: {file} {fault}")
    file.write_text("a secret\n")
    assert checked(tmp_path, text).problems == []


def serial(profile: str, baud: int, interval_ms: int = 100) -> str:
    bus = f'kind = "modbus_rtu"\ndevice = "/dev/ttyS0"\nbaud = {baud}'
    text = SOUND.replace(TCP_LINE, bus)
    return text.replace('profile = "adam-6050"', f'profile = "{profile}"\ninterval_ms = {interval_ms}')


@pytest.mark.parametrize(
    ("device", "wrong", "right"),
    [
        ('driver = "sms_modem"\ninterval_ms = 5000', 'type = "door"\nchannel = "modem"', "modem"),
        ('driver = "lock_8a"\ninterval_ms = 500', 'type = "door"\nchannel = "lock:3"', "lock"),
        ('driver = "lock_8a"\ninterval_ms = 500', 'type = "lock"\nchannel = "item:3"', "item"),
        ('driver = "rfid_m100"\ninterval_ms = 2000', 'type = "item"\nchannel = "antenna:1"', "tamper"),
    ],
)
def test_a_channel_taken_for_what_it_is_not_is_told_with_what_it_takes(
    tmp_path: Path, device: str, wrong: str, right: str
) -> None:
    text = f"""{SOUND}
[[bus]]
id = "line"
kind = "serial"
device = "/dev/ttyS9"
baud = 115200
[[device]]
id = "it"
bus = "line"
{device}
[[point]]
id = "liuxu.int2.thing"
device = "it"
{wrong}
"""
    (problem,) = said(tmp_path, text)
    assert problem.startswith("38: point[1].type: ")
    assert problem.endswith(f"(it takes {right})")
    kind = wrong.partition('"')[2].partition('"')[0]
    assert said(tmp_path, text.replace(f'type = "{kind}"\nchannel', f'type = "{right}"\nchannel')) == []


def test_two_masters_on_a_line_by_two_paths_are_found(tmp_path: Path) -> None:
    port, link = tmp_path / "ttyUSB0", tmp_path / "by-id"
    port.touch()
    link.symlink_to(port)
    text = serial("waveshare-io8", 9600).replace("/dev/ttyS0", str(port))
    text += f'[[bus]]\nid = "two"\nkind = "modbus_rtu"\ndevice = "{link}"\n'
    (problem,) = said(tmp_path, text)
    assert f"bus[1].device: {link} is bus io already" in problem


def test_bus_in_use_by_70_percent_is_refused_and_by_50_warned_of(tmp_path: Path) -> None:
    refused = checked(tmp_path, serial("moxa-r1210", 9600))
    assert refused.settings is None
    assert "of bus io would be in use" in refused.problems[0].text
    warned = checked(tmp_path, serial("moxa-r1210", 9600, 200))
    assert warned.settings is not None
    assert warned.problems[0].is_warning
    assert checked(tmp_path, serial("moxa-r1210", 115_200)).problems == []


def test_timeout_shorter_than_an_exchange_is_a_fault(tmp_path: Path) -> None:
    text = serial("moxa-r1210", 9600, 1_000).replace("baud", "timeout_ms = 50\nbaud")
    assert "less than an exchange takes" in said(tmp_path, text)[0]


def test_a_reader_of_tags_listens_for_longer_than_a_reply_is_waited_for(tmp_path: Path) -> None:
    text = (
        SOUND
        + """
[[bus]]
id = "tags"
kind = "serial"
device = "/dev/ttyUSB9"
baud = 115200

[[device]]
id = "m100"
bus = "tags"
driver = "rfid_m100"
interval_ms = 2000
options = { misses = 4, reference_tags = ["E28011700000020FEBEAD3B5"] }

[[point]]
id = "liuxu.cabinet.d1.item"
type = "item"
device = "m100"
channel = "tag:E28068940000000000000001"

[[point]]
id = "liuxu.cabinet.antenna.tamper"
type = "tamper"
device = "m100"
channel = "antenna:1"
"""
    )
    assert said(tmp_path, text) == []
    small = text.replace("tag:E2806894", "tag:e2806894")
    assert "m100 has no tag:e2806894" in said(tmp_path, small)[0]


def test_device_without_a_point_is_a_warning(tmp_path: Path) -> None:
    result = checked(tmp_path, SOUND.partition("[[point]]")[0])
    assert [problem.is_warning for problem in result.problems] == [True]
    assert result.settings is not None


def test_load_raises_with_every_fault(tmp_path: Path) -> None:
    (tmp_path / "edge.toml").write_text(TEN_FAULTS)
    with pytest.raises(SettingsFault) as refusal:
        load(tmp_path / "edge.toml")
    assert len(str(refusal.value).splitlines()) == 10


def test_fingerprint_covers_the_profiles_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "edge.toml"
    path.write_text(SOUND)
    before = fingerprint(path, load(path))
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "config/profiles/adam-6050.toml"
    own.parent.mkdir(parents=True)
    own.write_text((ROOT / "config/profiles/adam-6050.toml").read_text() + "\n")
    assert fingerprint(path, load(path)) != before


@pytest.mark.parametrize("path", [ROOT / "config/edge.example.toml"], ids=lambda path: path.name)
def test_delivered_example_is_sound(path: Path) -> None:
    assert check(path).problems == []


BAD_STATION = """\
[edge]
id = "liuxu"
data_dir = "edge"

[broker]
host = "127.0.0.1"

[rules]
supervised_doors = ["*.int*.door"]

[[bus]]
id = "line"
kind = "modbus_rtu"
device = "/dev/ttyS0"
timeout_ms = 800

[[device]]
id = "io1"
bus = "line"
driver = "modbus_di"
profile = "waveshare-io8"
interval_ms = 500

[[device]]
id = "io2"
bus = "line"
driver = "modbus_di"
profile = "overlapping"
interval_ms = 500

[[device]]
id = "io3"
bus = "line"
driver = "modbus_di"
profile = "of-another-driver"
unit = 3
interval_ms = 500

[[device]]
id = "locks"
bus = "line"
driver = "lock_8a"
unit = 4
interval_ms = 500

[[point]]
id = "liuxu.int1.door"
type = "door"
device = "io1"
channel = "di:0"

[[camera]]
point = "liuxu.lawyer.picture"
url = "rtsp://192.0.2.9/1"
"""


def test_what_a_station_may_not_have_is_found_all_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profiles = tmp_path / "config/profiles"
    profiles.mkdir(parents=True)
    level = "[level]\nfunction = 4\naddress = 16\n"
    counters = '[counters]\naddress = 10\nword_order = "high_first"\n'
    (profiles / "overlapping.toml").write_text(f'model = "x"\ninputs = 4\n{level}{counters}')
    (profiles / "of-another-driver.toml").write_text(f'model = "x"\ninputs = 4\nvolts = 10\n{level}')
    monkeypatch.chdir(tmp_path)
    expected = [
        "15: bus[0].timeout_ms: 800 ms is longer than the 500 ms period of io1",
        "24: device[1].unit: 1 is io1 on bus line already",
        "28: device[1].profile: config/profiles/overlapping.toml: counters.address: level and counters",
        "35: device[2].profile: config/profiles/of-another-driver.toml: Object contains unknown field",
        "41: device[3].bus: lock_8a and modbus_di of io1 speak different protocols on one line",
        "49: point[0].device: liuxu.int1.door has to be on a supervised input, io1 has none",
        "53: camera[0].point: liuxu.lawyer may have no camera",
    ]
    found = said(tmp_path, BAD_STATION)
    missing = [line for line in expected if not any(text.startswith(line) for text in found)]
    assert not missing, "\n".join(found)


def test_a_device_on_a_bus_that_is_not_there_is_looked_at_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profiles = tmp_path / "config/profiles"
    profiles.mkdir(parents=True)
    (profiles / "mine.toml").write_text('model = "x"\ninputs = 8\n[level]\nfunction = 2\nadress = 32\n')
    monkeypatch.chdir(tmp_path)
    text = SOUND.replace('bus = "io"', 'bus = "nowhere"').replace('"di:0"', '"di:99"')
    found = "\n".join(said(tmp_path, text))
    assert "no [[bus]] has the id nowhere" in found
    assert "io1 has no di:99" in found
    found = "\n".join(said(tmp_path, text.replace("adam-6050", "mine")))
    assert "adress" in found
