"""How long a name or an address must wait after failed sign-ins. Pure."""

FREE_FAILURES = 5
FIRST_DELAY_S = 30
LONGEST_DELAY_S = 900
FORGOTTEN_AFTER_MS = 3_600_000
"""So long without a failure, and the count begins anew."""


def delay_s(failures: int) -> int:
    """Seconds to wait after so many failures in a row: none up to the fourth, then doubling."""
    if failures < FREE_FAILURES:
        return 0
    return min(FIRST_DELAY_S << min(failures - FREE_FAILURES, 16), LONGEST_DELAY_S)


def wait_ms(failures: int, last_ms: int, now_ms: int) -> int:
    """Milliseconds until the next try is looked at; 0: at once."""
    return max(0, last_ms + delay_s(failures) * 1_000 - now_ms)
