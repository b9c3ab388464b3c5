"""An evidence package: made of a real store, checked where there is nothing else; every tampering is told."""

import asyncio
import html
import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from central.board_model import Person
from central.evidence import manifest
from central.evidence.manifest import Manifest
from central.patrol.desk import Desk, ReviewForm
from central.store.database import Store
from central.store.schema import audit
from central.trust import folder as trust_folder
from central.trust.keyring import Keyring
from tests.support.county import DOOR, RULES, STATIONS, T0, Journal, take
from tests.support.county_files import CountyFiles, run
from tests.support.processes import CASEWATCH
from tests.support.signed_store import SignedStore

ONE = Person("1", "陈静<script>")
REASON = "复核 & review <b>"
ALERT_ROWS = 4
NOW = time.time_ns() // 1_000_000


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> CountyFiles:
    """A store in which alert 1 was reviewed; rows of other rooms stand before, between and after its own."""
    files = CountyFiles(tmp_path_factory.mktemp("county"))
    asyncio.run(_tell(files))
    return files


async def _tell(files: CountyFiles) -> None:
    store = Store(files.url)
    await store.open()
    signed = SignedStore(store, files.data_dir)
    await signed.enrol()
    journal = Journal()
    for n in range(6):
        journal.write("picture.ok", "liuxu.inq1.picture", at=T0 - 9_000 + n)
    for n in range(ALERT_ROWS):
        journal.write("door.closed" if n % 2 else "door.open", DOOR, at=T0 + n * 1_000)
        journal.write("card.read", "liuxu.inq1.reader", at=T0 + n * 1_000, card="00ff")
    for n in range(6):
        journal.write("picture.ok", "liuxu.inq1.picture", at=T0 + 9_000 + n)
    await signed.fill(journal, now_ms=T0 + 10_000)
    desk = Desk(STATIONS, RULES)
    form = ReviewForm(result="normal", checklist={"lights": "yes"}, notes="安静 <script>alert(1)</script>")
    at = T0 + 20_000
    await store.write(lambda tx: desk.claim(tx, "1", ONE, "claim", 1, at))
    await store.write(lambda tx: desk.viewed(tx, "1", ONE.id, 21_000, at))
    await store.write(lambda tx: desk.review(tx, "1", ONE, "review", 3, form, at))
    await store.close()


def export(county: CountyFiles, out: Path, alert: int = 1, reason: str = REASON):
    return county.run("export", "--alert", str(alert), "--out", str(out), "--reason", reason)


