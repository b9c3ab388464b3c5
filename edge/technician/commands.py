"""The technician's commands as they are typed: options and exit codes. Each loads what it needs."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from edge.exit_codes import EXIT_FAULTS

app = typer.Typer()

SettingsFile = Annotated[
    Path, typer.Argument(help="Settings of one station, TOML (config/edge.example.toml).")
]


class WalkUnlessNamed(TyperGroup):
    """`commission FILE` walks; `commission verify FILE` is a command of its own."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        is_named = bool(args) and args[0] in self.commands
        return super().resolve_command(ctx, args if is_named else ["walk", *args])


commission = typer.Typer(cls=WalkUnlessNamed, no_args_is_help=True)
app.add_typer(
    commission,
    name="commission",
    help="Walk to every point and try it: open the door now … seen. Ends in a signed acceptance sheet.\n\n"
    "`commission SETTINGS [--out FILE]` walks, `commission verify FILE` checks a sheet.",
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@app.command()
def plan(settings_file: SettingsFile, *, json: Json = False) -> None:
    """Show every read of each bus, its ms on the wire and its share, use and blind time. Opens nothing.

    A use from 50 % on is warned of, from 70 % on refused. Blind is the longest, in ms, from a contact's
    change until its row is durable. Settings with faults are shown as far as they can be; ends with 1 then.
    """
    from edge.technician import plan_command  # noqa: PLC0415

    if not plan_command.run(settings_file, is_json=json):
        raise typer.Exit(EXIT_FAULTS)


@app.command()
def probe(
    settings_file: Annotated[
        Path | None, typer.Argument(help="Settings of one station, TOML; or --tcp, or --serial.")
    ] = None,
    *,
    bus: Annotated[str | None, typer.Option(help="Only this bus of the settings.")] = None,
    units: Annotated[str, typer.Option(help="Which unit numbers, such as 1-32 or 1,5,200-247.")] = "1-32",
    tcp: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="An address instead of settings.")
    ] = None,
    serial: Annotated[str | None, typer.Option(metavar="DEVICE", help="A port instead of settings.")] = None,
    onvif: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Cameras on the network of this own address instead."),
    ] = None,
    baud: Annotated[int, typer.Option(min=1_200, max=921_600, help="Of the --serial port.")] = 9600,
    bauds: Annotated[str, typer.Option(help="Other rates to try, such as 9600,19200,115200.")] = "",
    json: Json = False,
) -> None:
    """Find out which units are on a bus and what they are, by reads that leave no trace.

    Each unit is waited for 300 ms, twice. Modbus units are asked for their identification and which profiles
    of config/profiles fit, lock boards for their status, network cameras (--onvif) for their name. Ends with
    1 where nobody answered or a device of the settings is missing, with 74 where the agent runs or the port
    is busy.
    """
    from edge.technician import probe_command  # noqa: PLC0415
    from edge.technician.ending import ending  # noqa: PLC0415
    from edge.technician.options import parse_address, parse_bauds, parse_units  # noqa: PLC0415

    if [settings_file, tcp, serial, onvif].count(None) != 3:
        raise typer.BadParameter(
            "one of SETTINGS, --tcp HOST:PORT, --serial DEVICE or --onvif ADDRESS says where"
        )
    asked, rates = parse_units(units), parse_bauds(bauds)
    with ending():
        if settings_file:
            is_well = probe_command.run_with_settings(settings_file, bus, asked, rates, is_json=json)
        elif tcp:
            is_well = probe_command.run_tcp(*parse_address(tcp), asked, is_json=json)
        elif onvif:
            from edge.technician import camera_probe  # noqa: PLC0415

            is_well = camera_probe.run(onvif, is_json=json)
        else:
            first = (baud, *(rate for rate in rates if rate != baud))
            is_well = probe_command.run_serial(serial or "", first, asked, is_json=json)
    if not is_well:
        raise typer.Exit(EXIT_FAULTS)


@app.command()
def read(
    settings_file: SettingsFile,
    point: Annotated[str, typer.Argument(help="Point id, such as liuxu.int1.door.")],
    *,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on until Ctrl-C, print changes.")] = False,
    json: Json = False,
) -> None:
    """Read one point straight from its device: value, quality, counter, frames in hex, round trip in ms.

    The agent must be stopped, and nothing is written into its journal. With --watch the point is read at its
    device's period, each change is a line, and the end tells reads, misses and changes. Ends with 1 where no
    reading came, with 74 where the agent runs or the port is busy.
    """
    from edge.technician import read_command  # noqa: PLC0415
    from edge.technician.ending import ending  # noqa: PLC0415

    with ending():
        is_read = read_command.run(settings_file, point, is_watch=watch, is_json=json)
    if not is_read:
        raise typer.Exit(EXIT_FAULTS)


@app.command()
def capture(
    settings_file: SettingsFile,
    bus: Annotated[str, typer.Argument(help="Bus id of the settings.")],
    file: Annotated[Path, typer.Argument(help="Where to: JSON lines, written anew.")],
    *,
    for_s: Annotated[float, typer.Option("--for", min=0.1, help="Seconds; Ctrl-C ends it before.")] = 60.0,
    json: Json = False,
) -> None:
    """Write every exchange of a bus into a file, frame by frame, that a test can replay.

    Asks what the agent would ask, when it would, but leaves latches to the agent's journal. The agent must be
    stopped, and no row is written. Ends with 1 where nothing was exchanged, with 74 where the agent runs, or
    the port or the file cannot be had.
    """
    from edge.technician import capture_command  # noqa: PLC0415
    from edge.technician.ending import ending  # noqa: PLC0415

    with ending():
        is_captured = capture_command.run(settings_file, bus, file, for_s, is_json=json)
    if not is_captured:
        raise typer.Exit(EXIT_FAULTS)


@app.command()
def doctor(settings_file: SettingsFile, *, json: Json = False) -> None:
    """Look at everything an edge needs and say what is wrong, with the mend. Works beside a running agent.

    Settings, agent, clock, disk, secrets, serial ports, modules, cameras, journal, broker and centre: each is
    ok, doubtful or a fault. Nothing is changed, no port is opened. 1 at a fault.
    """
    from edge.technician import doctor_command  # noqa: PLC0415

    if not doctor_command.run(settings_file, is_json=json):
        raise typer.Exit(EXIT_FAULTS)


@commission.command("walk", hidden=True)
def commission_walk(
    settings_file: SettingsFile,
    out: Annotated[
        Path | None, typer.Option(help="The sheet, JSON; a page to print goes beside it as .html.")
    ] = None,
) -> None:
    """Walk to every point: it asks, sees the change, asks for it to be undone. The agent must be stopped.

    A point passes by its own change and back. A lock gets one pulse, and only after the key for it; its state
    alone proves it. No row is written. The sheet is signed with a key of the data folder (commission.key,
    made at first use). Ends with 1 unless every point passed, with 74 where the agent runs.
    """
    from edge.technician import commission_command  # noqa: PLC0415
    from edge.technician.ending import ending  # noqa: PLC0415

    with ending():
        is_passed = commission_command.run(settings_file, out)
    if not is_passed:
        raise typer.Exit(EXIT_FAULTS)


@commission.command("verify")
def commission_verify(
    file: Annotated[Path, typer.Argument(help="An acceptance sheet, JSON.")], *, json: Json = False
) -> None:
    """Check that nobody changed an acceptance sheet since it was signed. Ends with 1 if it was."""
    from edge.technician import commission_command  # noqa: PLC0415
    from edge.technician.ending import ending  # noqa: PLC0415

    with ending():
        commission_command.verify(file, is_json=json)
