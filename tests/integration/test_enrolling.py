"""An edge enrols at the centre's true routes over true TLS: and with whom it does not."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from argon2 import PasswordHasher

from central.accounts.gate import Gate
from central.accounts.passwords import Passwords
from central.store.database import Store
from central.trust import enrolment, keys
from central.trust.keyring import Keyring
from central.trust.routes import TrustRoutes
from central.web.server import application
from contract.certificates import fingerprint
from contract.enrolment import CA_PATH, ENROLMENTS_PATH, Code
from edge.enrolling import Centre, Errand, renew
from edge.errors import CentreMistrusted, EnrolmentFailed, EnrolmentRefused
from edge.identity import load_identity
from edge.voice import Keyring as EdgeKeyring
from tests.support.certs import County, now_ms
from tests.support.county import STATIONS


class Office:
    """A centre's routes over TLS. Whoever reads `said` knows what was sent to an impostor."""

    def __init__(self, place: Path, store: Store) -> None:
        self.county = County(place / "centre", "liuxu")
        self.store = store
        self.edge_dir = place / "edge"
        self.edge_dir.mkdir()
        self.said: list[str] = []
        self._servers: list[TestServer] = []
        self._passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))

    async def code(self) -> Code:
        make = enrolment.make_code
        text = await self.store.write(lambda tx: make(tx, self.county.authority, "liuxu", "test", now_ms()))
        return Code.read(text)

    async def open(self, shows: County | None = None) -> str:
        """host:port. `shows`: the county whose server certificate is shown; its own if left out."""
        keyring = Keyring.load(self.county.place)
        routes = TrustRoutes(self.store, keyring, STATIONS, now_ms)
        app = application(Gate(self.store, self._passwords, now_ms), routes.endpoints(), [])
        return await self._serve(app, shows or self.county)

    async def impostor(self, stranger: County) -> str:
        """Somebody in between: he has the county's certificate, which is public, and not its key."""
        app = web.Application()

        async def ca(_request: web.Request) -> web.Response:
            return web.Response(body=self.county.ca.read_bytes())

        async def enrolments(request: web.Request) -> web.Response:
            self.said.append(await request.text())
            return web.Response(status=500)

        app.router.add_get(CA_PATH, ca)
        app.router.add_post(ENROLMENTS_PATH, enrolments)
        return await self._serve(app, stranger)

    async def enrol(self, centre: str, code: Code, others: Path | None = None) -> EdgeKeyring:
        errand = Errand(self.edge_dir, "liuxu", Centre(centre), others)
        return await asyncio.to_thread(errand.enrol, code, 7, 0)

    async def close(self) -> None:
        for server in self._servers:
            await server.close()
        self._passwords.close()

    async def _serve(self, app: web.Application, county: County) -> str:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(county.trust / "server.pem", county.trust / "server.key")
        server = TestServer(app, scheme="https")
        await server.start_server(ssl=context)
        self._servers.append(server)
        return f"127.0.0.1:{server.port}"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    store = Store(f"sqlite:///{tmp_path}/casewatch.db")
    await store.open()
    office = Office(tmp_path, store)
    yield office
    await office.close()
    await store.close()


async def test_an_edge_has_all_it_needs_and_renews_it(office: Office) -> None:
    centre = await office.open()
    made = await office.enrol(centre, await office.code())
    held = load_identity(office.edge_dir, "liuxu")
    assert held is not None
    assert held.keys.signer.public == made.signer.public
    assert held.keys.central_public == Keyring.load(office.county.place).signer.public
    again = await asyncio.to_thread(renew, office.edge_dir, "liuxu", held)
    known = await office.store.read(lambda conn: keys.keys_of(conn, "liuxu"))
    assert [key.public for key in known] == [again.signer.public, made.signer.public]


async def test_nothing_is_said_to_who_has_the_countys_certificate_without_its_key(
    office: Office, tmp_path: Path
) -> None:
    centre = await office.impostor(County(tmp_path / "stranger"))
    with pytest.raises(CentreMistrusted):
        await office.enrol(centre, await office.code())
    assert office.said == []
    assert load_identity(office.edge_dir, "liuxu") is None


async def test_nothing_is_said_to_a_centre_of_another_authority(office: Office, tmp_path: Path) -> None:
    stranger = County(tmp_path / "stranger")
    centre = await office.open()
    with pytest.raises(CentreMistrusted, match="nothing was said"):
        await office.enrol(centre, Code.new(fingerprint(stranger.authority.certificate)))


async def test_a_board_of_the_bureaus_authority_is_named_by_a_file(office: Office, tmp_path: Path) -> None:
    """`[web] tls_cert`: browsers know that authority, edges only if they are told."""
    bureau = County(tmp_path / "bureau")
    centre, code = await office.open(shows=bureau), await office.code()
    with pytest.raises(CentreMistrusted, match="--web-ca"):
        await office.enrol(centre, code)
    await office.enrol(centre, code, others=bureau.ca)
    held = load_identity(office.edge_dir, "liuxu")
    assert held is not None
    await asyncio.to_thread(renew, office.edge_dir, "liuxu", held)


async def test_a_refused_code_leaves_no_keys_behind(office: Office) -> None:
    centre, code = await office.open(), await office.code()
    with pytest.raises(EnrolmentRefused, match=r"trust\.code_refused"):
        await office.enrol(centre, Code.new(fingerprint(office.county.authority.certificate)))
    assert list(office.edge_dir.iterdir()) == []
    await office.enrol(centre, code)


@pytest.mark.parametrize("address", ["", "centre", "centre:", ":8460", "centre:x", "centre:99999"])
def test_an_address_without_a_port_is_told_so(address: str) -> None:
    with pytest.raises(EnrolmentFailed, match="host:port"):
        Centre(address)


async def test_a_centre_that_does_not_answer_is_told_so(office: Office) -> None:
    with pytest.raises(EnrolmentFailed):
        await office.enrol("127.0.0.1:1", await office.code())
