"""Enrolment, renewal and revocation in the store, and over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher
from cryptography import x509
from sqlalchemy import select

from central.accounts.gate import Gate
from central.accounts.passwords import Passwords
from central.ingest import cursors
from central.ingest.admission import beginning
from central.ingest.pipeline import Ingest
from central.patrol.supervision import Supervision
from central.store.database import Store
from central.store.schema import audit
from central.trust import broker_files, enrolment, keys
from central.trust.authority import new_server_key
from central.trust.enrolment import CODE_LASTS_MS, RENEWALS_A_DAY
from central.trust.errors import CodeRefused, EpochRefused, NotRenewable, RenewedTooOften
from central.trust.keyring import Keyring
from central.trust.list_keeper import ListKeeper
from central.trust.routes import TrustRoutes
from central.web.server import application
from contract.certificates import common_name, fingerprint, load, public_of
from contract.enrolment import CA_PATH, ENROLMENTS_PATH, RENEWALS_PATH, Code, Enrolment, Renewal
from contract.keys import Signer
from tests.support.certs import County, media_request, request
from tests.support.county import RULES, STATIONS, T0, Journal, take, wire

EPOCH = 7


def requests(signer: Signer) -> dict[str, str]:
    """What an edge asks for: a certificate of this key, and one of a key for its pictures."""
    media = media_request(new_server_key()).decode()
    return {"request": request(signer).decode(), "media_request": media}


def all_bytes(place: Path, pattern: str) -> bytes:
    return b"".join(path.read_bytes() for path in place.glob(pattern))


class Office:
    """A centre's store with its county's authority, at an hour that the test sets."""

    def __init__(self, place: Path, store: Store) -> None:
        self.county = County(place, "liuxu", "linhu")
        self.store = store
        self.now_ms = T0

    async def code(self, edge: str = "liuxu") -> Code:
        text = await self.store.write(
            lambda tx: enrolment.make_code(tx, self.county.authority, edge, "test", self.now_ms)
        )
        return Code.read(text)

    def asked(self, code: Code, signer: Signer, edge: str = "liuxu", epoch: int = EPOCH) -> Enrolment:
        return Enrolment(edge=edge, secret=code.secret.hex(), epoch=epoch, seq=0, **requests(signer))

    async def enrol(self, asked: Enrolment) -> enrolment.Pair:
        return await self.store.write(
            lambda tx: enrolment.enrol(tx, self.county.authority, asked, "192.0.2.9", self.now_ms)
        )

    async def renew(self, old: Signer, new: Signer, edge: str = "liuxu", **changed: str) -> enrolment.Pair:
        bare = Renewal(edge=edge, key=old.public, **requests(new))
        asked = msgspec.structs.replace(bare, sig=old.sign(bare.signed_text()), **changed)
        return await self.store.write(
            lambda tx: enrolment.renew(tx, self.county.authority, asked, "192.0.2.9", self.now_ms)
        )

    async def states(self, edge: str = "liuxu") -> list[str]:
        return [key.state for key in await self.store.read(lambda conn: keys.keys_of(conn, edge))]


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    store = Store(f"sqlite:///{tmp_path}/casewatch.db")
    await store.open()
    yield Office(tmp_path, store)
    await store.close()


async def test_a_code_makes_one_key_known_and_admits_its_journal(office: Office) -> None:
    code, signer = await office.code(), Signer.new()
    assert code.names(fingerprint(office.county.authority.certificate))
    issued = await office.enrol(office.asked(code, signer))
    assert public_of(issued.edge.encode()) == signer.public
    assert common_name(load(issued.media.encode())) == "liuxu.edge.casewatch"
    (key,) = await office.store.read(lambda conn: keys.keys_of(conn, "liuxu"))
    assert (key.public, key.state, key.edge) == (signer.public, "good", "liuxu")
    cursor = await office.store.read(lambda conn: cursors.read(conn, "liuxu"))
    assert cursor == beginning("liuxu", EPOCH)
    said = await office.store.read(lambda conn: [row.what for row in conn.execute(select(audit.c.what))])
    assert said == ["edge.enrolment_allowed", "edge.enrolled"]


async def test_the_codes_text_stands_nowhere_in_the_store(office: Office, tmp_path: Path) -> None:
    code = await office.code()
    await office.store.close()
    raw = all_bytes(tmp_path, "casewatch.db*")
    for form in (str(code).encode(), code.secret, code.secret.hex().encode()):
        assert form not in raw


async def test_a_lost_answer_is_given_again_to_the_same_key_and_to_no_other(office: Office) -> None:
    code, signer = await office.code(), Signer.new()
    first = await office.enrol(office.asked(code, signer))
    office.now_ms += CODE_LASTS_MS * 2
    assert await office.enrol(office.asked(code, signer)) == first
    with pytest.raises(CodeRefused):
        await office.enrol(office.asked(code, Signer.new()))


async def test_a_code_is_for_one_edge_a_day_and_until_the_next_is_made(office: Office) -> None:
    first = await office.code()
    second = await office.code()
    with pytest.raises(CodeRefused):
        await office.enrol(office.asked(first, Signer.new()))
    with pytest.raises(CodeRefused):
        await office.enrol(office.asked(second, Signer.new(), edge="linhu"))
    with pytest.raises(CodeRefused):
        await office.enrol(office.asked(Code.new(second.fingerprint), Signer.new()))
    office.now_ms += CODE_LASTS_MS
    with pytest.raises(CodeRefused):
        await office.enrol(office.asked(second, Signer.new()))


async def test_a_refused_enrolment_leaves_the_code_good(office: Office) -> None:
    journal = Journal(epoch=3)
    journal.write("edge.started", point=None)
    await office.store.write(lambda tx: take(tx, journal.birth(), journal.batch()))
    await office.enrol(office.asked(await office.code(), Signer.new(), epoch=EPOCH))
    code = await office.code()
    with pytest.raises(EpochRefused):
        await office.enrol(office.asked(code, Signer.new(), epoch=3))
    await office.enrol(office.asked(code, Signer.new(), epoch=EPOCH + 1))


async def test_the_same_journal_goes_on_where_it_was(office: Office) -> None:
    """A box that got another key, and kept its disk."""
    journal = Journal(epoch=3)
    journal.write("edge.started", point=None)
    await office.store.write(lambda tx: take(tx, journal.birth(), journal.batch()))
    await office.enrol(office.asked(await office.code(), Signer.new(), epoch=3))
    cursor = await office.store.read(lambda conn: cursors.read(conn, "liuxu"))
    assert cursor is not None
    assert (cursor.epoch, cursor.seq) == (3, 1)


async def test_a_new_box_ends_the_old_boxs_key(office: Office) -> None:
    await office.enrol(office.asked(await office.code(), Signer.new()))
    await office.enrol(office.asked(await office.code(), Signer.new(), epoch=EPOCH + 1))
    assert await office.states() == ["good", "superseded"]


async def test_a_key_renews_itself_and_lasts_until_the_new_one_speaks(office: Office) -> None:
    old, new = Signer.new(), Signer.new()
    await office.enrol(office.asked(await office.code(), old))
    first = await office.renew(old, new)
    assert await office.states() == ["good", "good"]
    assert await office.renew(old, new) == first, "a lost answer"
    await office.store.write(lambda tx: keys.supersede_others(tx.conn, "liuxu", new.public, T0))
    with pytest.raises(NotRenewable):
        await office.renew(old, Signer.new())


async def test_a_renewal_that_nobody_uses_gives_way_to_the_next(office: Office) -> None:
    old, first, second = Signer.new(), Signer.new(), Signer.new()
    await office.enrol(office.asked(await office.code(), old))
    await office.renew(old, first)
    await office.renew(old, second)
    assert await office.states() == ["good", "superseded", "good"]
    with pytest.raises(NotRenewable, match="start the agent"):
        await office.renew(second, Signer.new())


async def test_a_key_is_renewed_so_often_a_day_and_no_more(office: Office) -> None:
    old = Signer.new()
    await office.enrol(office.asked(await office.code(), old))
    for _ in range(RENEWALS_A_DAY):
        lost = Signer.new()
        await office.renew(old, lost)
    with pytest.raises(RenewedTooOften):
        await office.renew(old, Signer.new())
    await office.renew(old, lost)
    office.now_ms += keys.DAY_MS
    await office.renew(old, Signer.new())


async def test_no_key_renews_but_with_its_own_signature_and_for_its_own_edge(office: Office) -> None:
    old, stranger = Signer.new(), Signer.new()
    await office.enrol(office.asked(await office.code(), old))
    with pytest.raises(NotRenewable):
        await office.renew(stranger, Signer.new())
    with pytest.raises(NotRenewable):
        await office.renew(old, Signer.new(), edge="linhu")
    with pytest.raises(NotRenewable):
        await office.renew(old, Signer.new(), request=request(stranger).decode())
    await office.store.write(lambda tx: enrolment.revoke(tx, "liuxu", "stolen", "test", T0))
    with pytest.raises(NotRenewable):
        await office.renew(old, Signer.new())


async def test_a_code_that_lay_about_opens_nothing_after_the_revocation(office: Office) -> None:
    await office.enrol(office.asked(await office.code(), Signer.new()))
    spare = await office.code()
    await office.store.write(lambda tx: enrolment.revoke(tx, "liuxu", "stolen", "test", office.now_ms))
    with pytest.raises(CodeRefused):
        await office.enrol(office.asked(spare, Signer.new(), epoch=EPOCH + 1))
    await office.enrol(office.asked(await office.code(), Signer.new(), epoch=EPOCH + 1))


async def test_the_brokers_list_has_a_key_once_its_successor_has_spoken(office: Office) -> None:
    old, new = Signer.new(), Signer.new()
    issued = await office.enrol(office.asked(await office.code(), old))
    await office.renew(old, new)
    keyring, crl = Keyring.load(office.county.place), office.county.trust / "crl.pem"
    keeper = ListKeeper(office.store, keyring, {"liuxu"}, lambda: office.now_ms, pause_s=0.0)
    ingest = Ingest(
        office.store,
        STATIONS,
        RULES,
        Supervision(),
        lambda _topic, _payload: None,
        signer=keyring.signer,
        key_ended=keeper.wake,
    )
    journal = Journal(signer=new)
    journal.start()
    ends = {load(text.encode()).serial_number for text in (issued.edge, issued.media)}
    tasks = [asyncio.create_task(keeper.run()), asyncio.create_task(ingest.run())]
    async with asyncio.timeout(20):
        while listed(crl) is None:
            await office.store.write(lambda tx: None)
        assert listed(crl) == set()
        ingest.receive(*wire(journal.birth()), T0, 0.0)
        while listed(crl) != ends:
            await office.store.write(lambda tx: None)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def listed(crl: Path) -> set[int] | None:
    """The serial numbers that the broker refuses."""
    if not crl.exists():
        return None
    return {entry.serial_number for entry in x509.load_pem_x509_crl(crl.read_bytes())}


async def test_the_brokers_lists_follow_revocation_and_the_next_enrolment(office: Office) -> None:
    trust, authority = office.county.trust, office.county.authority
    edges = ["liuxu", "linhu"]

    def written() -> Awaitable[tuple[str, set[int]]]:
        def read(conn: Any) -> tuple[str, set[int]]:
            broker_files.write_both(trust, conn, authority, edges, T0)
            crl = x509.load_pem_x509_crl((trust / "crl.pem").read_bytes())
            assert crl.is_signature_valid(authority.certificate.public_key())  # type: ignore[arg-type]
            return (trust / "acl").read_text(), {entry.serial_number for entry in crl}

        return office.store.read(read)

    issued = await office.enrol(office.asked(await office.code(), Signer.new()))
    serials = {load(text.encode()).serial_number for text in (issued.edge, issued.media)}
    acl, revoked = await written()
    assert ("user liuxu" in acl, revoked) == (True, set())
    await office.store.write(lambda tx: enrolment.revoke(tx, "liuxu", "stolen", "test", T0))
    acl, revoked = await written()
    assert ("user liuxu" in acl, "user linhu" in acl, revoked) == (False, True, serials)
    await office.enrol(office.asked(await office.code(), Signer.new(), epoch=EPOCH + 1))
    acl, revoked = await written()
    assert ("user liuxu" in acl, revoked) == (True, serials)


Post = Callable[[str, Any], Awaitable[tuple[int, dict[str, Any]]]]


@pytest.fixture
async def post(office: Office, tmp_path: Path) -> AsyncIterator[Post]:
    """The routes on a server of their own."""
    keyring = Keyring.load(tmp_path)
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    routes = TrustRoutes(office.store, keyring, STATIONS, lambda: office.now_ms)
    app = application(Gate(office.store, passwords, lambda: office.now_ms), routes.endpoints(), [])
    server = TestServer(app)
    client = TestClient(server)
    await client.start_server()
    origin = str(server.make_url("")).rstrip("/")

    async def send(path: str, body: Any) -> tuple[int, dict[str, Any]]:
        raw = msgspec.json.encode(body)
        headers = {"Origin": origin, "Content-Type": "application/json"}
        async with client.post(path, data=raw, headers=headers) as response:
            return response.status, await response.json()

    async with client.get(CA_PATH) as response:
        assert await response.read() == office.county.ca.read_bytes()
    yield send
    await client.close()
    passwords.close()


async def test_an_enrolment_is_answered_with_all_that_an_edge_needs(office: Office, post: Post) -> None:
    status, reply = await post(ENROLMENTS_PATH, office.asked(await office.code(), Signer.new()))
    assert status == 200
    assert set(reply) == {"certificate", "media_certificate", "ca", "central"}
    assert common_name(load(reply["central"].encode())) == "central"


async def test_wrong_codes_are_looked_at_five_times_and_then_no_more(office: Office, post: Post) -> None:
    good, guess = await office.code(), Code.new(bytes(32))
    answers = [await post(ENROLMENTS_PATH, office.asked(guess, Signer.new())) for _ in range(6)]
    assert [status for status, _ in answers] == [401] * 5 + [429]
    asked = office.asked(good, Signer.new())
    status, reply = await post(ENROLMENTS_PATH, asked)
    assert (status, reply["code"]) == (429, "trust.too_many_tries"), "not even the right one"
    office.now_ms += reply["wait_s"] * 1_000
    assert (await post(ENROLMENTS_PATH, asked))[0] == 200


async def test_a_renewal_forgives_no_wrong_code(office: Office, post: Post) -> None:
    old = Signer.new()
    assert (await post(ENROLMENTS_PATH, office.asked(await office.code(), old)))[0] == 200
    guess = Code.new(bytes(32))
    for _ in range(5):
        assert (await post(ENROLMENTS_PATH, office.asked(guess, Signer.new())))[0] == 401
    bare = Renewal(edge="liuxu", key=old.public, **requests(Signer.new()))
    asked = msgspec.structs.replace(bare, sig=old.sign(bare.signed_text()))
    answers = [(await post(RENEWALS_PATH, asked))[0] for _ in range(6)]
    assert answers == [200] * 5 + [429], "the same again, and in the end no more"
    assert (await post(ENROLMENTS_PATH, office.asked(guess, Signer.new())))[0] == 429


NONSENSE: list[dict[str, Any]] = [{"request": ""}, {"media_request": "x"}, {"edge": "central"}, {"epoch": 0}]


@pytest.mark.parametrize("changed", NONSENSE)
async def test_nonsense_is_refused_by_name(office: Office, post: Post, changed: dict[str, Any]) -> None:
    body = msgspec.to_builtins(office.asked(await office.code(), Signer.new())) | changed
    status, reply = await post(ENROLMENTS_PATH, body)
    assert status in {401, 422}, reply
    assert await office.states() == []


async def test_a_renewal_comes_over_http_too(office: Office, post: Post) -> None:
    old, new = Signer.new(), Signer.new()
    await post(ENROLMENTS_PATH, office.asked(await office.code(), old))
    bare = Renewal(edge="liuxu", key=old.public, **requests(new))
    status, reply = await post(RENEWALS_PATH, msgspec.structs.replace(bare, sig=old.sign(bare.signed_text())))
    assert (status, public_of(reply["certificate"].encode())) == (200, new.public)
    assert (await post(RENEWALS_PATH, bare))[0] == 401
