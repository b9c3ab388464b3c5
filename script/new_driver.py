"""Writes the beginning of a driver family: a small protocol that works, to be changed into the real one.

`script/new-driver acme_io` makes codec, driver, README, the far end and vectors from `driver_template/`, a
scratch scenario and edge under `var/` to play them with, and adds a line to each table that names families
(`tables.toml`). Nothing is written unless all of it can be.
"""

import re
import sys
import tomllib
from pathlib import Path
from string import Template

TEMPLATES = Path(__file__).parent / "driver_template"
FILES = {
    "device_drivers/$name/__init__.py": "__init__.py",
    "device_drivers/$name/codec.py": "codec.py",
    "device_drivers/$name/driver.py": "driver.py",
    "device_drivers/$name/README.md": "README.md",
    "simulators/$name.py": "responder.py",
    "tests/contract/test_${name}_vectors.py": "test_vectors.py",
    "var/$name/scenario.toml": "scenario.toml",
    "var/$name/edge.toml": "edge.toml",
}


def main() -> None:
    name = sys.argv[1] if len(sys.argv) == 2 else ""
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        sys.exit("script/new-driver NAME: a name such as acme_io, in small letters")
    words = {
        "name": name,
        "class_name": "".join(part.capitalize() for part in name.split("_")),
        "protocol": name.replace("_", "-"),
    }
    written = {
        Path(Template(path).substitute(words)): Template(template(made)).substitute(words)
        for path, made in FILES.items()
    }
    taken = [str(path) for path in written if path.exists()]
    if taken:
        sys.exit(f"script/new-driver: {', '.join(taken)} is there already: choose another name")
    for line in tomllib.loads((TEMPLATES / "tables.toml").read_text())["line"]:
        path = Path(line["file"])
        text = Template(line["text"]).substitute(words)
        written[path] = inserted(path, written.get(path) or path.read_text(), line, text)
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        sys.stdout.write(f"{path}\n")


def template(made: str) -> str:
    return (TEMPLATES / f"{made}.tmpl").read_text()


def inserted(path: Path, content: str, line: dict[str, str], text: str) -> str:
    """The file's content with one more line in its table."""
    table = re.search(line["within"], content, re.MULTILINE)
    place = table and re.compile(line["before"], re.MULTILINE).search(content, table.start())
    if not place:
        sys.exit(f"script/new-driver: {path} has no {line['within']} … {line['before']}; nothing was written")
    return content[: place.start()] + text + content[place.start() :]


if __name__ == "__main__":
    main()
