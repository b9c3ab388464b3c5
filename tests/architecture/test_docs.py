"""Documents are under test: their links lead somewhere and their commands run."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("device_drivers/*/README.md")])
# Commands that start, change or need a whole county: their options are checked, they are not run.
LONG_RUNNING = {"demo", "run", "set", "list", "invite", "readmit"}
LONG_RUNNING |= {"probe", "read", "capture", "doctor", "commission"}
LONG_RUNNING |= {"enrol", "renew", "revoke", "skip", "settle", "init", "acl", "crl"}
LONG_RUNNING |= {"devices", "act", "move", "fault", "faults", "frames", "plug", "heal"}
LONG_RUNNING |= {"maintain", "open-slot"}
LONG_RUNNING |= {"verify", "export", "backup", "restore", "verify-package"}


def commands() -> list[tuple[str, str]]:
    """Every line of every `sh` block, with the name of its document."""
    return [
        (str(path.relative_to(ROOT)), line.split("   #")[0].strip())
        for path in DOCS
        for block in re.findall(r"```sh\n(.*?)```", path.read_text(), re.DOTALL)
        for line in block.splitlines()
        if line.strip()
    ]


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text()):
        assert "://" not in target, f"{target}: the network is not there"
        assert (path.parent / target).exists(), f"{path.name} names {target}"


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_named_files_exist(path: Path) -> None:
    for name in re.findall(
        r"`((?:config|contract|central|edge|device_drivers|simulators|script|docs|tests)/[\w./-]+)`",
        path.read_text(),
    ):
        assert (ROOT / name).exists(), f"{path.name} names {name}"


@pytest.mark.parametrize(("document", "command"), commands())
def test_a_documented_command_runs(document: str, command: str) -> None:
    words = shlex.split(command)
    if words[0].startswith("script/"):
        assert (ROOT / words[0]).stat().st_mode & 0o100, f"{document}: {words[0]} is no script"
        return
    assert words[0].endswith("casewatch"), f"{document}: cannot judge {command}"
    is_safe = not LONG_RUNNING & set(words)
    parts = [word for word in words[1:] if re.fullmatch(r"[a-z][a-z-]*", word)][:3]
    arguments = words[1:] if is_safe else [*_subcommand(parts), "--help"]
    done = subprocess.run(
        [sys.executable, "-m", "casewatch", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    if not is_safe:
        for option in (word for word in words if word.startswith("--")):
            assert option in done.stdout, f"{document}: {command} has no {option}"


def _subcommand(words: list[str]) -> list[str]:
    """The leading words that name a command: up to and with the one that does something."""
    for count, word in enumerate(words, start=1):
        if word in LONG_RUNNING:
            return words[:count]
    return words[:1]
