"""`script/chaos`: faults against real processes and a real broker, each seeded, judged by one oracle."""

import argparse
import fnmatch
import multiprocessing
import random
import sys
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.chaos.ground import Play
from tests.chaos.plays import PLAYS
from tests.chaos.trial import Order, Result, carry_out, find

SEED_RANGE = 10**6
VERDICTS = ("BROKEN", "FAILED", "not proven", "kept")
"""The worst first: a row is as good as its worst run."""


def main() -> int:
    options = _options()
    console = Console(width=None if sys.stdout.isatty() else 150)
    orders = list(_orders(options))
    if not orders:
        console.print(f"no such row; there are {', '.join(play.id for play in PLAYS)}")
        return 2
    results = _run(orders, options.workers, console)
    _report(results, console)
    return 1 if any(result.broken or result.failure for result in results) else 0


def _options() -> argparse.Namespace:
    ways = "Also: script/chaos --sim, script/chaos --planted; the rows are listed in docs/chaos.md."
    parser = argparse.ArgumentParser(prog="script/chaos", description=__doc__, epilog=ways)
    parser.add_argument("--nightly", action="store_true", help="every row in full, over an hour")
    parser.add_argument("--only", nargs="+", metavar="ROW", default=[], help="rows or parts: 5, 3.edge, 1*")
    parser.add_argument("--seed", type=int, help="of every play (default: a new one, which is printed)")
    parser.add_argument("--trials", type=int, help="in each play, instead of its own number")
    parser.add_argument("--workers", type=int, default=2, help="plays at one time (default 2)")
    return parser.parse_args()


def _orders(options: argparse.Namespace) -> Iterator[Order]:
    """The longest first, so that none is left running alone at the end."""
    first_seed = random.randrange(SEED_RANGE) if options.seed is None else options.seed
    for play in sorted(PLAYS, key=lambda play: -play.smoke_s):
        if options.only and not any(_is_meant(play, word) for word in options.only):
            continue
        total = options.trials or (play.nightly if options.nightly else play.smoke)
        longest = total if options.trials else min(total, play.a_run)
        for number, start in enumerate(range(0, total, longest)):
            trials = min(longest, total - start)
            limit_s = int(120 + 4 * play.smoke_s * max(1.0, trials / play.smoke))
            yield Order(play.id, first_seed + number, trials, limit_s)


def _is_meant(play: Play, word: str) -> bool:
    return word == str(play.row) or fnmatch.fnmatch(play.id, word)


def _run(orders: list[Order], workers: int, console: Console) -> list[Result]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    results: list[Result] = []
    context = multiprocessing.get_context("spawn")
    with (
        Progress(*columns, console=console) as progress,
        ProcessPoolExecutor(workers, mp_context=context, max_tasks_per_child=1) as pool,
    ):
        task = progress.add_task("chaos", total=len(orders))
        running: dict[Future[Result], Order] = {pool.submit(carry_out, order): order for order in orders}
        while running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                order = running.pop(future)
                results.append(result := _result(future, order))
                progress.print(_line(result), highlight=False)
                progress.advance(task)
    return results


def _result(future: "Future[Result]", order: Order) -> Result:
    try:
        return future.result()
    except (BrokenProcessPool, OSError) as error:
        return Result(order, 0, 0.0, [], [], f"the trial's process died: {error!r}")


def _line(result: Result) -> str:
    order = result.order
    play = find(order.play)
    says = f"{_verdict(result):>10}  {order.play:<16} {play.fault}, seed {order.seed}, {result.seconds:.0f} s"
    for violation in result.broken:
        says += f"\n            {violation.promise} {violation.says}"
    if result.failure:
        says += f"\n            {result.failure.strip().splitlines()[-1][:300]}"
    if result.kept_in:
        says += f"\n            kept in {result.kept_in}\n            {order.replay}"
    return says.replace("[", r"\[")


def _verdict(result: Result) -> str:
    if result.broken:
        return "BROKEN"
    if result.failure:
        return "FAILED"
    return "kept" if result.tried else "not proven"


def _report(results: list[Result], console: Console) -> None:
    table = Table("row", "part", "fault", "trials", "verdict", "s", title="Faults tried")
    for play in PLAYS:
        runs = [result for result in results if result.order.play == play.id]
        if runs:
            verdict = min((_verdict(run) for run in runs), key=VERDICTS.index)
            cells = (str(play.row), play.name, play.fault, str(sum(run.tried for run in runs)), verdict)
            table.add_row(*cells, f"{sum(run.seconds for run in runs):.0f}")
    console.print(table)
    unproven = dict.fromkeys((result.order.play, says) for result in results for says in result.unproven)
    for name, says in unproven:
        console.print(f"NOT PROVEN  {name}: {says}", highlight=False, markup=False)


if __name__ == "__main__":
    sys.exit(main())
