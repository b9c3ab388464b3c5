"""Writes a new driver family that works as it is, so that its author changes a working thing."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEMPLATES = Path(__file__).parent / "driver_template"
NAME = re.compile(r"^(?=.{2,24}$)[a-z][a-z0-9]*(_[a-z0-9]+)*$")

FILES = {
    "__init__.py.txt": "device_drivers/@name@/__init__.py",
    "codec.py.txt": "device_drivers/@name@/codec.py",
    "driver.py.txt": "device_drivers/@name@/driver.py",
    "README.md.txt": "device_drivers/@name@/README.md",
    "simulator.py.txt": "simulators/@name@.py",
    "vectors.py.txt": "tests/contract/test_@name@_vectors.py",
    "scenario.toml.txt": "var/@name@/scenario.toml",
    "edge.toml.txt": "var/@name@/edge.toml",
}
LINES = [
    (
        "device_drivers/registry.py",
        "from device_drivers.bus import",
        "from device_drivers.@name@ import driver as @name@\n",
    ),
    ("device_drivers/registry.py", "}\nLISTENERS:", '    "@name@": @name@.KIND,\n'),
    (
        "simulators/makes.py",
        "from simulators.input_module import",
        "from simulators.@name@ import @Name@Units\n",
    ),
    ("simulators/makes.py", '    "osdp",\n', '    "@dashed@",\n'),
    (
        "simulators/makes.py",
        '    "osdp-reader": Make(',
        '    "@dashed@": Make("module", ("@dashed@",), 8),\n',
    ),
    (
        "simulators/makes.py",
        '    if speaks == "at":\n',
        """    if speaks == "@dashed@":
        inputs = {unit: {int(n): p for n, p in own.wires.items()} for unit, own in units.items()}
        return @Name@Units(inputs, plant)
""",
    ),
    (
        "simulators/sealing.py",
        "    # Lines of text;",
        '    "@dashed@": Sealing(function_at=2, data_at=3, unit_at=1, check=sum_all, check_bytes=1),\n',
    ),
    (
        "tests/support/driver_cases.py",
        "from simulators.input_module import",
        "from simulators.@name@ import @Name@Units\n",
    ),
    (
        "tests/support/driver_cases.py",
        "]\n\nLISTENER_CASES",
        '    DriverCase("@name@", "@name@", _serial(), _inputs_at_doors(@Name@Units), seal=_summed),\n',
    ),
]
"""File, what stands only once in it, and what is to stand before that."""


def main() -> int:
    if len(sys.argv) != 2 or not NAME.match(sys.argv[1]):
        print("script/new-driver: which name? small letters, digits and _, such as gate_box", file=sys.stderr)
        return 2
    name = sys.argv[1]
    faults = [f"{path} exists" for path in _files(name).values() if path.exists()]
    faults += [
        f"{path}: the place for the new line is not found: {anchor.strip()!r}"
        for path, anchor, _ in LINES
        if (ROOT / path).read_text().count(anchor) != 1
    ]
    if faults:
        print("script/new-driver: nothing was written.", *faults, sep="\n  ", file=sys.stderr)
        return 2
    for template, path in _files(name).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_filled((TEMPLATES / template).read_text(), name))
    for path, anchor, text in LINES:
        file = ROOT / path
        file.write_text(file.read_text().replace(anchor, _filled(text, name) + anchor))
    _tidy(name)
    print(f"device_drivers/{name}/ works as it is. Next: docs/add-a-driver.md, minute 1.")
    return 0


def _files(name: str) -> dict[str, Path]:
    return {template: ROOT / _filled(path, name) for template, path in FILES.items()}


def _filled(text: str, name: str) -> str:
    words = {"@name@": name, "@Name@": name.title().replace("_", ""), "@dashed@": name.replace("_", "-")}
    for place, word in words.items():
        text = text.replace(place, word)
    return text


def _tidy(name: str) -> None:
    """Sort the imports, break the lines, write the table of drivers anew."""
    own = [str(path) for path in _files(name).values() if path.suffix == ".py"]
    touched = [*own, *sorted({str(ROOT / path) for path, _, _ in LINES})]
    ruff = [sys.executable, "-m", "ruff"]
    subprocess.run([*ruff, "check", "--quiet", "--select", "I", "--fix", *touched], cwd=ROOT, check=True)
    subprocess.run([*ruff, "format", "--quiet", *touched], cwd=ROOT, check=True)
    subprocess.run([sys.executable, "script/driver_table.py"], cwd=ROOT, check=True)


if __name__ == "__main__":
    sys.exit(main())
