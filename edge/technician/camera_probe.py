"""`casewatch edge probe --onvif`: the network cameras on one interface, printed."""

import asyncio

from device_drivers.onvif_camera.discovery import WAIT_S, probe
from edge.technician import screen


def run(interface: str, *, is_json: bool) -> bool:
    """Ask on the network of this local address who is a camera. Raises DriverError. Whether one answered."""
    cameras = asyncio.run(probe(interface))
    if is_json:
        screen.print_json({"interface": interface, "cameras": cameras})
    elif cameras:
        rows = [[camera.host, str(camera.port), camera.name or "does not say"] for camera in cameras]
        title = f"{interface}: {len(rows)} found in {WAIT_S:.0f} s; [[camera]] onvif = HOST:PORT"
        screen.print_table(title, ("host", ">port", "calls itself"), rows)
    else:
        hint = "is it the address of the cameras' network, and is ONVIF discovery on in the camera?"
        screen.print_line(f"{interface}: no camera answered in {WAIT_S:.0f} s: {hint}")
    return bool(cameras)
