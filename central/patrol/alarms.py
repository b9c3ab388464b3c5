"""Every kind of fault: how grave it is, what its details are, and whether a person has to end it. Pure.

docs/alarms.md tells each in full, the page's words are in `central/board/src/locales/`; tests hold all equal.
"""

from typing import Literal

from msgspec import Struct

from central.board_model import FaultKind

Level = Literal["security", "fault", "notice"]
"""`security`: somebody may have had hands on it, or what is told cannot be believed. `fault`: something does
not work. `notice`: it is meant so, and may not be forgotten.
"""


class Alarm(Struct, frozen=True):
    """`details`: the words that its detail may begin with. `by_person`: it stands until a person settles it,
    because no message can undo what happened.
    """

    level: Level
    details: tuple[str, ...]
    by_person: bool = False


ALARMS: dict[FaultKind, Alarm] = {
    "station_lost": Alarm("fault", ("silent", "connection")),
    "service_stopped": Alarm("fault", ("stop",)),
    "point_silent": Alarm(
        "fault", ("stale", "comm_fail", "device_error", "line_open", "line_short", "tamper")
    ),
    "point_disabled": Alarm("fault", ("disabled", "untold")),
    "picture": Alarm("fault", ("covered", "dark", "lost", "reported")),
    "clock_stepped": Alarm("fault", ("stepped", "stepped_by", "ahead", "behind")),
    "log_withheld": Alarm("security", ("from", "full")),
    "two_machines": Alarm("security", ("session",), by_person=True),
    "edge_rolled_back": Alarm("security", ("row",), by_person=True),
    "store_rolled_back": Alarm("security", ("receipted",)),
    "forked": Alarm("security", ("epoch",), by_person=True),
    "epoch_unknown": Alarm("security", ("epoch",)),
    "bad_signature": Alarm(
        "security", ("bad_signature", "unsigned", "not_enrolled", "receipt"), by_person=True
    ),
    "key_revoked": Alarm("security", ("revoked",), by_person=True),
    "old_version": Alarm("fault", ("version",)),
    "rows_gone": Alarm("security", ("rows",)),
    "journal_touched": Alarm("security", ("row",), by_person=True),
    "settings_changed": Alarm("security", ("config",), by_person=True),
    "insecure": Alarm("security", ("mode",)),
    "maintenance": Alarm("notice", ("until", "unpermitted")),
    "simulated": Alarm("notice", ("mode", "rows")),
    "disk_low": Alarm("fault", ("free",)),
    "certificate_expires": Alarm("fault", ("month", "week", "day", "over")),
}
