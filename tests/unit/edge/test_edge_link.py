"""The link where it does not come to a connection."""

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from contract.ids import EdgeId
from edge import link
from edge.link import Link
from edge.settings import BrokerSettings


async def test_missing_password_file_is_a_loss_that_is_said_once_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "RECONNECT_CAP_S", 0.001)
    tries: asyncio.Queue[None] = asyncio.Queue()

    def will() -> bytes:
        tries.put_nowait(None)
        return b"{}"

    absent = str(tmp_path / "broker.password")
    broker = BrokerSettings(host="192.0.2.1", username="liuxu", password_file=absent)
    with capture_logs() as logs:
        task = asyncio.create_task(Link(broker, EdgeId("liuxu"), will).run(), name="link")
        async with asyncio.timeout(5):
            for _ in range(3):
                await tries.get()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert [entry["event"] for entry in logs] == ["broker_lost"]
    assert absent in logs[0]["reason"]
