"""What a simulated camera is, and what stands before it at this moment."""

import msgspec


class CameraSettings(msgspec.Struct, frozen=True):
    """One camera. `id` is also its RTSP path, such as `liuxu.int1`. Sizes in pixels, `fps` a second."""

    id: str
    title_zh: str
    station_zh: str
    width: int = 640
    height: int = 360
    fps: int = 5


class SceneState(msgspec.Struct, frozen=True):
    """`in_use`: somebody is in the room. `covered`: the lens is hidden. `dark`: the light is off.
    `door_open`: as the contact says, so that picture and contact tell one story.
    """

    in_use: bool
    covered: bool
    dark: bool
    door_open: bool = False
