"""Where the board is served, the certificate that it shows, and its renewal meanwhile."""

import asyncio
import socket
import ssl
from pathlib import Path
from typing import NamedTuple

import structlog

LOOK_EVERY_S = 60.0

log = structlog.get_logger(__name__)


class Listening(NamedTuple):
    """Where the board is served: over TLS, but where the centre runs without keys.

    `plain`: a second place, on loopback and unencrypted.
    """

    place: socket.socket
    tls: "ServerTls | None"
    plain: socket.socket | None = None

    def close(self) -> None:
        self.place.close()
        if self.plain is not None:
            self.plain.close()


class ServerTls:
    """`context` is handed to the server once; connections from then on are shown what the files last held."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Raises OSError, also where the two do not belong together."""
        self._files = (certificate, key)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._changed_ns = self._newest_ns()
        self.context.load_cert_chain(*self._files)

    async def run(self) -> None:
        """Notice new files; until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.refresh()

    def refresh(self) -> None:
        """Take the files anew where they changed. What cannot be used leaves the old certificate in place."""
        try:
            newest_ns = self._newest_ns()
            if newest_ns != self._changed_ns:
                self._changed_ns = newest_ns
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*self._files)
                self.context.load_cert_chain(*self._files)
                log.info("certificate_replaced", file=str(self._files[0]))
        except OSError as error:
            log.warning("certificate_unusable", file=str(self._files[0]), reason=str(error))

    def _newest_ns(self) -> int:
        return max(file.stat().st_mtime_ns for file in self._files)