@pytest.fixture(scope="module")
def made(county: CountyFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("packages")
    done = export(county, out)
    assert done.returncode == 0, done.stderr
    return out / "alert-1"


@pytest.fixture
def package(made: Path, tmp_path: Path) -> Path:
    """A copy for a test to lay hands on."""
    return Path(shutil.copytree(made, tmp_path / "alert-1"))


def check(package: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """In a folder where there is nothing else."""
    empty = package.parent / "clean"
    empty.mkdir(exist_ok=True)
    return run([*CASEWATCH, "verify-package", str(package), *words], empty)


def test_a_package_is_sound_where_there_is_nothing_else(county: CountyFiles, package: Path) -> None:
    done = check(package, "--ca", str(county.data_dir / "trust" / "ca.pem"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("✓") == 7
    assert "5 to 16 recomputed, the last signed by the edge, 4 of them of this alert" in done.stdout
    assert done.stdout.endswith("sound 完好\n")
    assert "!!" not in done.stdout


def test_who_gives_no_authority_is_told_loudly_whom_he_trusts(package: Path) -> None:
    done = check(package)
    assert done.returncode == 0
    assert "TAKEN FROM THE PACKAGE ITSELF" in done.stdout
    assert "!! This trusts the authority inside the package" in done.stdout


def test_who_wrote_the_edges_key_down_is_told_of_another(package: Path) -> None:
    """As where the centre, which has the authority, put a key of its own in the edge's place."""
    with closing(sqlite3.connect(package / "evidence.db")) as db:
        (own,) = db.execute("SELECT public FROM edge_key").fetchone()
    assert check(package, "--edge-key", own, "--edge-key", "0" * 64).returncode == 0
    done = check(package, "--edge-key", "0" * 64)
    assert done.returncode == 1
    assert f"key {own}: is none of the keys that were given" in done.stdout


def test_another_countys_authority_does_not_know_it(package: Path, tmp_path: Path) -> None:
    trust_folder.make(tmp_path / "trust", [], "", NOW)
    done = check(package, "--ca", str(tmp_path / "trust" / "ca.pem"))
    assert done.returncode == 1
    assert "✗ authority: ca.pem in the package is not the certificate that was given" in done.stdout


def test_the_package_has_the_record_and_every_row_between_two_signatures(package: Path) -> None:
    db = sqlite3.connect(package / "evidence.db")
    rows = db.execute("SELECT seq, is_of_alert FROM row ORDER BY seq").fetchall()
    assert [seq for seq, _ in rows] == list(range(5, 17))
    assert [seq for seq, mine in rows if mine] == [7, 9, 11, 13]
    assert db.execute("SELECT seq FROM checkpoint ORDER BY seq").fetchall() == [(4,), (8,), (12,), (16,)]
    assert db.execute("SELECT kind FROM alert_event").fetchall()[0] == ("raised",)
    assert db.execute("SELECT reviewer_name FROM review").fetchone() == (ONE.name,)
    assert db.execute("SELECT count(*) FROM video_segment").fetchone() == (0,)
    assert "no video" in db.execute("SELECT value FROM about WHERE name = 'video'").fetchone()[0]
    assert db.execute("SELECT edge FROM edge_key").fetchall() == [("liuxu",)]
    db.close()
    said = manifest.decode((package / "manifest.json").read_bytes())
    assert (said.alert, said.room, said.reason) == (1, "liuxu.int1", REASON)
    assert said.exported_by.startswith("console ")


def test_the_page_is_plain_and_says_what_is_in_it(package: Path) -> None:
    page = (package / "index.html").read_text()
    assert "<script" not in page
    assert not re.search(r"(src|href)=", page)
    assert html.escape(REASON) in page
    assert html.escape("安静 <script>alert(1)</script>") in page
    assert page.index("证据包") < page.index("Evidence package")
    assert page.count("door.open") == ALERT_ROWS // 2


def test_the_commands_on_the_page_check_it_without_this_product(package: Path) -> None:
    page = (package / "index.html").read_text()
    files, chain = (
        html.unescape(re.search(rf'<pre id="{name}">(.*?)</pre>', page, re.DOTALL)[1])
        for name in ("files", "chain")
    )
    done = subprocess.run(["sh", "-e", "-c", files], cwd=package, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Signature Verified Successfully" in done.stdout
    sums = {
        line.split()[1]: line.split()[0] for line in done.stdout.splitlines() if len(line.split()[0]) == 64
    }
    said = manifest.decode((package / "manifest.json").read_bytes())
    assert {name: one.sha256 for name, one in said.files.items()} == sums
    done = subprocess.run(["sh", "-c", chain], cwd=package, capture_output=True, text=True, check=False)
    db = sqlite3.connect(package / "evidence.db")
    (signed,) = db.execute("SELECT hash FROM checkpoint ORDER BY seq DESC").fetchone()
    db.execute("UPDATE row SET bytes = replace(bytes, 'open', 'shut') WHERE seq = 11")
    db.commit()
    db.close()
    assert done.stdout == f"liuxu 7 16 {signed}\n"
    done = subprocess.run(["sh", "-c", chain], cwd=package, capture_output=True, text=True, check=False)
    assert "liuxu 7: row 11 is not sound" in done.stderr


def test_the_audit_says_who_exported_what_and_why(county: CountyFiles, made: Path) -> None:
    async def read():
        store = Store(county.url)
        await store.open()
        found = await store.read(
            lambda conn: conn.execute(select(audit).where(audit.c.what == "evidence.exported")).first()
        )
        await store.close()
        return found

    found = asyncio.run(read())
    assert (found.object, found.reason) == ("1", REASON)
    assert manifest.sum_of(made / "manifest.json").sha256 in found.detail


def flip(path: Path, at: int = 100) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(bytes(raw))


def reword(package: Path, old: bytes, new: bytes) -> None:
    path = package / "manifest.json"
    path.write_bytes(path.read_bytes().replace(old, new))


TAMPERED = {
    "flipped bit in the database": (lambda p: flip(p / "evidence.db"), "evidence.db was changed"),
    "edited page": (lambda p: (p / "index.html").write_text("sound"), "index.html was changed"),
    "another reason": (lambda p: reword(p, b"review", b"routin"), "changed after the centre signed it"),
    "another field": (lambda p: reword(p, b'{"alert"', b'{"a":1,"alert"'), "✗ manifest: manifest.json"),
    "no manifest": (lambda p: (p / "manifest.json").unlink(), "✗ manifest: "),
    "long manifest": (lambda p: (p / "manifest.json").write_bytes(b" " * 70_000), "too long"),
    "no signature": (lambda p: (p / "manifest.sig").unlink(), "✗ the centre's signature"),
    "another signature": (lambda p: flip(p / "manifest.sig", 5), "changed after the centre signed it"),
    "missing file": (lambda p: (p / "evidence.db").unlink(), "evidence.db is missing"),
    "added file": (lambda p: (p / "more.db").touch(), "more.db is not of this package"),
    "rubbish for a certificate": (lambda p: (p / "central.pem").write_text("x"), "no certificate"),
    "the authority's certificate for the centre's": (
        lambda p: shutil.copy(p / "ca.pem", p / "central.pem"), "no Ed25519 key",
    ),
    "the centre's certificate for the authority's": (
        lambda p: shutil.copy(p / "central.pem", p / "ca.pem"), "ca.pem is no authority's certificate",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("act", "words"), TAMPERED.values(), ids=TAMPERED)
def test_a_tampered_package_is_refused_in_words(
    package: Path, act: Callable[[Path], object], words: str
) -> None:
    act(package)
    done = check(package)
    assert done.returncode == 1, done.stdout + done.stderr
    assert words in done.stdout
    assert done.stdout.endswith("NOT SOUND 不可信\n")
    assert done.stderr == ""


def forge(package: Path, keyring: Keyring, statements: str = "", **said: object) -> None:
    """What whoever has the centre's key can do, or makes an authority of his own: seals it anew."""
    db = sqlite3.connect(package / "evidence.db")
    db.executescript(statements)
    db.close()
    (package / "ca.pem").write_bytes(keyring.ca_pem)
    (package / "central.pem").write_bytes(keyring.central_pem)
    was = manifest.decode((package / "manifest.json").read_bytes())
    files = {name: manifest.sum_of(package / name) for name in was.files}
    fields = {name: getattr(was, name) for name in Manifest.__struct_fields__}
    raw = manifest.encode(Manifest(**{**fields, "files": files, **said}))
    (package / "manifest.json").write_bytes(raw)
    (package / "manifest.sig").write_bytes(bytes.fromhex(keyring.signer.sign(raw)))


FORGED = {
    "edited row": (
        "UPDATE row SET bytes = CAST(replace(bytes, 'open', 'shut') AS BLOB) WHERE seq = 11",
        "row 11 does not continue the chain",
    ),
    "text for bytes": ("UPDATE row SET bytes = CAST(bytes AS TEXT) WHERE seq = 9", "row 9 is no row"),
    "edited instant": (
        "UPDATE row SET bytes = CAST(replace(bytes, '0001000', '0001001') AS BLOB) WHERE seq = 9",
        "row 9 does not continue the chain",
    ),
    "deleted row": ("DELETE FROM row WHERE seq = 9", "row 9 is missing"),
    "deleted rows at the end": (
        "DELETE FROM row WHERE seq > 13", "row 13 is the last, and the edge signed another",
    ),
    "another start": (
        f"UPDATE segment_start SET hash = '{'0' * 64}'", "row 4 is not the row that the edge signed",
    ),
    "another signature": (
        f"UPDATE checkpoint SET sig = '{'0' * 128}' WHERE seq = 8", "row 8 has a checkpoint that its key",
    ),
    "no checkpoint": (
        "DELETE FROM checkpoint WHERE seq = 16", "row 16 is the last, and the edge signed another",
    ),
    "revoked key": (
        f"UPDATE edge_key SET revoked_ms = {T0}", "row 4 has a checkpoint that came after its key",
    ),
    "another edge's certificate": ("UPDATE edge_key SET edge = 'linhu'", "is liuxu's, not linhu's"),
    "another key's certificate": (
        f"UPDATE edge_key SET public = '{'ab' * 32}'; UPDATE checkpoint SET public = '{'ab' * 32}'",
        "is for another key",
    ),
    "no certificate": ("DELETE FROM edge_key", "whose key"),
    "long ago": ("UPDATE checkpoint SET received_ms = 5", "was not valid yet at that time"),
    "long after": ("UPDATE checkpoint SET received_ms = received_ms * 2", "was not valid any more"),
    "no rows": ("DELETE FROM segment_start", "there is no row of any edge in it"),
    "row of another chain": (
        "INSERT INTO row SELECT 'linhu', epoch, seq, bytes, hash, received_ms, 1 FROM row WHERE seq = 9",
        "1 rows belong to no chain",
    ),
    "no table": ("DROP TABLE row", "no such table"),
    "text for a hash": ("UPDATE row SET hash = 'x' WHERE seq = 9", "✗ evidence.db"),
}  # fmt: skip


@pytest.mark.parametrize(("statement", "words"), FORGED.values(), ids=FORGED)
def test_what_the_centre_itself_would_forge_is_found_by_the_edges_signature(
    county: CountyFiles, package: Path, statement: str, words: str
) -> None:
    forge(package, Keyring.load(county.data_dir), statement)
    done = check(package)
    assert done.returncode == 1, done.stdout + done.stderr
    assert words in done.stdout
    assert done.stderr == ""


def test_a_package_of_somebody_elses_authority_has_other_edges(package: Path, tmp_path: Path) -> None:
    trust_folder.make(tmp_path / "trust", [], "", NOW)
    forge(package, Keyring.load(tmp_path))
    done = check(package)
    assert "✗ certificate of edge liuxu" in done.stdout
    assert "was not issued by this authority" in done.stdout


def test_a_certificate_has_to_be_valid_when_it_was_exported(county: CountyFiles, package: Path) -> None:
    forge(package, Keyring.load(county.data_dir), exported_ms=NOW + 3 * 365 * 86_400_000)
    assert "central.pem was not valid any more at that time" in check(package).stdout


def test_an_export_that_cannot_prove_anything_is_refused(county: CountyFiles, tmp_path: Path) -> None:
    assert "evidence.no_alert" in export(county, tmp_path, alert=99).stderr
    refused = export(county, tmp_path, reason="  ")
    assert (refused.returncode, list(tmp_path.iterdir())) == (2, [])


def test_no_package_is_written_over_another(county: CountyFiles, made: Path) -> None:
    again = export(county, made.parent)
    assert again.returncode == 2
    assert "is there already" in again.stderr


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("unsigned", "evidence.unsigned"),
        ("pending", "evidence.chain_pending"),
        ("tampered", "evidence.not_sound"),
        ("no trust", "trust.none"),
    ],
)
def test_what_has_no_signature_or_is_not_sound_is_not_exported(tmp_path: Path, case: str, words: str) -> None:
    files = CountyFiles(tmp_path)

    async def tell() -> None:
        store = Store(files.url)
        await store.open()
        journal = Journal()
        journal.write("door.open")
        if case in {"unsigned", "pending"}:
            trust_folder.make(files.data_dir / "trust", [], "", NOW)
            await store.write(lambda tx: take(tx, journal.live() if case == "pending" else journal.batch()))
        else:
            signed = SignedStore(store, files.data_dir)
            await signed.enrol()
            journal.write("door.closed", at=T0 + 1)
            await signed.fill(journal)
        await store.close()

    asyncio.run(tell())
    if case == "tampered":
        db = sqlite3.connect(files.store)
        db.execute("DROP TRIGGER event_no_update")
        db.execute("UPDATE event SET row = CAST(replace(row, 'closed', 'opened') AS BLOB) WHERE seq = 2")
        db.commit()
        db.close()
    if case == "no trust":
        shutil.rmtree(files.data_dir / "trust")
    refused = export(files, tmp_path / "out")
    assert refused.returncode == 2, refused.stdout
    assert words in refused.stderr
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []
