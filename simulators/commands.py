"""`casewatch sim`: play a scenario, set a point, list the points."""

import asyncio
import json
import signal
import urllib.error
import urllib.parse
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from simulators.control.server import ControlServer
from simulators.errors import SimulatorError
from simulators.installation import Installation
from simulators.record_file import open_record
from simulators.scenario import Scenario
from simulators.scenario_file import load_scenario

app = typer.Typer(add_completion=False, no_args_is_help=True, help="模拟器 The other end of every cable.")

DEFAULT_CONTROL = "http://127.0.0.1:18470"
ANSWER_TIMEOUT_S = 5.0
ControlUrl = Annotated[str, typer.Option("--control", help="Control address of the running simulators.")]


@app.command()
def run(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario file, TOML.")],
) -> None:
    """Play a scenario until Ctrl-C: modules, lock boards, cameras, control page, a day that plays by itself.

    Prints one line, simulators_ready, once everything listens. Paths in the scenario resolve against the
    working directory. Ends with 2 where the scenario is faulty or a port is in use.
    """
    try:
        asyncio.run(_play(load_scenario(scenario)))
    except SimulatorError as fault:
        _refuse(str(fault))


@app.command("set")
def set_point(
    point: Annotated[str, typer.Argument(metavar="POINT", help="Point id, such as liuxu.int1.door.")],
    value: Annotated[
        str,
        typer.Argument(
            metavar="VALUE",
            help="door and lock: open, closed; item: present, absent; picture: ok, covered, dark.",
        ),
    ],
    control: ControlUrl = DEFAULT_CONTROL,
) -> None:
    """Give a point a value, as a hand at the station would; it stays until set back."""
    answer = _ask(control, f"/points/{urllib.parse.quote(point)}", {"value": value})
    typer.echo(f"{point} {answer['value']}" + ("" if answer["changed"] else " (unchanged)"))


@app.command("list")
def list_points(control: ControlUrl = DEFAULT_CONTROL) -> None:
    """Print every point and its value, one a line."""
    points = _ask(control, "/points")["points"]
    width = max((len(point["id"]) for point in points), default=0)
    for point in points:
        typer.echo(f"{point['id']:<{width}}  {point['value']:<8} of {', '.join(point['values'])}")


async def _play(scenario: Scenario) -> None:
    """Everything up, the day played until a signal, everything down."""
    with open_record(scenario.record) as record:
        installation = Installation(scenario, record)
        control = ControlServer(installation)
        await installation.start()
        try:
            await control.start()
            typer.echo(f"simulators_ready control=http://{scenario.control.host}:{control.port}")
            day = asyncio.create_task(installation.play(), name="simulated day")
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, day.cancel)
            with suppress(asyncio.CancelledError):
                await day
        finally:
            await control.stop()
            await installation.stop()
    typer.echo("simulators_stopped")


def _ask(control: str, path: str, body: dict[str, str] | None = None) -> dict[str, Any]:
    """The control's JSON answer to a GET, or to a POST of `body`; a refusal ends the command with 2."""
    data = None if body is None else json.dumps(body).encode()
    if not control.startswith("http://"):
        _refuse(f"{control}: the control speaks http://")
    request = urllib.request.Request(  # noqa: S310 - http only, see above
        control.rstrip("/") + path, data, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT_S) as answer:  # noqa: S310 - as above
            return dict(json.load(answer))
    except urllib.error.HTTPError as fault:
        _refuse(json.load(fault)["message"])
    except OSError as fault:
        _refuse(f"no simulators at {control}: {fault}")


def _refuse(why: str) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(2)
