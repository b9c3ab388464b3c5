"""`casewatch demo`: the invented county 泽湖县 on one machine, every part a process of its own.

Broker, simulators, the centre and three station agents run from config/demo in a run folder. Ctrl-C, or
the end of `--for`, stops all of them, the last started first.
"""

import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from simulators.broker import broker_command
from simulators.process_group import ProcessFailed, ProcessGroup

app = typer.Typer(add_completion=False)
console = Console(highlight=False)

CONFIG = Path(__file__).parents[1] / "config" / "demo"
STATIONS = ("chengdong", "liuxu", "linhu")
CASEWATCH = [sys.executable, "-m", "casewatch"]
CENTRAL = ["--config", str(CONFIG / "central.toml")]
PLAIN_BOARD_PORT = 8460
"""A browser knows no authority that was made a minute ago, so the demo's board is shown in the clear."""


@app.command()
def demo(
    for_s: Annotated[float, typer.Option("--for", help="Seconds to run; 0: until Ctrl-C.", min=0)] = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser.")] = False,
    run_dir: Annotated[
        Path, typer.Option(help="Folder for all data; what an earlier demo left there is removed.")
    ] = Path("var/demo"),
) -> None:
    """Bring the invented county 泽湖县 to life: broker, simulators, the centre, three stations."""
    signal.signal(signal.SIGTERM, _interrupt)
    ports = used_ports()
    refuse_busy_ports(ports)
    prepare(run_dir)
    group = ProcessGroup(run_dir.resolve())
    try:
        with console.status("启动 starting") as status:
            start_county(group, ports, status.update)
            code = invite_watcher(group.run_dir)
        board = f"http://127.0.0.1:{ports['board']}"
        console.print(
            f"\n[bold]案管哨 Casewatch · 泽湖县[/bold] (演示 demo)\n  看板 board  [bold]{board}[/bold]"
        )
        console.print(f"  一次性登录码 one-time sign-in code  [bold]{code}[/bold]")
        console.print(
            "  看板以明文供本机浏览 The board is UNENCRYPTED for this machine's browser (--insecure-board)"
        )
        console.print(f"  模拟器 simulators  http://127.0.0.1:{ports['simulators']}")
        console.print(f"  日志 logs  {run_dir}/*.log · Ctrl-C 全部停止 stops all\n")
        if not no_browser:
            webbrowser.open(board)
        watch(group, for_s)
    except KeyboardInterrupt:
        console.print("正在停止 stopping")
    except ProcessFailed as failure:
        console.print(str(failure), style="red", markup=False)
        raise typer.Exit(1) from None
    finally:
        group.stop()
    console.print("全部已停止 all stopped")


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def used_ports() -> dict[str, int]:
    """Every port of the demo by what listens there, read from config/demo."""
    central = _toml("central.toml")
    scenario = _toml("working-day.toml")
    ports = {
        "board": PLAIN_BOARD_PORT,
        "board over TLS": int(central["web"]["port"]),
        "broker": int(central["broker"]["port"]),
        "simulators": int(scenario["control"]["port"]),
    }
    for station in STATIONS:
        edge = _toml(f"edge-{station}.toml")
        ports[f"media {station}"] = int(edge["media"]["port"])
        ports |= {f"module {station}": int(bus["port"]) for bus in edge["bus"] if "port" in bus}
    return ports


def refuse_busy_ports(ports: dict[str, int]) -> None:
    """Say which port is in use, and end with code 2."""
    for name, port in ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                console.print(f"端口 {port} 已被占用（{name}）。", style="red", soft_wrap=True)
                console.print(
                    f"port {port} ({name}) is in use: stop what uses it, then try again", style="red"
                )
                raise typer.Exit(2) from None


def prepare(run_dir: Path) -> None:
    """An empty run folder with the secret that the centre shows the edges' media servers."""
    marker = run_dir / ".casewatch-demo"
    if run_dir.exists() and any(run_dir.iterdir()) and not marker.exists():
        console.print(f"{run_dir} is not empty and not a demo's: choose another with --run-dir", style="red")
        raise typer.Exit(2)
    shutil.rmtree(run_dir, ignore_errors=True)
    run_dir.mkdir(parents=True)
    marker.touch()
    token = run_dir / "media.token"
    token.touch(mode=0o600)
    token.write_text(secrets.token_urlsafe(32) + "\n")


def start_county(group: ProcessGroup, ports: dict[str, int], tell: Callable[[str], None]) -> None:
    """Start everything, each when what it needs is there. Raises ProcessFailed."""
    run_dir = group.run_dir
    name, command = broker_command(run_dir, ports["broker"], run_dir / "central" / "trust")
    mode = ["--insecure-dev"] if name == "amqtt" else []
    if mode:
        console.print(
            "没有 mosquitto，演示改用 amqtt：一切都不加密、不签名。\n"
            "No mosquitto here: amqtt stands in, and NOTHING IS ENCRYPTED OR SIGNED. For the demo only.",
            style="red",
        )
    else:
        casewatch(run_dir, "central", "trust", "init", *CENTRAL)
    group.start("broker", command)
    group.await_ready("broker", lambda: _listens(ports["broker"]))
    tell("启动模拟器 starting the simulators")
    group.start("simulators", [*CASEWATCH, "sim", "run", str(CONFIG / "working-day.toml")])
    group.await_ready("simulators", lambda: _answers(f"http://127.0.0.1:{ports['simulators']}/points"))
    tell("启动中心 starting the centre")
    plain = ["--insecure-board", str(ports["board"])]
    group.start("central", [*CASEWATCH, "central", "run", *CENTRAL, *plain, *mode])
    group.await_ready("central", lambda: _answers(f"http://127.0.0.1:{ports['board']}/healthz"))
    if not mode:
        tell("登记派出所前端 enrolling the stations")
        with ThreadPoolExecutor() as pool:
            list(pool.map(partial(enrol, run_dir, ports["board over TLS"]), STATIONS))
    for station in STATIONS:
        tell(f"启动派出所前端 starting station {station}")
        group.start(f"edge-{station}", [*CASEWATCH, "edge", "run", _settings(station), *mode])
        group.await_ready(f"edge-{station}", partial(_listens, ports[f"media {station}"]))


def enrol(run_dir: Path, port: int, station: str) -> None:
    """As a technician does: a code from the centre, typed at the edge. Raises ProcessFailed."""
    code = casewatch(run_dir, "central", "enrol", station, *CENTRAL)
    centre = f"127.0.0.1:{port}"
    casewatch(run_dir, "edge", "enrol", _settings(station), "--centre", centre, typed=f"{code}\n")


def invite_watcher(run_dir: Path) -> str:
    """A one-time code that makes the visitor a watcher. Raises ProcessFailed."""
    return casewatch(run_dir, "central", "invite", *CENTRAL, "--role", "watcher")


def casewatch(run_dir: Path, *words: str, typed: str = "") -> str:
    """A command, run to its end; the last line that it printed. Raises ProcessFailed."""
    command = [*CASEWATCH, *words]
    done = subprocess.run(command, cwd=run_dir, input=typed, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ProcessFailed(f"casewatch {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout.strip().splitlines()[-1]


def watch(group: ProcessGroup, for_s: float) -> None:
    """Wait for the end. Raises ProcessFailed where a part of the county dies."""
    ends_at = time.monotonic() + for_s if for_s else float("inf")
    while time.monotonic() < ends_at:
        group.raise_if_ended()
        time.sleep(0.2)


def _settings(station: str) -> str:
    return str(CONFIG / f"edge-{station}.toml")


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((CONFIG / name).read_text())


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=1) as answer:  # noqa: S310 - our own http address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
