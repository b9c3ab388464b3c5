"""Who may keep a connection to the board's port: few enough, and who says what it wants."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, web

from central.trust.authority import Authority, new_server_key, pem_of, server_key_pem
from central.web import front_door
from central.web.front_door import FrontDoor

NOW_MS = time.time_ns() // 1_000_000
COUNTY = Authority.new(NOW_MS)
GET = b"GET /here HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@asynccontextmanager
async def served(tls: ssl.SSLContext | None) -> AsyncIterator[int]:
    async def here(_request: web.Request) -> web.Response:
        return web.Response(text="here")

    app = web.Application()
    app.router.add_get("/here", here)
    runner = web.AppRunner(app)
    await runner.setup()
    server = await asyncio.get_running_loop().create_server(FrontDoor(runner.server, tls), "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await runner.cleanup()


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with served(None) as port:
        yield port


@pytest.fixture
def trust() -> ssl.SSLContext:
    """A client's, who trusts the county."""
    return ssl.create_default_context(cadata=pem_of(COUNTY.certificate).decode())


@pytest.fixture
async def tls_port(tmp_path: Path) -> AsyncIterator[int]:
    key = new_server_key()
    pem = tmp_path / "server.pem"
    certificate = COUNTY.issue_server(key.public_key(), ["127.0.0.1"], NOW_MS)
    pem.write_bytes(pem_of(certificate) + server_key_pem(key))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)
    async with served(context) as port:
        yield port


async def connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port)


async def heard(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """All that comes until the other side closes."""
    try:
        return await asyncio.wait_for(reader.read(), 10)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_a_request_is_served_whole_or_in_pieces(port: int) -> None:
    async with ClientSession() as http:
        for _ in range(3):  # the second and third on the first's connection
            async with http.get(f"http://127.0.0.1:{port}/here") as response:
                assert await response.text() == "here"
    reader, writer = await connect(port)
    for at in range(0, len(GET), 7):
        writer.write(GET[at : at + 7])
        await writer.drain()
        await asyncio.sleep(0)
    assert (await heard(reader, writer)).endswith(b"here")


async def test_beyond_all_places_a_connection_is_closed_until_one_is_free(port: int, monkeypatch) -> None:
    monkeypatch.setattr(front_door, "CONNECTIONS_MAX", 2)
    first, second = await connect(port), await connect(port)
    assert await heard(*await connect(port)) == b""
    first[1].write(GET)
    assert (await heard(*first)).endswith(b"here")
    reader, writer = await connect(port)
    writer.write(GET)
    assert (await heard(reader, writer)).endswith(b"here")
    second[1].close()


async def test_one_address_has_no_more_than_its_share(port: int, monkeypatch) -> None:
    monkeypatch.setattr(front_door, "CONNECTIONS_OF_ONE_MAX", 1)
    monkeypatch.setattr(front_door, "_address", lambda _: "192.0.2.7")
    first = await connect(port)
    assert await heard(*await connect(port)) == b""
    first[1].write(GET)
    assert (await heard(*first)).endswith(b"here")


async def test_who_says_nothing_or_never_ends_is_closed(port: int, monkeypatch) -> None:
    monkeypatch.setattr(front_door, "HEAD_WITHIN_S", 0.05)
    silent, slow = await connect(port), await connect(port)
    slow[1].write(b"GET /here HTTP/1.1\r\nX: ")
    assert [await heard(*silent), await heard(*slow)] == [b"", b""]
    monkeypatch.setattr(front_door, "HEAD_WITHIN_S", 30.0)
    endless = await connect(port)
    endless[1].write(b"x" * (front_door.HEAD_MAX_BYTES + 1))
    assert await heard(*endless) == b""


async def test_it_is_the_same_under_tls(tls_port: int, trust: ssl.SSLContext) -> None:
    async with ClientSession() as http:
        for _ in range(3):
            async with http.get(f"https://127.0.0.1:{tls_port}/here", ssl=trust) as response:
                assert await response.text() == "here"


async def test_a_handshake_that_never_comes_or_fails_is_closed_and_counts_as_a_connection(
    tls_port: int, trust: ssl.SSLContext, monkeypatch
) -> None:
    monkeypatch.setattr(front_door, "CONNECTIONS_MAX", 2)
    monkeypatch.setattr(front_door, "HEAD_WITHIN_S", 0.3)
    silent, plain = await connect(tls_port), await connect(tls_port)
    assert await heard(*await connect(tls_port)) == b"", "no place is left"
    plain[1].write(GET)
    assert b"here" not in await heard(*plain)
    assert await heard(*silent) == b""
    async with ClientSession() as http, http.get(f"https://127.0.0.1:{tls_port}/here", ssl=trust) as response:
        assert await response.text() == "here"


def test_a_proxy_on_this_machine_is_no_single_client() -> None:
    class Peer:
        def __init__(self, address: str) -> None:
            self.address = address

        def get_extra_info(self, _name: str) -> tuple[str, int]:
            return self.address, 1

    assert [front_door._address(Peer(a)) for a in ("127.0.0.1", "::1", "192.0.2.7", "fe80::1%eth0")] == [
        "",
        "",
        "192.0.2.7",
        "fe80::1%eth0",
    ]
