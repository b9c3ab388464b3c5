"""Is an edge's wall clock to be believed? Judged over several beats, so that one slow beat is no fault. Pure.

A run counts beats of one kind after each other, up to three: above zero those that tell another time than
ours, below zero those of a sound and synchronised clock. Beats that a stall of the network held back arrive
in one burst, all of them late; a burst counts as one beat.
"""

from central.patrol.edge_faults import Verdict
from contract.limits import BEAT_INTERVAL_S, CLOCK_SKEW_MAX_MS
from contract.messages import Beat
from contract.points import Clock

RUN = 3
"""So many beats of one kind decide."""
APART_MS = int(BEAT_INTERVAL_S * 1_000 / 2)
"""Beats that arrive closer together are a burst."""


def after_beat(run: int, counted_ms: int, beat: Beat, received_ms: int) -> tuple[int, int, Verdict | None]:
    """The new run, when its newest beat was counted, and the verdict where the run decides one."""
    if beat.clock is Clock.STEPPED:
        return (run, counted_ms, None) if run == RUN else (RUN, received_ms, _stands("stepped"))
    skew_ms = beat.at - received_ms
    is_far = abs(skew_ms) > CLOCK_SKEW_MAX_MS
    if not is_far and beat.clock is not Clock.SYNCED:
        return 0, counted_ms, None
    step = 1 if is_far else -1
    goes_on = run * step > 0
    if run == RUN * step or (goes_on and abs(received_ms - counted_ms) < APART_MS):
        return run, counted_ms, None
    run = run + step if goes_on else step
    if run == RUN:
        word = "ahead" if skew_ms > 0 else "behind"
        return run, received_ms, _stands(f"{word} {round(abs(skew_ms) / 1_000)}")
    return run, received_ms, Verdict("clock_stepped", None) if run == -RUN else None


def _stands(detail: str) -> Verdict:
    return Verdict("clock_stepped", detail, keeps=True)
