"""The board's certificate is renewed while the board is served."""

import asyncio
import os
import ssl
from pathlib import Path

from aiohttp import web

from central.trust import folder
from central.web.tls import ServerTls
from contract.certificates import load
from tests.support.certs import County, now_ms


async def shown(port: int, county: County) -> int:
    """The serial number of the certificate that a new connection is shown."""
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=county.context(None))
    raw = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    return load(ssl.DER_cert_to_PEM_cert(raw).encode()).serial_number


async def test_the_next_connection_is_shown_the_renewed_certificate(tmp_path: Path) -> None:
    county = County(tmp_path)
    certificate, key = county.trust / "server.pem", county.trust / "server.key"
    tls = ServerTls(certificate, key)
    runner = web.AppRunner(web.Application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls.context)
    await site.start()
    port = runner.addresses[0][1]
    first = await shown(port, county)
    folder.issue_own(county.trust, county.authority, ["localhost"], now_ms())
    os.utime(certificate, ns=(1, 1))
    tls.refresh()
    second = await shown(port, county)
    assert second != first
    certificate.write_text("half a certifica")
    tls.refresh()
    assert await shown(port, county) == second, "what cannot be used changes nothing"
    await runner.cleanup()
