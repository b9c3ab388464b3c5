"""Which faults stand of an edge by what it said of itself and by what the centre knows of it. Pure.

A verdict names one kind and says that it stands with this detail, or that it does not. What a message does
not speak of has no verdict and stays as it is.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from central.board_model import FaultKind, LinkState
from contract.limits import COMMAND_VALID_MAX_S
from contract.messages import Birth, Mode
from contract.rows import EdgeKind, Row

DAY_MS = 86_400_000
OVERRUN_MS = COMMAND_VALID_MAX_S * 1_000
"""An edge counts its permission from when it took it, and may end so much later than the centre does."""


class Verdict(Struct, frozen=True):
    """`detail` None: it does not stand. `keeps`: one that stands already keeps its own detail and age."""

    kind: FaultKind
    detail: str | None
    keeps: bool = False


class Window(Struct, frozen=True):
    """A permission to maintain, by the centre's clock: from `from_ms`, before `until_ms`."""

    from_ms: int
    until_ms: int
    who: str

    def is_open(self, now_ms: int) -> bool:
        return self.from_ms <= now_ms < self.until_ms


def of_link(state: LinkState, why: str) -> tuple[Verdict, ...]:
    """Silence, a lost connection and a goodbye are three things; one of them stands at a time."""
    return (
        Verdict("station_lost", why if state == "lost" else None),
        Verdict("service_stopped", "stop" if state == "stopped" else None),
    )


def of_birth(birth: Birth, *, is_new_session: bool) -> tuple[Verdict, ...]:
    """Its modes. That the simulation ended takes a new start: rows of this one may have told of it too."""
    verdicts = [Verdict("insecure", "mode" if Mode.INSECURE in birth.modes else None)]
    if Mode.SIMULATED in birth.modes:
        verdicts.append(Verdict("simulated", "mode"))
    elif is_new_session:
        verdicts.append(Verdict("simulated", None))
    return tuple(verdicts)


def of_row(row: Row, *, is_permitted: bool) -> Verdict | None:
    """What a row says of the edge itself. `is_permitted`: it may be maintained now."""
    match row.kind:
        case EdgeKind.CLOCK_STEPPED:
            return Verdict("clock_stepped", f"stepped_by {_number(row, 'step_ms') // 1_000}", keeps=True)
        case EdgeKind.DISK_LOW:
            return Verdict("disk_low", f"free {_number(row, 'free_mb')}", keeps=True)
        case EdgeKind.DISK_ENOUGH:
            return Verdict("disk_low", None)
        case EdgeKind.JOURNAL_TOUCHED:
            return Verdict("journal_touched", f"row {_number(row, 'row')}", keeps=True)
        case EdgeKind.CONFIG_CHANGED if not is_permitted:
            return of_settings(str(row.data.get("sha256")))
        case _:
            return None


def of_settings(config: str) -> Verdict:
    """It runs on other settings than it did, and nobody here has allowed it."""
    return Verdict("settings_changed", f"config {config[:8]}", keeps=True)


def of_point(quality: str, *, is_readable: bool) -> tuple[Verdict, ...]:
    """A point that does not answer, and one that nobody asks any more."""
    is_off = quality in {"disabled", "untold"}
    return (
        Verdict("point_silent", None if is_readable or is_off else quality),
        Verdict("point_disabled", quality if is_off else None),
    )


def of_permission(windows: Sequence[Window], now_ms: int, *, says_so: bool) -> Verdict:
    """Maintenance by the centre's leave and clock, and maintenance that nobody here has allowed."""
    for window in windows:
        if window.is_open(now_ms):
            return Verdict("maintenance", f"until {window.until_ms} {window.who}")
    is_overrun = any(window.is_open(now_ms - OVERRUN_MS) for window in windows)
    return Verdict("maintenance", "unpermitted" if says_so and not is_overrun else None)


def of_certificate(expires_ms: int | None, now_ms: int) -> Verdict:
    """30, 7 and 1 days before the end, and from the end on. None: it has no certificate."""
    if expires_ms is None:
        return Verdict("certificate_expires", None)
    left_ms = expires_ms - now_ms
    stages: Iterable[tuple[str, int]] = (("over", 0), ("day", 1), ("week", 7), ("month", 30))
    word = next((word for word, days in stages if left_ms <= days * DAY_MS), None)
    return Verdict("certificate_expires", f"{word} {expires_ms}" if word else None)


def _number(row: Row, name: str) -> int:
    """A number of the row's data; what is no number is 0."""
    value = row.data.get(name)
    return value if isinstance(value, int) else 0
