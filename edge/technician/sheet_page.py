"""The acceptance sheet for people: one HTML page without a script, to be printed and signed by hand too."""

import time
from html import escape

from edge.technician import commission_words as w
from edge.technician.acceptance import Acceptance, Sheet
from edge.technician.commissioning import Result, Trial

_COLUMNS = ("point", "type", "device", "channel", "result", "away", "back", "at", "remarks")
_STYLE = """
body{font:14px/1.45 "Noto Sans CJK SC","Microsoft YaHei",sans-serif;max-width:64em;margin:2em auto}
h1{font-size:1.5em}
small{color:#555;font-weight:normal;display:block;font-size:.8em}
table{border-collapse:collapse;width:100%}
th,td{border:1px solid #999;padding:.3em .5em;text-align:left;vertical-align:top}
td.n{text-align:right}
.failed,.skipped,.untried{font-weight:bold;background:#ffd}.failed{background:#fdd}
dl{display:grid;grid-template-columns:12em 1fr;gap:.2em 1em}
dd{margin:0;overflow-wrap:anywhere}
.warn{border:2px solid #b00;padding:.5em}
.hands{display:flex;gap:4em;margin-top:3em}
.hands p{flex:1;border-top:1px solid}
@media print{body{margin:0}tr{break-inside:avoid}}
"""


def page(sheet: Sheet) -> str:
    """The whole page."""
    told = sheet.acceptance
    head = "".join(f"<th>{_both(w.HEADINGS[name])}</th>" for name in _COLUMNS)
    rows = "".join(_row(trial) for trial in told.points)
    warning = f'<p class="warn">{_both(w.SIMULATED)}</p>' if told.simulated else ""
    others = f"<p>{escape(', '.join(told.not_walked))}{_both(w.NOT_WALKED)}</p>" if told.not_walked else ""
    hands = (
        f'<div class="hands"><p>{_both(w.HEADINGS["by"])}</p><p>{_both(w.HEADINGS["signature"])}</p></div>'
    )
    return (
        f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><style>{_STYLE}</style>'
        f"<title>{escape(w.TITLE[0])} {escape(told.edge)}</title>"
        f"<h1>{_both(w.TITLE)}</h1>{warning}{_facts(sheet)}"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{others}"
        f"<p>{_both(w.VERIFY)}</p>{hands}</html>\n"
    )


def counts(told: Acceptance) -> str:
    """`通过 passed 12, …` of the results that there are."""
    found = [(w.both(words), told.count(result)) for result, words in w.RESULTS.items()]
    return ", ".join(f"{words} {count}" for words, count in found if count)


def local_time(at_ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(at_ms / 1_000)) if at_ms else ""


def grouped(key: str) -> str:
    """A long hex number as people compare it: in groups of eight."""
    return " ".join(key[at : at + 8] for at in range(0, len(key), 8))


def _facts(sheet: Sheet) -> str:
    told = sheet.acceptance
    facts = {
        "edge": told.edge,
        "by": told.by,
        "span": f"{local_time(told.began_at)} – {local_time(told.ended_at)}",
        "counts": counts(told),
        "version": told.version,
        "settings": told.settings,
        "key": grouped(told.public_key),
        "signature": grouped(sheet.signature),
    }
    lines = (f"<dt>{_both(w.HEADINGS[n])}</dt><dd>{escape(text)}</dd>" for n, text in facts.items())
    return f"<dl>{''.join(lines)}</dl>"


def _row(trial: Trial) -> str:
    said = "".join(f"<div>{_both(words)}</div>" for words in w.remarks(trial))
    cells = [
        f"<td>{escape(trial.point)}</td>",
        f"<td>{_both(w.TYPES[trial.type])}</td>",
        f"<td>{escape(trial.device)}, {trial.unit}</td>",
        f"<td>{escape(trial.channel)}</td>",
        f'<td class="{trial.result}">{_both(w.RESULTS[trial.result])}</td>',
        f'<td class="n">{_number(trial.away_within_ms)}</td>',
        f'<td class="n">{_number(trial.back_within_ms)}</td>',
        f"<td>{local_time(trial.ended_at) if trial.result is not Result.UNTRIED else ''}</td>",
        f"<td>{said}</td>",
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _both(words: w.Words) -> str:
    english = f"<small>{escape(words[1])}</small>" if words[1] else ""
    return f"{escape(words[0])}{english}"
