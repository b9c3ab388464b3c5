"""Arrows that import-linter cannot draw: which files may use a library's server or wire half."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("contract", "device_drivers", "edge", "central", "simulators")


def imports(path: Path) -> set[str]:
    """Every dotted name a file imports, `from a import b` as `a.b`."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def users(*prefixes: str) -> set[str]:
    """Files of the product that import any of these names."""
    return {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if "node_modules" not in path.parts
        and any(name == p or name.startswith(p + ".") for name in imports(path) for p in prefixes)
    }


def test_the_import_contracts_hold() -> None:
    linter = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert linter is not None
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_mqtt_is_spoken_in_the_two_links_only() -> None:
    assert users("paho") == {"edge/link.py", "central/ingest/link.py"}


def test_pictures_are_handled_where_cameras_are() -> None:
    rooms = ("edge/recorder/", "device_drivers/camera/", "simulators/camera/")
    assert all(path.startswith(rooms) for path in users("cv2", "av", "numpy"))


def test_web_servers_stand_in_their_rooms() -> None:
    def is_allowed(path: str) -> bool:
        return (
            path.startswith(("central/web/", "simulators/control/"))
            or path in {"edge/media.py", "simulators/onvif_device.py"}
            or (path.startswith("central/") and path.endswith("/routes.py"))
        )

    assert {path for path in users("aiohttp.web") if not is_allowed(path)} == set()
