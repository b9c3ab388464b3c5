"""Where a camera streams: as the settings say, or as the camera itself says when it is asked by ONVIF."""

from device_drivers.onvif_camera.driver import load_password, stream_uri
from edge.settings import CameraSettings


async def stream_url(settings: CameraSettings) -> str:
    """Raises a DriverError. A login may stand in it: it must never reach a log."""
    if settings.onvif is None:
        assert settings.url is not None
        return settings.url
    host, _, port = settings.onvif.rpartition(":")
    password = load_password(settings.password_file) if settings.password_file else ""
    return await stream_uri(host, int(port), settings.user or "", password)
