"""What was refused and why: counted by code, logged once for each edge and code until it is over."""

from collections import Counter

import structlog
from prometheus_client import Counter as Metric

QUIET_AFTER_S = 60.0
"""So long without another: it is over, and the next one is news again."""

NOBODY = "-"
"""Stands for every name that is no edge of ours: a liar may not choose what is remembered."""

refused_total = Metric("casewatch_ingest_refused_total", "Messages of edges that were refused", ["code"])
log = structlog.get_logger()


class Refusals:
    """Told of every refusal; costs the same however many there are."""

    def __init__(self) -> None:
        self._last_mono: dict[tuple[str, str], float] = {}
        self._counts: Counter[str] = Counter()

    def note(self, edge: str | None, code: str, detail: str, mono_s: float) -> None:
        """`edge` is one of ours, or None."""
        refused_total.labels(code).inc()
        key = (edge or NOBODY, code)
        if key not in self._last_mono:
            log.warning("edge_message_refused", edge=key[0], code=code, detail=detail[:200])
        self._last_mono[key] = mono_s
        if edge is not None:
            self._counts[edge] += 1

    def take_counts(self) -> dict[str, int]:
        """Refusals of each edge since the last call."""
        counts, self._counts = self._counts, Counter()
        return dict(counts)

    def settle(self, mono_s: float) -> None:
        """Says what is over."""
        over = [key for key, last in self._last_mono.items() if mono_s - last > QUIET_AFTER_S]
        for edge, code in over:
            del self._last_mono[edge, code]
            log.info("edge_messages_accepted_again", edge=edge, code=code)
