"""Every alarm has its line in docs/alarms.md, its words in both languages, and one look on the board."""

import re
from pathlib import Path
from typing import get_args

import pytest

from central.board_model import FaultKind
from central.patrol.alarms import ALARMS
from central.patrol.fault_words import DETAILS, WORDS

ROOT = Path(__file__).parents[2]
BOARD = ROOT / "central/board/src"
KINDS = list(get_args(FaultKind))


def words(language: str, group: str) -> dict[str, str]:
    """One group of a locale file."""
    text = (BOARD / f"locales/{language}.ts").read_text()
    found = re.search(rf"^  {group}: \{{\n(.*?)^  \}},", text, re.DOTALL | re.MULTILINE)
    assert found is not None
    return dict(re.findall(r"^    (\w+): ['\"](.*)['\"],$", found[1], re.MULTILINE))


def documented() -> dict[str, tuple[str, str]]:
    """Of each kind its words and its level, as the table tells them."""
    text = (ROOT / "docs/alarms.md").read_text()
    lines = re.findall(r"^\| `(\w+)` \| ([^|]+) \| (\w+) \|(?:[^|]+\|){4}$", text, re.MULTILINE)
    return {kind: (word.strip(), level) for kind, word, level in lines}


def test_the_table_of_alarms_has_every_kind_and_no_other() -> None:
    assert sorted(documented()) == sorted(KINDS) == sorted(ALARMS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_tells_the_boards_own_words_and_level(kind: str) -> None:
    told = f"{words('zh', 'fault')[kind]} · {words('en', 'fault')[kind]}"
    assert documented()[kind] == (told, ALARMS[kind].level)


def test_the_board_knows_each_kinds_level_and_who_ends_it() -> None:
    text = (BOARD / "live/alarms.ts").read_text()
    found = re.findall(r"^  (\w+): \{ level: '(\w+)'(, byPerson: true)? \},$", text, re.MULTILINE)
    told = {kind: (level, bool(by_person)) for kind, level, by_person in found}
    assert told == {kind: (alarm.level, alarm.by_person) for kind, alarm in ALARMS.items()}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_detail_has_its_words_and_every_word_its_detail(language: str) -> None:
    told, qualities, pictures = (words(language, group) for group in ("told", "quality", "picture"))
    expected = {f"{kind}_{detail}" for kind, alarm in ALARMS.items() for detail in alarm.details}
    elsewhere = {f"point_silent_{name}" for name in qualities} | {f"picture_{name}" for name in pictures}
    assert set(told) == expected - elsewhere


@pytest.mark.parametrize(("at", "language"), [(0, "zh"), (1, "en")])
def test_the_console_has_the_boards_words_for_every_kind_and_detail(at: int, language: str) -> None:
    told, qualities, pictures = (words(language, group) for group in ("told", "quality", "picture"))
    board = {f"point_silent_{name}": word for name, word in qualities.items()}
    board |= {f"picture_{name}": word for name, word in pictures.items()} | told
    expected = {(kind, detail) for kind, alarm in ALARMS.items() for detail in alarm.details}
    assert {kind: word[at] for kind, word in WORDS.items()} == {
        kind: words(language, "fault")[kind] for kind in KINDS
    }
    assert {key: word[at] for key, word in DETAILS.items()} == {
        (kind, detail): board[f"{kind}_{detail}"] for kind, detail in expected
    }
