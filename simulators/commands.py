"""`casewatch sim`: play a scenario; set points, let things go wrong, and see what is on the wire."""

import asyncio
import json
import signal
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import suppress
from typing import Annotated, Any, NoReturn

import typer

from simulators.control.server import ControlServer
from simulators.errors import SimulatorError
from simulators.installation import Installation
from simulators.record_file import open_record
from simulators.scenario import How, Scenario
from simulators.scenario_file import delivered_scenarios, load_scenario, scenario_path

app = typer.Typer(add_completion=False, no_args_is_help=True, help="模拟器 The other end of every cable.")

DEFAULT_CONTROL = "http://127.0.0.1:18470"
ANSWER_TIMEOUT_S = 5.0
ControlUrl = Annotated[str, typer.Option("--control", help="Control address of the running simulators.")]


@app.command()
def run(
    scenario: Annotated[
        str, typer.Argument(metavar="SCENARIO", help="A file, TOML, or a name that `scenarios` lists.")
    ],
) -> None:
    """Play a scenario until Ctrl-C: every device, control page, a day that plays by itself.

    Prints one line, simulators_ready, once everything listens. Paths in the scenario resolve against the
    working directory. Ends with 2 where the scenario is faulty or a port is in use.
    """
    try:
        asyncio.run(_play(load_scenario(scenario_path(scenario))))
    except SimulatorError as fault:
        _refuse(str(fault))


@app.command()
def scenarios() -> None:
    """List the scenarios that are delivered, one a line: `casewatch sim run NAME` plays one."""
    found = delivered_scenarios()
    width = max(len(name) for name, _ in found)
    for name, title in found:
        typer.echo(f"{name:<{width}}  {title}")


@app.command("set")
def set_point(
    point: Annotated[str, typer.Argument(metavar="POINT", help="Point id, such as liuxu.int1.door.")],
    value: Annotated[
        str,
        typer.Argument(
            metavar="VALUE",
            help="door, lock: open, closed; item: present, absent; picture: ok, covered, dark; "
            "tamper: quiet, tripped; wire: sound, cut, short.",
        ),
    ],
    control: ControlUrl = DEFAULT_CONTROL,
) -> None:
    """Give a point a value, as a hand at the station would; it stays until set back."""
    answer = _ask(control, f"/points/{urllib.parse.quote(point)}", {"value": value})
    typer.echo(f"{point} {answer['value']}" + ("" if answer["changed"] else " (unchanged)"))


@app.command()
def move(
    point: Annotated[str, typer.Argument(metavar="POINT", help="A contact, such as liuxu.int1.door.")],
    how: Annotated[How, typer.Argument(metavar="HOW", help="bounce, chatter or pulses.")],
    times: Annotated[int, typer.Option(min=1, max=10_000, help="How often it opens.")] = 5,
    ms: Annotated[float, typer.Option(min=1, max=60_000, help="Length of a pulse, and of its rest.")] = 100.0,
    control: ControlUrl = DEFAULT_CONTROL,
) -> None:
    """Let a contact move faster than any poll: a bouncing reed, a loose door, a train of pulses."""
    _ask(control, f"/points/{urllib.parse.quote(point)}/moves", {"how": how, "times": times, "ms": ms})
    typer.echo(f"{point} {how} x{times}")


@app.command("list")
def list_points(control: ControlUrl = DEFAULT_CONTROL) -> None:
    """Print every point and its value, one a line."""
    points = _ask(control, "/points")["points"]
    width = max((len(point["id"]) for point in points), default=0)
    for point in points:
        typer.echo(f"{point['id']:<{width}}  {point['value']:<8} of {', '.join(point['values'])}")


@app.command()
def devices(control: ControlUrl = DEFAULT_CONTROL) -> None:
    """Print every cable with its devices, where it is found, and what a hand can do at each."""
    for cable in _ask(control, "/layout")["cables"]:
        state = "" if cable["online"] else "  断开 unplugged"
        typer.echo(f"{cable['id']}  {cable['speaks']}  {cable['address']}{state}")
        for device in cable["devices"]:
            typer.echo(f"  {device['id']}  {device['make']}, unit {device['unit']}")
            typer.echo(f"    {', '.join(_grouped(device['acts'])) or 'no acts'}")


