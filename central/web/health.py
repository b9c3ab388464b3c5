"""`/healthz`, `/metrics` and `/api/openapi.json`: what operators and programs ask of the centre."""

import asyncio
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Literal

import msgspec
from aiohttp import web
from msgspec import Struct
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from sqlalchemy import Connection, text

from central.accounts.roles import Right
from central.errors import StoreUnavailable
from central.store.database import Store
from central.web import openapi
from central.web.access import Anyone
from central.web.endpoints import Call, Endpoint, Nothing, json_response

STORE_WITHIN_S = 2.0


class Health(Struct, frozen=True):
    """`degraded`: the broker is away, the board still answers; `failed` (503): the store is away."""

    status: Literal["ok", "degraded", "failed"]
    store: Literal["ok", "failed"]
    broker: Literal["connected", "lost"]


class HealthRoutes:
    """`is_broker_connected` is asked each time."""

    def __init__(self, store: Store, is_broker_connected: Callable[[], bool]) -> None:
        self._store = store
        self._is_broker_connected = is_broker_connected
        self._document = b"{}"

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="GET", path="/healthz", access=Anyone.PUBLIC, handler=self.health,
                reply=Health, statuses=(503,), summary="Whether the centre works",
            ),
            Endpoint(
                method="GET", path="/metrics", access=Right.READ_METRICS, handler=self.metrics,
                summary="Prometheus text; from this machine without a session",
            ),
            Endpoint(
                method="GET", path="/api/openapi.json", access=Anyone.PUBLIC, handler=self.openapi,
                summary="This document",
            ),
        ]  # fmt: skip

    def describe(self, endpoints: Sequence[Endpoint], sockets: Sequence[openapi.Socket]) -> None:
        """What the document is to tell of, once all of it is known."""
        self._document = msgspec.json.encode(openapi.document(endpoints, sockets, version("casewatch")))

    async def health(self, _call: Call[Nothing, Nothing]) -> web.Response:
        has_store = await self._has_store()
        has_broker = self._is_broker_connected()
        status: Literal["ok", "degraded", "failed"] = "ok" if has_broker else "degraded"
        health = Health(
            status=status if has_store else "failed",
            store="ok" if has_store else "failed",
            broker="connected" if has_broker else "lost",
        )
        return json_response(health, status=200 if has_store else 503)

    async def metrics(self, _call: Call[Nothing, Nothing]) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    async def openapi(self, _call: Call[Nothing, Nothing]) -> web.Response:
        return web.Response(body=self._document, content_type="application/json")

    async def _has_store(self) -> bool:
        try:
            async with asyncio.timeout(STORE_WITHIN_S):
                return await self._store.read(_answers)
        except (StoreUnavailable, TimeoutError):
            return False


def _answers(conn: Connection) -> bool:
    return bool(conn.execute(text("SELECT 1")).scalar())
