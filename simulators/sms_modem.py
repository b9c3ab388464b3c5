"""A modem for short messages and the network behind it, as it looks from the serial port. No I/O, no clock.

It keeps what a real one keeps: delivery reports in its SR store until they are deleted, if it was told so
with `AT+CNMI=…,2`; and a restart leaves it as it leaves a real one: echo on, text mode, reports thrown away.
"""

import re
from collections import deque
from collections.abc import Callable

import msgspec

from device_drivers.errors import BadFrame
from device_drivers.sms_modem import pdu
from device_drivers.sms_modem.codec import CR, CTRL_Z, ESCAPE, PROMPT
from simulators.errors import UnknownAct
from simulators.wire import Reply

ACTS = ("unregister", "register", "busy", "report lost", "restart")
STORE_SIZE = 40
MESSAGES_KEPT = 200
LINE_MAX_BYTES = 512
NO_SERVICE = 331
CONGESTION = 42
BAD_PDU = 304
NO_SUCH_INDEX = 321
PIN_NEEDED = 11
BAD_PIN = 16
PIN_TRIES = 3
DELIVERED = 0
_TIME = bytes.fromhex("62106021540023")
"""2026-01-06, 12:45: the simulator has no calendar."""


class Message(msgspec.Struct):
    """A message as its recipient sees it: parts put together, `missing` how many have not come."""

    to: str
    text: str
    references: list[int]
    missing: int


class _Due(msgspec.Struct, frozen=True):
    """A report that the network will give."""

    at_s: float
    to: str
    reference: int


