"""What a technician sees on the walk: how far, what to do now, what was just found, which keys there are."""

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from edge.technician import commission_words as w
from edge.technician import screen
from edge.technician.commissioning import Result, Stage, Trial, Walk

SHOWN = 8
"""Results shown above the present point."""
_STYLES = {
    Result.PASSED: screen.GREEN,
    Result.FAILED: screen.RED,
    Result.SKIPPED: screen.YELLOW,
    Result.UNTRIED: screen.DIM,
}


def draw(walk: Walk, line: str | None) -> RenderableType:
    """The whole screen; `line` is what was typed of a note."""
    done = Table.grid(padding=(0, 2))
    for trial in walk.trials[max(0, walk.done - SHOWN) : walk.done]:
        done.add_row(*_result(trial))
    total = len(walk.trials)
    bar = Table.grid(padding=(0, 2))
    bar.add_row(ProgressBar(total, walk.done, width=40), Text(f"{walk.done}/{total}"))
    return Group(done, bar, _now(walk, line))


def _now(walk: Walk, line: str | None) -> RenderableType:
    trial = walk.current
    if trial is None:
        return Text()
    zh, en = w.ask(walk.stage, trial.type)
    style = screen.RED if walk.stage is Stage.FAILED else "bold"
    text = (
        Text()
        .append(f"{zh} {trial.point}", style)
        .append(f"\n{en}", screen.DIM if style == "bold" else style)
    )
    if walk.can_pulse:
        text.append(f"\n{w.both(w.PULSE_KEY)}", screen.YELLOW)
    if walk.stage is Stage.BACK and trial.away_within_ms is not None:
        text.append(f"\n{w.both(w.SEEN)} (≤ {trial.away_within_ms} ms)", screen.GREEN)
    for said in w.remarks(trial):
        text.append(f"\n! {w.both(said)}", screen.YELLOW)
    value = walk.value(trial.point) or w.both(w.NOTHING_READ)
    text.append(f"\n{trial.device}, {trial.channel}: {value}", screen.DIM)
    if walk.why:
        text.append(f"\n{walk.why}", screen.RED)
    foot = f"{w.both(w.NOTE)}: {line}▏" if line is not None else w.both(w.KEYS)
    title = f"{w.both(w.TYPES[trial.type])} {trial.point}"
    return Panel(text, title=title, title_align="left", subtitle=foot, subtitle_align="left")


def _result(trial: Trial) -> tuple[Text, Text, Text]:
    words = Text(w.both(w.RESULTS[trial.result]), _STYLES[trial.result])
    within = "" if trial.away_within_ms is None else f"≤ {trial.away_within_ms} ms"
    said = " · ".join(w.both(entry) for entry in w.remarks(trial))
    return words, Text(trial.point), Text(f"{within}  {said}".strip(), screen.DIM)
