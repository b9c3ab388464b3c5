"""An acceptance sheet is signed by the box that walked, and a changed one is refused."""

import json
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from contract.points import PointType
from edge.commands import app
from edge.errors import SheetFault
from edge.technician import acceptance, sheet_page
from edge.technician.acceptance import Acceptance, Sheet
from edge.technician.commissioning import Remark, RemarkCode, Result, Trial

TRIAL = Trial(
    point="a.int1.door",
    type=PointType.DOOR,
    device="io1",
    unit=1,
    channel="di:0",
    result=Result.PASSED,
    began_at=1,
    ended_at=2,
    away_within_ms=99,
    note="<b>loose</b>",
    remarks=[Remark(RemarkCode.CROSSED, "a.b.door")],
)


def sheet(key: Ed25519PrivateKey) -> Sheet:
    told = Acceptance(
        edge="liuxu",
        by="王技",
        began_at=1,
        ended_at=2,
        version="0.1.0",
        settings="ab",
        simulated=True,
        not_walked=("a.int1.picture",),
        points=[TRIAL],
        public_key=acceptance.public_hex(key),
    )
    return acceptance.sign(told, key)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "sheet.json"
    acceptance.write(sheet(Ed25519PrivateKey.generate()), path)
    return path


def test_a_sheet_as_signed_is_sound(path: Path) -> None:
    assert acceptance.verify(path).acceptance.by == "王技"


def test_white_space_and_the_order_of_keys_are_not_signed(path: Path) -> None:
    told = json.loads(path.read_text())
    path.write_text(json.dumps(dict(reversed(told.items())), indent=7))
    assert acceptance.verify(path).acceptance.edge == "liuxu"


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("王技", "李技"),
        ('"passed"', '"skipped"'),
        ('"unit": 1', '"unit": 2'),
        ('"simulated": true', '"simulated": false'),
    ],
)
def test_a_changed_sheet_is_refused(path: Path, was: str, now: str) -> None:
    assert was in path.read_text()
    path.write_text(path.read_text().replace(was, now))
    with pytest.raises(SheetFault, match="was changed"):
        acceptance.verify(path)


def test_another_key_in_the_sheet_does_not_help(path: Path) -> None:
    told = acceptance.verify(path)
    other = acceptance.public_hex(Ed25519PrivateKey.generate())
    forged = msgspec.structs.replace(told.acceptance, public_key=other)
    acceptance.write(Sheet(forged, told.signature), path)
    with pytest.raises(SheetFault, match="was changed"):
        acceptance.verify(path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"acceptance": {}, "signature": "00"}'])
def test_what_is_no_sheet_is_refused(path: Path, content: str) -> None:
    path.write_text(content)
    with pytest.raises(SheetFault, match="is no acceptance sheet"):
        acceptance.verify(path)


def test_an_unknown_key_is_refused_though_it_is_not_signed(path: Path) -> None:
    path.write_text(path.read_text().replace('"by":', '"also": 1, "by":'))
    with pytest.raises(SheetFault, match="also"):
        acceptance.verify(path)


def test_the_boxs_key_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    first = acceptance.public_hex(acceptance.load_key(folder))
    assert (folder / acceptance.KEY_NAME).stat().st_mode & 0o777 == 0o600
    assert acceptance.public_hex(acceptance.load_key(folder)) == first


def test_a_key_that_others_can_read_signs_nothing(tmp_path: Path) -> None:
    acceptance.load_key(tmp_path)
    (tmp_path / acceptance.KEY_NAME).chmod(0o644)
    with pytest.raises(SheetFault, match="read by others"):
        acceptance.load_key(tmp_path)


def test_a_broken_key_is_told_with_its_mend(tmp_path: Path) -> None:
    path = tmp_path / acceptance.KEY_NAME
    path.write_text("no key")
    path.chmod(0o600)
    with pytest.raises(SheetFault, match="a new one is made"):
        acceptance.load_key(tmp_path)


def test_the_page_shows_every_point_and_the_key_and_trusts_no_text() -> None:
    signed = sheet(Ed25519PrivateKey.generate())
    page = sheet_page.page(signed)
    assert "a.int1.door" in page
    assert sheet_page.grouped(signed.acceptance.public_key) in page
    assert "<b>loose" not in page
    assert "&lt;b&gt;loose" in page
    assert "模拟设备" in page
    assert "a.int1.picture" in page
    assert "<script" not in page


def test_verify_on_the_command_line(path: Path) -> None:
    result = CliRunner().invoke(app, ["commission", "verify", str(path)])
    assert result.exit_code == 0
    assert "王技" in result.output
    assert "as it was signed" in result.output
    path.write_text(path.read_text().replace("王技", "李技"))
    result = CliRunner().invoke(app, ["commission", "verify", str(path)])
    assert result.exit_code == 1
    assert "was changed after it was signed" in result.output


def test_a_walk_without_a_terminal_is_refused_in_words(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["commission", str(tmp_path / "edge.toml")])
    assert result.exit_code == 1
    assert "needs a terminal" in result.output
    assert not list(tmp_path.iterdir())
