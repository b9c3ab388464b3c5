"""`casewatch central` as a process: ready line, exit codes, and one clear line for each refusal."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from central.commands import app
from central.ingest import cursors
from central.ingest.admission import Cursor
from central.patrol import faults
from central.store.database import Store
from central.store.schema import audit

STATIONS = """
[[station]]
id = "liuxu"
edge = "liuxu"
name = { zh = "柳圩派出所", en = "Liuxu Station" }
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "central.toml"
    file.write_text(
        f'[web]\nport = 0\n[store]\nurl = "sqlite:///{tmp_path}/casewatch.db"\n'
        f'[broker]\nport = {free_port()}\n[central]\ndata_dir = "{tmp_path}/central"\n'
    )
    (tmp_path / "stations.toml").write_text(STATIONS)
    (tmp_path / "rules.toml").touch()
    return file


def start(config: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "casewatch", "central", "run", "--config", str(config), "--insecure-dev"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUTF8": "1"},
    )


@pytest.fixture
def running(config: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = start(config)
    assert process.stdout is not None
    address = next(line.split()[1] for line in process.stdout if line.startswith("central_ready"))
    yield process, address
    process.kill()
    process.communicate()


def test_a_centre_without_its_broker_still_answers_and_says_so(running) -> None:
    with urllib.request.urlopen(f"{running[1]}/healthz", timeout=5) as response:
        assert json.load(response) == {"status": "degraded", "store": "ok", "broker": "lost"}


def test_a_signal_stops_it_in_order_with_exit_0(running) -> None:
    process, _ = running
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=10)
    assert process.returncode == 0, log
    assert json.loads(log.splitlines()[-1])["event"] == "central_stopped"


def test_a_port_in_use_is_one_line_and_exit_2(running, config: Path) -> None:
    port = running[1].rsplit(":", 1)[1]
    config.write_text(config.read_text().replace("port = 0", f"port = {port}"))
    second = start(config)
    out, log = second.communicate(timeout=20)
    assert (second.returncode, out) == (2, "")
    warning, _event, *said = log.splitlines()
    assert warning.startswith("!!!"), "it says loudly that it has no keys"
    assert said == [f"127.0.0.1:{port} is in use: stop what listens there, or set another [web] port"]


def test_settings_at_fault_are_listed_and_end_with_2(config: Path) -> None:
    config.write_text(config.read_text() + 'mode = "x"\n[web2]\n')
    for command in ("check", "run"):
        done = CliRunner().invoke(app, [command, "--config", str(config)])
        assert done.exit_code == 2
        assert len(done.stderr.splitlines()) == 2
        assert f"{config}:9: central.mode: unknown key" in done.stderr


def test_a_secret_that_is_not_there_is_one_line_and_exit_2(config: Path) -> None:
    config.write_text(config.read_text() + '[media]\ntoken_file = "/nowhere/media.token"\n')
    done = CliRunner().invoke(app, ["run", "--config", str(config), "--insecure-dev"])
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1].startswith("/nowhere/media.token:0: media.token_file: cannot be read")


def test_without_keys_it_does_not_run_and_says_how_to_make_them(config: Path) -> None:
    done = CliRunner().invoke(app, ["run", "--config", str(config)])
    assert done.exit_code == 2
    assert "casewatch central trust init" in done.stderr


def test_sound_settings_are_said_to_be_sound(config: Path) -> None:
    for named in (["--config", str(config)], [str(config)]):
        done = CliRunner().invoke(app, ["check", *named])
        assert (done.exit_code, done.stdout) == (0, f"{config}: sound (1 stations, 0 rooms)\n")


def test_an_invitation_is_made_beside_a_running_centre(running, config: Path) -> None:
    done = CliRunner().invoke(app, ["invite", "--config", str(config), "--role", "watcher"])
    code = done.stdout.splitlines()[-1]
    body = json.dumps({"code": code, "name": "测试民警001", "password": "a long enough password"})
    request = urllib.request.Request(
        f"{running[1]}/api/v1/sessions",
        body.encode(),
        {"Content-Type": "application/json", "Origin": running[1]},
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        assert json.load(response)["user"]["role"] == "watcher"


READMIT = ("readmit", "--reason", "new disk")


def test_readmitting_an_edge_that_is_unknown_or_was_never_here_is_refused(config: Path) -> None:
    for edge, told in (("linhu", "no station has edge linhu"), ("liuxu", "liuxu was never here")):
        done = CliRunner().invoke(app, [*READMIT, edge, "--epoch", "2", "--config", str(config)])
        assert done.exit_code == 2
        assert told in done.stderr


def test_an_edge_is_readmitted_with_a_reason_that_the_audit_keeps(config: Path, tmp_path: Path) -> None:
    async def at_store(act: Callable[[Store], Awaitable[object]]) -> object:
        store = Store(f"sqlite:///{tmp_path}/casewatch.db")
        await store.open()
        try:
            return await act(store)
        finally:
            await store.close()

    was_here = Cursor(1, 4, "")
    asyncio.run(at_store(lambda store: store.write(lambda tx: cursors.keep(tx.conn, "liuxu", was_here))))
    said = ["liuxu", "--epoch", "2", "--config", str(config)]
    unreasoned = CliRunner().invoke(app, ["readmit", *said])
    assert (unreasoned.exit_code, "--reason" in unreasoned.stderr) == (2, True)
    assert CliRunner().invoke(app, [*READMIT, *said]).exit_code == 0
    told = select(audit.c.reason).where(audit.c.what == "edge.readmitted")
    kept = asyncio.run(at_store(lambda store: store.read(lambda conn: conn.execute(told).all())))
    assert kept == [("new disk",)]


def test_a_fault_is_listed_and_settled_at_the_console_once_and_with_a_reason(
    config: Path, tmp_path: Path
) -> None:
    async def raise_two() -> None:
        store = Store(f"sqlite:///{tmp_path}/casewatch.db")
        await store.open()
        for kind, detail in (("journal_touched", "row 3"), ("disk_low", "free 90")):
            subject = faults.Subject(kind, "liuxu")
            await store.write(lambda tx, of=subject, said=detail: faults.stand(tx, of, said, 1_000))
        await store.close()

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, [*words, "--config", str(config)])
        return done.exit_code, done.output

    asyncio.run(raise_two())
    _, listed = run("faults")
    header, touched, low = (re.split(r" {2,}", line) for line in listed.splitlines())
    assert header == ["id", "level", "kind", "where", "since", "ends by", "what it is"]
    since = datetime.fromtimestamp(1).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    words = "日志被他人改动: 第 3 条 | Journal touched by others: row 3"
    assert touched == ["1", "security", "journal_touched", "liuxu", since, "settle", words]
    words = "站点磁盘将满: 剩余 90 MB | Station disk nearly full: 90 MB left"
    assert low == ["2", "fault", "disk_low", "liuxu", since, "cause", words]
    assert run("settle", "2", "--reason", "换盘") == (2, "disk_low ends by itself, with its cause\n")
    assert run("settle", "1", "--reason", "已核实")[0] == 0
    assert run("settle", "1", "--reason", "已核实") == (2, "fault 1 has ended already\n")
    assert "journal_touched" not in run("faults")[1]
