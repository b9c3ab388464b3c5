"""Account names: one spelling a name, so that none can pass for another. Pure."""

import re
import unicodedata

NAME_MAX_CHARS = 32

_WORDS = re.compile(r"\S+( \S+)*\Z")
_UNSEEN = {"Cc", "Cf"}
"""Unicode's control and format characters, such as the zero-width space."""


def one_spelling(name: str) -> str | None:
    """The name in NFKC: words of seen characters, single spaces between. None where it is no such name."""
    plain = unicodedata.normalize("NFKC", name)
    if len(plain) > NAME_MAX_CHARS or not _WORDS.match(plain):
        return None
    return None if any(unicodedata.category(char) in _UNSEEN for char in plain) else plain
