"""The card readers of one simulated OSDP line: libosdp's own devices, in a process of their own.

Started by `osdp_device`: `python -m simulators.osdp_firmware`, its Readers on the first line of stdin, then
what they hear and Acts, one a line; its stdout has what they say, and a Done for the Readers and each Act. It
ends with its stdin.

libosdp 3.2.9 as a device answers a question for the local status with "quiet" whatever its user says, so a
reader with an open housing sends the truth right after. It can neither be busy nor refuse a frame that is
right: the line answers in its stead.
"""

import asyncio
import contextlib
import os
import secrets
import sys
from collections.abc import Callable
from typing import Any

import msgspec
import osdp_sys
from osdp import Capability, CardFormat, Event, LibFlag, LogLevel, StatusReportType

from device_drivers.osdp_reader import codec
from simulators.osdp_device import Act, Done, Heard, Readers, Said

TICK_S = 0.01
REBOOT_S = 1.0
HEARD_MAX_BYTES = 4096
DEFAULT_CARD = (26, "01234540")
_INSTEAD = {"busy": (codec.BUSY, b""), "nak": (codec.NAK, b"\x06")}
"""What is answered to everything; NAK 6: it takes nothing outside a secure channel."""

_CAPABILITIES = [
    {"function_code": code, "compliance_level": 1, "num_items": 1}
    for code in (
        Capability.ContactStatusMonitoring,
        Capability.CardDataFormat,
        Capability.CommunicationSecurity,
    )
]


class Reader:
    """One reader: its library's device, or None while it has no power."""

    def __init__(self, address: int, key: bytes, say: Callable[[Said], None]) -> None:
        self.id = 1
        self._address = address
        self._own_key = key
        self._say = say
        self._heard = b""
        self._is_away = self._is_tampered = False
        self._instead: tuple[int, bytes] | None = None
        self._start(key)

    def hear(self, received: bytes) -> None:
        if self._is_away or self._device is None:
            return
        if self._instead is None:
            self._heard = (self._heard + received)[-HEARD_MAX_BYTES:]
            return
        code, data = self._instead
        for frame in codec.split(received)[0]:
            if frame.address == self._address and not frame.is_reply:
                sequence = 0 if code == codec.BUSY else frame.sequence
                reply = codec.Frame(self._address, is_reply=True, sequence=sequence, code=code, data=data)
                self.write(codec.encode(reply))

    def tick(self) -> None:
        if self._device is not None:
            self._device.refresh()

    def act(self, act: str) -> None:
        """Raises ValueError for what cannot be done."""
        match act.split():
            case ["card"]:
                self._show_card(DEFAULT_CARD[0], bytes.fromhex(DEFAULT_CARD[1]))
            case ["card", bits, data]:
                self._show_card(int(bits), bytes.fromhex(data))
            case ["tamper" | "untamper"]:
                self._is_tampered = act == "tamper"
                self._tell_housing()
            case ["reboot"]:
                self._device = None
                asyncio.get_running_loop().call_later(REBOOT_S, self._start, self._key)
            case ["wrong", "key"]:
                self._start(secrets.token_bytes(16))
            case ["no", "key"]:
                self._start(None)
            case ["right", "key"]:
                self._start(self._own_key)
            case ["busy" | "nak" | "ready"]:
                self._instead = _INSTEAD.get(act)
            case ["away" | "back"]:
                self._is_away = act == "away"
            case _:
                raise ValueError(f"a reader knows no {act!r}")

    def read(self, max_bytes: int) -> bytes:
        """The library's channel."""
        heard, self._heard = self._heard[:max_bytes], self._heard[max_bytes:]
        return heard

    def write(self, frame: bytes) -> int:
        if not self._is_away:
            self._say(Said(self._address, bytes(frame)))
        return len(frame)

    def flush(self) -> None:
        self._heard = b""

    def _start(self, key: bytes | None) -> None:
        self._key = key
        self._heard = b""
        identity = {"version": 1, "model": 1, "vendor_code": 0xCAFEBABE, "serial_number": 0xDEADBEAF}
        info = {
            "name": f"reader {self._address}",
            "address": self._address,
            "flags": LibFlag.EnforceSecure if key else 0,
            "scbk": key,
            "channel": self,
            "firmware_version": 0xDEADDEAD,
            **identity,
        }
        self._device = osdp_sys.PeripheralDevice(info, capabilities=_CAPABILITIES)
        self._device.set_command_callback(self._commanded)

    def _commanded(self, command: dict[str, Any]) -> tuple[int, None]:
        if self._is_tampered and command.get("type") == StatusReportType.Local:
            asyncio.get_running_loop().call_soon(self._tell_housing)
        return 0, None

    def _tell_housing(self) -> None:
        report = bytes([self._is_tampered, 0])
        self._submit({"event": Event.Status, "type": StatusReportType.Local, "report": report})

    def _show_card(self, bits: int, data: bytes) -> None:
        if not 0 < bits <= 8 * len(data) <= 512:
            raise ValueError(f"{len(data)} bytes are not {bits} bits")
        event = {"event": Event.CardRead, "format": CardFormat.Wiegand, "length": bits, "data": data}
        self._submit(event | {"reader_no": 0, "direction": 0})

    def _submit(self, event: dict[str, object]) -> None:
        if self._device is None or not self._device.submit_event(event):
            raise ValueError("the reader has no power, or too much to tell")


async def serve() -> None:
    """Play the readers that stdin names until it ends."""
    osdp_sys.set_loglevel(LogLevel.Emergency)
    out = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def tell(what: Done | Said) -> None:
        os.write(out, msgspec.json.encode(what) + b"\n")

    stdin = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    named = msgspec.json.decode(await stdin.readline(), type=Readers)
    readers = {address: Reader(address, key, tell) for address, key in named.keys.items()}
    tell(Done())
    ticking = asyncio.create_task(_tick(readers))
    try:
        while line := await stdin.readline():
            match msgspec.json.decode(line, type=Act | Heard):
                case Act() as act:
                    tell(Done(_do(readers, act)))
                case Heard(data):
                    for reader in readers.values():
                        reader.hear(data)
    finally:
        ticking.cancel()


async def _tick(readers: dict[int, Reader]) -> None:
    while True:
        for reader in readers.values():
            reader.tick()
        await asyncio.sleep(TICK_S)


def _do(readers: dict[int, Reader], act: Act) -> str:
    try:
        readers[act.address].act(act.act)
    except ValueError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())
