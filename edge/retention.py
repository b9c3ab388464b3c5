"""What of the journal may be forgotten: rows, 30 days after their receipt, or one where room is short. Pure.

A wall clock can be set, by those whom the rows tell of too. So the journal counts its own age: the minutes
that the agent ran on it, over all its starts. At the end of each day of that age a mark keeps how far the
receipt had come. There are thirty such marks, used in turn: the one to be written anew is 30 days old.
"""

from collections.abc import Mapping

KEEP_DAYS = 30
DAY_MINUTES = 24 * 60
AGE_MARK = "age_minutes"
TRIM_MARK = "trim_seq"
DAY_MARK = "receipted_day_"


def minute_passed(marks: Mapping[str, str], receipted: int) -> dict[str, str]:
    """The marks that change at the end of a minute. Rows up to that of TRIM_MARK may be forgotten."""
    minutes = int(marks.get(AGE_MARK, 0)) + 1
    changed = {AGE_MARK: str(minutes)}
    day, rest = divmod(minutes, DAY_MINUTES)
    if rest == 0:
        slot = _slot(day)
        changed[slot] = str(receipted)
        if slot in marks:
            changed[TRIM_MARK] = marks[slot]
    return changed


def forgettable(marks: Mapping[str, str], *, is_disk_low: bool) -> int:
    """Rows up to this one may be forgotten: receipted for 30 days, where the disk is low for one or two."""
    old = int(marks.get(TRIM_MARK, 0))
    if not is_disk_low:
        return old
    yesterday = int(marks.get(AGE_MARK, 0)) // DAY_MINUTES - 1
    return max(old, int(marks.get(_slot(yesterday), 0))) if yesterday > 0 else old


def _slot(day: int) -> str:
    return f"{DAY_MARK}{day % KEEP_DAYS}"
