"""A host that cannot even be looked up is a link that is down, not the end of the agent."""

import pytest

from device_drivers.errors import LinkDown
from device_drivers.onvif_camera.driver import stream_uri
from device_drivers.transport.tcp import TcpTransport

NAMES = ("a..b", "a" * 64)


@pytest.mark.parametrize("host", NAMES)
async def test_a_module_with_an_impossible_name_is_down(host: str) -> None:
    with pytest.raises(LinkDown):
        await TcpTransport(host, 502).open()


@pytest.mark.parametrize("host", NAMES)
async def test_a_camera_with_an_impossible_name_is_down(host: str) -> None:
    with pytest.raises(LinkDown):
        await stream_uri(host, 80, "", "")
