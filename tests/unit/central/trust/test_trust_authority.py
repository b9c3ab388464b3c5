"""The county's authority: what it issues, for what, and until when. Keys in the store."""

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from central.store.database import Store
from central.trust import broker_files, folder, keys
from central.trust.authority import Authority, pem_of
from central.trust.errors import BadRequest, KeyExposed, NoTrust, TrustExists
from central.trust.keyring import Keyring
from contract import certificates
from contract.keys import Signer

T0 = 1_800_000_000_000
DAY_MS = 86_400_000


def request(signer: Signer, name: str = "liuxu") -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(signer.key, None)
    return csr.public_bytes(Encoding.PEM)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.new(T0)


def test_an_edges_certificate_has_its_key_its_name_and_one_use(authority: Authority) -> None:
    signer = Signer.new()
    certificate = authority.issue_edge(request(signer, "somebody-else"), "liuxu", T0)
    certificate.verify_directly_issued_by(authority.certificate)
    assert certificates.public_of(pem_of(certificate)) == signer.public
    assert certificates.common_name(certificate) == "liuxu", "the centre says the name, not who asks"
    uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(uses) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert not constraints.ca


def test_nobody_gets_the_centres_name(authority: Authority) -> None:
    for name in ("central", "Liuxu", "liuxu\n", "a/b", "+", ""):
        with pytest.raises(BadRequest):
            authority.issue_edge(request(Signer.new()), name, T0)


def test_a_request_that_another_key_signed_is_refused(authority: Authority) -> None:
    good = request(Signer.new())
    csr = bytearray(x509.load_pem_x509_csr(good).public_bytes(Encoding.DER))
    csr[-1] ^= 1
    broken = x509.load_der_x509_csr(bytes(csr)).public_bytes(Encoding.PEM)
    for text in (
        broken,
        b"",
        b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
    ):
        with pytest.raises(BadRequest):
            authority.issue_edge(text, "liuxu", T0)


def test_an_edge_cannot_bring_a_key_of_another_kind(authority: Authority) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "liuxu")])
    csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    text = csr.public_bytes(Encoding.PEM)
    with pytest.raises(BadRequest):
        authority.issue_edge(text, "liuxu", T0)
    media = authority.issue_media(text, "liuxu.edge.casewatch", T0)
    uses = media.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(uses) == [ExtendedKeyUsageOID.SERVER_AUTH]
    with pytest.raises(BadRequest):
        authority.issue_media(request(Signer.new()), "liuxu.edge.casewatch", T0)


def test_the_folder_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    place = tmp_path / "trust"
    with pytest.raises(NoTrust):
        Keyring.load(tmp_path)
    folder.make(place, ["board.zehu.example"], broker_files.access_list(["liuxu"]), T0)
    assert place.stat().st_mode & 0o777 == 0o700
    assert {p.name for p in place.glob("*.key") if p.stat().st_mode & 0o077} == set()
    with pytest.raises(TrustExists):
        folder.make(place, [], "", T0)
    keyring = Keyring.load(tmp_path)
    assert certificates.public_of(keyring.central_pem) == keyring.signer.public
    assert keyring.authority().certificate == certificates.load(keyring.ca_pem)
    keyring.client_context()
    assert keyring.own_ends(T0) == []
    later_ms = T0 + 710 * DAY_MS
    assert keyring.own_ends(later_ms) == [("central.pem", 30), ("server.pem", 30), ("broker.pem", 30)]


def test_a_key_that_others_can_read_is_refused_with_the_mend(tmp_path: Path) -> None:
    folder.make(tmp_path / "trust", [], "", T0)
    (tmp_path / "trust" / "central.key").chmod(0o640)
    with pytest.raises(KeyExposed, match="chmod 600"):
        Keyring.load(tmp_path)


def test_the_access_list_gives_each_its_own_and_no_more() -> None:
    lines = broker_files.access_list(["liuxu", "chengdong"]).splitlines()
    mine = lines[lines.index("user liuxu") :]
    assert mine == [
        "user liuxu",
        "topic write casewatch/1/liuxu/up/+",
        "topic write casewatch/+/liuxu/up/birth",
        "topic read casewatch/1/liuxu/down/+",
        "topic read casewatch/1/central/status",
    ]
    assert not any("$SYS" in line or line.endswith("#") for line in lines)


async def test_keys_of_an_edge_follow_each_other(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/c.db")
    await store.open()

    def play(tx: object) -> None:
        conn = tx.conn  # type: ignore[attr-defined]
        for n, public in enumerate(("a" * 64, "b" * 64)):
            keys.enrol(
                conn, "liuxu", public=public, certificate="", expires_ms=T0 + DAY_MS, now_ms=T0 + n, reason=""
            )
        assert [key.is_good for key in keys.keys_of(conn, "liuxu")] == [True, True], (
            "until the new one speaks"
        )
        assert not keys.supersede_others(conn, "liuxu", "a" * 64, T0), "an old key ends no newer one"
        assert keys.supersede_others(conn, "liuxu", "b" * 64, T0)
        assert [key.state for key in keys.keys_of(conn, "liuxu")] == ["good", "superseded"]
        assert keys.revoke(conn, "liuxu", "the box was stolen", T0 + 9) == ["b" * 64]
        assert [key.state for key in keys.keys_of(conn, "liuxu")] == ["revoked", "revoked"]
        assert keys.keys_of(conn, "linhu") == []

    await store.write(play)
    await store.close()


@pytest.mark.parametrize(
    ("left_ms", "days"),
    [(-1, 0), (0, 0), (1, 1), (DAY_MS, 1), (DAY_MS + 1, 7), (8 * DAY_MS, 30), (30 * DAY_MS + 1, None)],
)
def test_an_end_is_warned_of_at_thirty_seven_and_one_day(left_ms: int, days: int | None) -> None:
    assert keys.days_left(T0 + left_ms, T0) == days
