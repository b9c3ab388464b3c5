"""Writes docs/drivers.md from the registry and the drivers' READMEs: what was verified, against what."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from device_drivers import registry  # noqa: E402 a script stands beside the packages
from device_drivers.site import ListenerKind, PolledKind  # noqa: E402
from tests.support.driver_cases import CASES  # noqa: E402

DOCUMENT = ROOT / "docs/drivers.md"
SECTION = "## What has been verified, against what\n"
HEAD = """# Drivers, and what they were verified against

Written by `script/driver_table.py` from the registry and each family's README; a test fails where it is not
current. Every polled driver also passes the conformance suite (`tests/contract/test_driver_conformance.py`)
and the fuzzers (`tests/fuzz/test_fuzz_codecs.py`).

| driver | lines | can be told to | real device on the bench |
|---|---|---|---|
"""


def table() -> str:
    """The whole document."""
    kinds: dict[str, PolledKind | ListenerKind] = {**registry.DRIVERS, **registry.LISTENERS}
    rows = "".join(_row(name, kind) for name, kind in kinds.items())
    folders = list(dict.fromkeys(_folder(kind) for kind in kinds.values()))
    return HEAD + rows + "".join(_family(folder) for folder in folders)


def _row(name: str, kind: PolledKind | ListenerKind) -> str:
    lines = kind.buses if isinstance(kind, PolledKind) else (kind.bus,)
    told = sorted({command.action for case in CASES if case.kind == name for command in case.commands})
    is_untried = re.search(r"\bno real\b", _verified(_folder(kind)), re.IGNORECASE)
    link = f"[{name}](../{_folder(kind)}/README.md)"
    return (
        f"| {link} | {', '.join(lines)} | {', '.join(told) or '-'} | {'not yet' if is_untried else 'yes'} |\n"
    )


def _family(folder: str) -> str:
    title = (ROOT / folder / "README.md").read_text().splitlines()[0].removeprefix("# ")
    return f"\n## {title}\n\n{_verified(folder).strip()}\n"


def _verified(folder: str) -> str:
    """The README's own words, up to its next heading."""
    return (ROOT / folder / "README.md").read_text().partition(SECTION)[2].partition("\n#")[0]


def _folder(kind: PolledKind | ListenerKind) -> str:
    return "/".join(kind.build.__module__.split(".")[:2])


if __name__ == "__main__":
    DOCUMENT.write_text(table())
