"""Foreign Modbus programs: built, started, awaited, ended. Each test says what it needs by a mark."""

import asyncio
import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

PEERS = Path(__file__).parents[1] / "peers"
LIBMODBUS_TESTS = Path("/usr/share/doc/libmodbus-dev/examples")
STDOUT = asyncio.subprocess.PIPE


def _has_libmodbus() -> bool:
    if not (shutil.which("gcc") and shutil.which("pkg-config")):
        return False
    asked = subprocess.run(["pkg-config", "--exists", "libmodbus"], check=False)
    return asked.returncode == 0


needs_libmodbus = pytest.mark.skipif(
    not _has_libmodbus(),
    reason="gcc, pkg-config or libmodbus-dev is missing: libmodbus as a peer was not tried",
)
needs_libmodbus_tests = pytest.mark.skipif(
    not (_has_libmodbus() and (LIBMODBUS_TESTS / "unit-test-server.c").exists()),
    reason="libmodbus-dev with its examples is missing: our client against a faulty server was not tried",
)
needs_modbus_serial = pytest.mark.skipif(
    not (shutil.which("node") and (PEERS / "node_modules/modbus-serial").is_dir()),
    reason="node or tests/peers/node_modules (npm ci) is missing: npm modbus-serial was not tried",
)
needs_ser2net = pytest.mark.skipif(
    shutil.which("ser2net") is None, reason="ser2net is missing: RTU through its gateway was not tried"
)
needs_mbpoll = pytest.mark.skipif(
    shutil.which("mbpoll") is None, reason="mbpoll is missing: our far ends were not tried with it"
)


needs_socat = pytest.mark.skipif(
    shutil.which("socat") is None, reason="socat is missing: no peer on a serial line was tried"
)


def build_c(source: str, *include: str) -> Path:
    """A program from C source that uses libmodbus. Built once for the same source."""
    name = hashlib.sha256(source.encode()).hexdigest()[:16]
    program = Path(tempfile.gettempdir()) / f"casewatch-peer-{name}"
    if not program.exists():
        asked = ["pkg-config", "--cflags", "--libs", "libmodbus"]
        flags = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
        with tempfile.TemporaryDirectory() as folder:
            file, made = Path(folder) / "peer.c", Path(folder) / "peer"
            file.write_text(source)
            command = ["gcc", "-w", "-o", str(made), str(file), *(f"-I{name}" for name in include), *flags]
            subprocess.run(command, capture_output=True, check=True)
            shutil.copy2(made, program.with_suffix(".new"))
        program.with_suffix(".new").rename(program)
    return program


def libmodbus_client() -> Path:
    return build_c((PEERS / "libmodbus_client.c").read_text())


def libmodbus_server(port: int, device: str) -> Path:
    """The server of libmodbus's own tests at this TCP port or serial device; both stand in its source."""
    source = (LIBMODBUS_TESTS / "unit-test-server.c").read_text()
    assert "1502" in source
    assert "/dev/ttyUSB0" in source
    source = source.replace("1502", str(port)).replace("/dev/ttyUSB0", device)
    return build_c(source, str(LIBMODBUS_TESTS))


@asynccontextmanager
async def running(*command: str, ready: bytes = b"") -> AsyncIterator[asyncio.subprocess.Process]:
    """A peer's process, from the line with which it says that it is `ready`, to the end of the block."""
    process = await asyncio.create_subprocess_exec(*command, stdout=STDOUT, stderr=STDOUT)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(15):
            while ready and ready not in (line := await process.stdout.readline()):
                assert line, f"{command} ended"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@asynccontextmanager
async def joined_ptys(folder: Path) -> AsyncIterator[tuple[str, str]]:
    """Two ptys joined by socat: for a peer and us, who both open a serial device."""
    ends = (str(folder / "ours"), str(folder / "theirs"))
    socat = await asyncio.create_subprocess_exec("socat", *(f"pty,raw,echo=0,link={end}" for end in ends))
    try:
        async with asyncio.timeout(5):
            while not all(Path(e).exists() for e in ends):  # noqa: ASYNC110, ASYNC240 - socat tells nobody
                await asyncio.sleep(0.01)
        yield ends
    finally:
        socat.terminate()
        await socat.wait()


async def told(*command: str) -> dict[str, object]:
    """The one line of JSON that a client prints."""
    process = await asyncio.create_subprocess_exec(*command, stdout=STDOUT)
    async with asyncio.timeout(30):
        out, _ = await process.communicate()
    answer: dict[str, object] = json.loads(out)
    return answer


async def listens(port: int) -> None:
    """When somebody accepts on the port."""
    async with asyncio.timeout(15):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                await writer.wait_closed()
                return