class SmsModemLine:
    """The modem of a line, as unit 1. Its network delivers each part `report_after_s` after it took it."""

    def __init__(self, report_after_s: float = 2.0, pin: str = "", unit: int = 1) -> None:
        self.messages: deque[Message] = deque(maxlen=MESSAGES_KEPT)
        self.reports: dict[int, bytes] = {}
        self._report_after_s = report_after_s
        self._pin = pin
        self._pin_tries = PIN_TRIES
        self._unit = unit
        self._now_s = 0.0
        self._is_registered = True
        self._is_busy = False
        self._loses_report = False
        self._last_reference = -1
        self._due: list[_Due] = []
        self._parts: dict[tuple[str, int, int], tuple[Message, dict[int, str]]] = {}
        self._restart()

    def hear(self, received: bytes, now_s: float) -> tuple[list[Reply], int]:
        self._now_s = now_s
        self._store_due()
        replies: list[Reply] = []
        used = 0
        while True:
            end = self._end_of_input(received, used)
            if end is None:
                babble = len(received) - used > LINE_MAX_BYTES
                return replies, len(received) if babble else used
            request = received[used:end]
            said = self._take_pdu(request) if self._awaited else self._take_line(request)
            replies += [Reply(self._unit, request, (request if self._echoes else b"") + said)]
            used = end

    def describe(self, frame: bytes) -> str:
        text = frame.decode("ascii", "replace").replace("\x1a", " Ctrl-Z ").replace("\x1b", " ESC ")
        return " | ".join(text.split("\r\n")).replace("\r", " | ")[:200].strip(" |") or "nothing"

    def acts(self) -> dict[int, tuple[str, ...]]:
        return {self._unit: ACTS}

    def act(self, unit: int, act: str) -> None:
        """`busy`: the network refuses the next message. `report lost`: it never tells of the next one."""
        if unit != self._unit or act not in ACTS:
            raise UnknownAct(f"{act} at unit {unit}: the modem knows {', '.join(ACTS)}")
        if act == "restart":
            self._restart()
        elif act == "busy":
            self._is_busy = True
        elif act == "report lost":
            self._loses_report = True
        else:
            self._is_registered = act == "register"

    def _restart(self) -> None:
        self._echoes = True
        self._is_text_mode = True
        self._keeps_reports = False
        self._is_unlocked = not self._pin
        self._awaited = 0  # the length of the PDU that was announced

    def _end_of_input(self, received: bytes, start: int) -> int | None:
        ends = (CTRL_Z, ESCAPE) if self._awaited else (CR,)
        found = [at for at in (received.find(end, start) for end in ends) if at >= 0]
        return min(found) + 1 if found else None

    def _take_line(self, request: bytes) -> bytes:
        line = request[request.find(b"AT") :].decode("ascii", "replace").strip() if b"AT" in request else ""
        if not line:
            return b""
        for pattern, do in self._commands().items():
            match = re.fullmatch(pattern, line)
            if match:
                return do(*match.groups())
        return _final("ERROR")

    def _commands(self) -> dict[str, Callable[..., bytes]]:
        """Each command it knows; what stands in brackets is handed over."""
        always: dict[str, Callable[..., bytes]] = {
            r"AT|AT\+CMEE=[012]": _final,
            r"ATE([01])": self._set_echo,
            r"AT\+CPIN\?": self._tell_pin,
            r'AT\+CPINR="SIM PIN"': lambda: _said(f"+CPINR: SIM PIN,{self._pin_tries},{PIN_TRIES}"),
            r"AT\+CPIN=(\d+)": self._enter_pin,
            r"AT\+CREG\?": lambda: _said(f"+CREG: 0,{1 if self._is_registered and self._is_unlocked else 2}"),
        }
        if not self._is_unlocked:
            return always | {r"AT\+.*": lambda: _final(f"+CMS ERROR: {PIN_NEEDED}")}
        return always | {
            r"AT\+CMGF=([01])": self._set_text_mode,
            r"AT\+CNMI=\d,\d,\d,(\d),\d": self._set_notices,
            r'AT\+CPMS="SR"': lambda: _said(f"+CPMS: {len(self.reports)},{STORE_SIZE},0,{STORE_SIZE},0,40"),
            r"AT\+CMGL=4": self._list,
            r"AT\+CMGD=(\d+)": self._delete,
            r"AT\+CMGS=(\d+)": self._await_pdu,
        }

    def _set_echo(self, on: str) -> bytes:
        self._echoes = on == "1"
        return _final()

    def _set_text_mode(self, on: str) -> bytes:
        self._is_text_mode = on == "1"
        return _final()

    def _set_notices(self, reports: str) -> bytes:
        self._keeps_reports = reports == "2"
        return _final()

    def _tell_pin(self) -> bytes:
        locked = "SIM PIN" if self._pin_tries else "SIM PUK"
        return _said(f"+CPIN: {'READY' if self._is_unlocked else locked}")

    def _enter_pin(self, pin: str) -> bytes:
        if pin == self._pin and self._pin_tries:
            self._is_unlocked, self._pin_tries = True, PIN_TRIES
            return _final()
        self._pin_tries = max(0, self._pin_tries - 1)
        return _final(f"+CME ERROR: {BAD_PIN}")

    def _list(self) -> bytes:
        lines = []
        for index, report in self.reports.items():
            lines += [f"+CMGL: {index},1,,{len(report) - 1}", report.hex().upper()]
        return _said(*lines)

    def _delete(self, index: str) -> bytes:
        found = self.reports.pop(int(index), None)
        return _final() if found else _final(f"+CMS ERROR: {NO_SUCH_INDEX}")

    def _await_pdu(self, length: str) -> bytes:
        if self._is_text_mode:
            return _final(f"+CMS ERROR: {BAD_PDU}")
        self._awaited = int(length)
        return PROMPT

    def _take_pdu(self, request: bytes) -> bytes:
        awaited, self._awaited = self._awaited, 0
        if request.endswith(ESCAPE):
            return _final()
        try:
            content = bytes.fromhex(request.rstrip(CTRL_Z).decode("ascii").strip())
            submit = pdu.decode_submit(content)
            is_sound = pdu.length_after_centre(content) == awaited
        except (BadFrame, ValueError):
            is_sound = False
        if not is_sound:
            return _final(f"+CMS ERROR: {BAD_PDU}")
        if not self._is_registered:
            return _final(f"+CMS ERROR: {NO_SERVICE}")
        if self._is_busy:
            self._is_busy = False
            return _final(f"+CMS ERROR: {CONGESTION}")
        return _said(f"+CMGS: {self._carry(submit)}")

    def _carry(self, submit: pdu.Submit) -> int:
        """The network takes a part; returns its reference."""
        self._last_reference = reference = (self._last_reference + 1) % 256
        self._assemble(submit, reference)
        if submit.asks_report and not self._loses_report:
            self._due.append(_Due(self._now_s + self._report_after_s, submit.to, reference))
        self._loses_report = False
        return reference

    def _assemble(self, submit: pdu.Submit, reference: int) -> None:
        if submit.part is None:
            self.messages.append(Message(submit.to, submit.text, [reference], missing=0))
            return
        key = (submit.to, submit.part.reference, submit.part.total)
        if key not in self._parts:
            self._parts[key] = Message(submit.to, "", [], submit.part.total), {}
            self.messages.append(self._parts[key][0])
        message, texts = self._parts[key]
        texts[submit.part.number] = submit.text
        message.text = "".join(texts[number] for number in sorted(texts))
        message.references.append(reference)
        message.missing = submit.part.total - len(texts)
        if not message.missing:
            del self._parts[key]

    def _store_due(self) -> None:
        """Reports whose time has come, as far as there is room; the network keeps the others."""
        for due in [due for due in self._due if due.at_s <= self._now_s]:
            free = [index for index in range(1, STORE_SIZE + 1) if index not in self.reports]
            if not free:
                return
            self._due.remove(due)
            if self._keeps_reports:
                report = pdu.StatusReport(due.to, due.reference, DELIVERED)
                self.reports[free[0]] = pdu.encode_status_report(report, _TIME, _TIME)


def _said(*lines: str) -> bytes:
    return "".join(f"\r\n{line}\r\n" for line in lines).encode() + _final()


def _final(word: str = "OK") -> bytes:
    return f"\r\n{word}\r\n".encode()
