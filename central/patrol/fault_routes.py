"""Faults over HTTP: which stand, and the act that ends one for which a person has to answer."""

from collections.abc import Callable
from typing import Annotated

from msgspec import Meta, Struct

from central.accounts.roles import Right
from central.board_model import Fault
from central.errors import ActError, FaultGone, NotFound
from central.free_text import Text
from central.patrol import queries
from central.patrol.places import Places
from central.patrol.settling import REASON_MAX_CHARS, Settling, settle
from central.settings import StationSettings
from central.store.database import Store
from central.web.endpoints import Call, Endpoint, Nothing
from central.web.errors import Problem


class FaultsReply(Struct, frozen=True):
    faults: list[Fault]


class SettleAct(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    reason: Annotated[Text, Meta(min_length=1, max_length=REASON_MAX_CHARS)]


class FaultReply(Struct, frozen=True):
    fault: Fault


class FaultRoutes:
    """`clock` gives wall time in ms."""

    def __init__(self, store: Store, stations: tuple[StationSettings, ...], clock: Callable[[], int]) -> None:
        self._store = store
        self._places = Places(stations)
        self._clock = clock

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="GET", path="/api/v1/faults", access=Right.SEE_BOARD, handler=self.list_faults,
                reply=FaultsReply, summary="Faults that stand",
            ),
            Endpoint(
                method="POST", path="/api/v1/faults/{id}/settle", access=Right.SETTLE_FAULT,
                handler=self.settle, body=SettleAct, reply=FaultReply, statuses=(404, 409),
                summary="End a fault for which a person has to answer",
            ),
        ]  # fmt: skip

    async def list_faults(self, _call: Call[Nothing, Nothing]) -> FaultsReply:
        return FaultsReply(await self._store.read(queries.open_faults))

    async def settle(self, call: Call[SettleAct, Nothing]) -> FaultReply:
        said = Settling(call.user.id, call.user.name, call.body.reason, self._clock())
        try:
            settled = await self._store.write(lambda tx: settle(tx, self._places, call.part("id"), said))
        except NotFound as error:
            raise Problem(404, error.code, str(error)) from error
        except FaultGone as error:
            raise Problem(409, error.code, str(error)) from error
        except ActError as error:
            raise Problem(422, error.code, str(error)) from error
        return FaultReply(settled)
