"""Enrolment and renewal over HTTPS: `/api/v1/trust/…`. Public: an edge has nothing yet to sign in with."""

from collections.abc import Callable, Sequence

import structlog
from aiohttp import web

from central.accounts import tries
from central.accounts.errors import LockedOut
from central.settings import StationSettings
from central.store.database import Store, Transaction
from central.trust import broker_files, enrolment
from central.trust.authority import Authority
from central.trust.enrolment import Pair
from central.trust.errors import (
    BadRequest,
    CodeRefused,
    EpochRefused,
    NotRenewable,
    RenewedTooOften,
    TooManyTries,
    TrustError,
)
from central.trust.keyring import Keyring
from central.web.access import Anyone
from central.web.endpoints import Call, Endpoint, Nothing
from central.web.errors import Problem
from contract.enrolment import CA_PATH, ENROLMENTS_PATH, RENEWALS_PATH, Enrolment, Issued, Renewal

_STATUS: dict[type[TrustError], int] = {
    CodeRefused: 401,
    NotRenewable: 401,
    BadRequest: 422,
    EpochRefused: 409,
    TooManyTries: 429,
    RenewedTooOften: 429,
}
_log = structlog.get_logger(__name__)


class TrustRoutes:
    """`keyring` is None where the centre runs without keys: nobody can enrol there."""

    def __init__(
        self,
        store: Store,
        keyring: Keyring | None,
        stations: Sequence[StationSettings],
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._edges = {station.edge for station in stations}
        self._clock = clock

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="GET", path=CA_PATH, access=Anyone.PUBLIC, handler=self.ca, statuses=(404,),
                summary="The county's certificate, PEM",
            ),
            Endpoint(
                method="POST", path=ENROLMENTS_PATH, access=Anyone.PUBLIC, handler=self.enrol,
                body=Enrolment, reply=Issued, statuses=(401, 404, 409, 422, 429),
                summary="An edge's first certificates, for a one-time code",
            ),
            Endpoint(
                method="POST", path=RENEWALS_PATH, access=Anyone.PUBLIC, handler=self.renew,
                body=Renewal, reply=Issued, statuses=(401, 404, 422, 429),
                summary="An edge's next certificates, asked for with its present key",
            ),
        ]  # fmt: skip

    async def ca(self, _call: Call[Nothing, Nothing]) -> web.Response:
        return web.Response(body=self._held().ca_pem, content_type="application/x-pem-file")

    async def enrol(self, call: Call[Enrolment, Nothing]) -> Issued:
        def work(tx: Transaction, authority: Authority, address: str) -> Pair:
            if call.body.edge not in self._edges:
                raise CodeRefused(f"no station has edge {call.body.edge}")
            pair = enrolment.enrol(tx, authority, call.body, address, self._clock())
            tries.forgive(tx.conn, _subjects("edge_enrolled", address))
            return pair

        return await self._issue("edge_enrolled", call, work)

    async def renew(self, call: Call[Renewal, Nothing]) -> Issued:
        def work(tx: Transaction, authority: Authority, address: str) -> Pair:
            return enrolment.renew(tx, authority, call.body, address, self._clock())

        return await self._issue("edge_renewed", call, work)

    async def _issue(
        self,
        event: str,
        call: Call[Enrolment, Nothing] | Call[Renewal, Nothing],
        work: Callable[[Transaction, Authority, str], Pair],
    ) -> Issued:
        keyring, edge = self._held(), call.body.edge
        address = call.request.remote or "unknown"

        def issue(tx: Transaction) -> Pair:
            authority = keyring.authority()
            pair = work(tx, authority, address)
            broker_files.write_both(keyring.folder, tx.conn, authority, self._edges, self._clock())
            return pair

        try:
            await self._count_try(_subjects(event, address))
            pair = await self._store.write(issue)
        except TrustError as error:
            _log.warning(f"{event}_refused", edge=edge, code=error.code, address=address, reason=str(error))
            extra = {"wait_s": error.wait_s} if isinstance(error, TooManyTries) else {}
            raise Problem(_STATUS.get(type(error), 503), error.code, str(error), **extra) from error
        _log.info(event, edge=edge, address=address)
        return Issued(
            certificate=pair.edge,
            media_certificate=pair.media,
            ca=keyring.ca_pem.decode(),
            central=keyring.central_pem.decode(),
        )

    async def _count_try(self, subjects: list[str]) -> None:
        """Before it is looked at, so that many at once win nothing. Raises TooManyTries."""
        try:
            await self._store.write(lambda tx: tries.begin(tx.conn, subjects, self._clock()))
        except LockedOut as error:
            raise TooManyTries(error.wait_s) from error

    def _held(self) -> Keyring:
        if self._keyring is None:
            raise Problem(404, "trust.none", "this centre runs without keys (--insecure-dev)")
        return self._keyring


def _subjects(event: str, address: str) -> list[str]:
    """Apart, and a renewal is never forgiven: who has a key wins no tries at a code."""
    return [f"{event} {address}"]