@app.command()
def fault(  # noqa: PLR0917 - options of a command line
    cable: Annotated[str, typer.Argument(metavar="CABLE", help="Cable id: see `devices`.")],
    kind: Annotated[str, typer.Argument(metavar="KIND", help="What goes wrong: see `faults`.")],
    unit: Annotated[int | None, typer.Option(help="Only replies of this unit; default: of all.")] = None,
    p: Annotated[float, typer.Option("--p", help="Chance that a reply is struck.")] = 1.0,
    every: Annotated[int, typer.Option(help="Every n-th reply, instead of a chance.")] = 0,
    count: Annotated[int, typer.Option(help="So many replies; 0: until healed.")] = 0,
    ms: Annotated[float, typer.Option(help="How much later, for `late`.")] = 600.0,
    code: Annotated[int, typer.Option(help="Of the exception, for `exception`.")] = 4,
    *,
    control: ControlUrl = DEFAULT_CONTROL,
) -> None:
    """Let something go wrong on a cable, at once, while everything runs."""
    body = {"cable": cable, "kind": kind, "p": p, "every": every, "count": count, "ms": ms, "code": code}
    if unit is not None:
        body["unit"] = unit
    typer.echo(f"{cable} {kind} #{_ask(control, '/faults', body)['id']}")


@app.command()
def faults(control: ControlUrl = DEFAULT_CONTROL) -> None:
    """List the kinds of faults there are, then those that are active."""
    answer = _ask(control, "/faults")
    for kind in answer["kinds"]:
        typer.echo(f"{kind['kind']:<15}{kind['zh']} {kind['en']}")
    for entry in answer["active"]:
        whom = "all units" if entry["unit"] is None else f"unit {entry['unit']}"
        how = f"one in {entry['every']}" if entry["every"] else f"p {entry['p']:g}"
        left = f", {entry['left']} left" if entry["count"] else ""
        typer.echo(f"活动 active  {entry['cable']} #{entry['id']}  {entry['kind']}, {whom}, {how}{left}")


@app.command()
def heal(
    cable: Annotated[str | None, typer.Argument(metavar="[CABLE]", help="Default: every cable.")] = None,
    control: ControlUrl = DEFAULT_CONTROL,
) -> None:
    """End every fault of a cable, or of all."""
    healed = _ask(control, "/faults/heal", {"cable": cable} if cable else {})["healed"]
    typer.echo(f"已恢复 healed: {', '.join(healed)}")


@app.command()
def act(
    device: Annotated[str, typer.Argument(metavar="DEVICE", help="Device id: see `devices`.")],
    what: Annotated[list[str], typer.Argument(metavar="ACT", help="Such as: restart, or: jam lock:3.")],
    control: ControlUrl = DEFAULT_CONTROL,
) -> None:
    """Do to a device what a hand at it could do."""
    _ask(control, f"/devices/{urllib.parse.quote(device)}/acts", {"act": " ".join(what)})
    typer.echo(f"{device} {' '.join(what)}")


@app.command()
def plug(
    cable: Annotated[str, typer.Argument(metavar="CABLE", help="Cable id, or: cameras.")],
    state: Annotated[str, typer.Argument(metavar="STATE", help="in or out.")],
    control: ControlUrl = DEFAULT_CONTROL,
) -> None:
    """Take a cable's devices away, or bring them back."""
    if state not in {"in", "out"}:
        _refuse(f"{state}: a cable is plugged in or out")
    _ask(control, f"/cables/{urllib.parse.quote(cable)}", {"online": state == "in"})
    typer.echo(f"{cable} {state}")


@app.command()
def frames(
    cable: Annotated[str, typer.Argument(metavar="CABLE", help="Cable id: see `devices`.")],
    control: ControlUrl = DEFAULT_CONTROL,
) -> None:
    """Print the last frames on a cable, decoded; > is the driver's, < the device's."""
    for frame in _ask(control, f"/frames?cable={urllib.parse.quote(cable)}")["frames"]:
        at = time.strftime("%H:%M:%S", time.localtime(frame["at_ms"] / 1_000))
        mark = ">" if frame["from_host"] else "<"
        struck = f"  ! {', '.join(frame['faults'])}" if frame["faults"] else ""
        at_ms = frame["at_ms"] % 1_000
        typer.echo(f"{at}.{at_ms:03} {mark} {frame['text']}  [{frame['hex']}]{struck}")


def _grouped(acts: list[str]) -> list[str]:
    """Acts of many channels in one word: `jam lock:1…lock:12`."""
    groups: dict[str, list[str]] = {}
    for entry in acts:
        name, _, channel = entry.rpartition(" ") if ":" in entry else (entry, "", "")
        groups.setdefault(name, []).append(channel)
    return [
        f"{name} {channels[0]}…{channels[-1]}" if len(channels) > 1 else f"{name} {channels[0]}".strip()
        for name, channels in groups.items()
    ]


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


def _ask(control: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
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
        _refuse(_reason(fault))
    except OSError as fault:
        _refuse(f"no simulators at {control}: {fault}")


def _reason(refusal: urllib.error.HTTPError) -> str:
    """What the control says; what stands there may be another program."""
    text = refusal.read().decode(errors="replace")
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return f"{refusal.url}: {refusal.code} {refusal.reason}"


def _refuse(why: str) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(2)
