"""Driver `sms_modem`: short messages through a modem, and what the network says of them.

A poll sets the modem up, for it may have restarted unseen, asks whether it is registered, and reads the
delivery reports that it keeps. A report is deleted in the turn after the one that told it: the next turn
comes only when the rows of this one are durable. A kill in between tells it twice, never not at all.
"""

import re
from collections import deque
from collections.abc import Generator
from pathlib import Path
from typing import TypeAlias
from zlib import crc32

import msgspec
from msgspec import structs

from device_drivers.driver import Answer, Command, Driver, Fault, Notice, Observation, Outcome, Read, Sight
from device_drivers.errors import BadFrame, DeviceRefused, ProfileFault, WrongReply
from device_drivers.site import SERIAL, PolledKind, Site, typed_options
from device_drivers.sms_modem import codec, pdu

CHANNEL = "modem"
PIN = re.compile(r"^[0-9]{4,8}\Z")
PARTS_MAX = 6
DELETIONS_MAX = 5
"""A turn has room for no more exchanges; what is left waits for the next."""
PIN_TRIES_MIN = 3
"""With fewer left somebody has mistyped it before: the last tries are for a person."""
STEP_MS = 5_000
SEND_MS = 60_000
"""Networks take their time. Too early an "unknown" makes somebody send it twice."""
STEP_MAX_BYTES = 1_024
LIST_MAX_BYTES = 32_768
"""A full store of delivery reports is 23 kB."""
SENT_KEPT = 256
"""Sent, and not yet told because no poll has ended since."""
_UNSURE = (332, 500)
"""Network time-out, unknown error: it may have gone out."""


class SmsModemOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`pin_file`: a file with the SIM's PIN, for a SIM that asks for one."""

    pin_file: str = ""


class Step(Read, frozen=True, kw_only=True):
    """One exchange. `takes_prompt`: a prompt ends the reply as well."""

    request: bytes
    takes_prompt: bool = False


class Send(Step, frozen=True, kw_only=True):
    """The first exchange of a message's turn."""

    to: str
    text: str


Data: TypeAlias = dict[str, str | int | bool]
Talk: TypeAlias = Generator[Step, codec.Result, list[Sight] | Outcome]
"""A turn as it is spoken: a step out, its result in."""


class SmsModem:
    """One modem. Remembers the turn it is in, reports that were told, references that were not yet."""

    kind = "sms_modem"
    command_gap_s = 0.0

    def __init__(self, unit: int, pin: str = "") -> None:
        self._unit = unit
        self._pin = pin
        self._talk: Talk | None = None
        self._is_mid_message = False
        self._searched_bytes = 0
        """Of the reply that is coming: no result begins in these."""
        self._told: set[tuple[int, bytes]] = set()
        self._sent: deque[Sight] = deque(maxlen=SENT_KEPT)
        self._read = Step(
            name=CHANNEL,
            unit=unit,
            channels=(CHANNEL,),
            request_bytes=130,
            reply_bytes=330,
            exchanges=8,
            request=b"ATE1\r",
        )

    def reads(self) -> tuple[Read, ...]:
        return (self._read,)

    def command(self, command: Command) -> Read:
        to, text = command.data.get("to", ""), command.data.get("text", "")
        if (command.action, command.channel) != ("send", CHANNEL):
            raise DeviceRefused(f"a modem cannot {command.action} {command.channel}")
        if not pdu.NUMBER.match(to):
            raise DeviceRefused("that is no telephone number")
        if not text or len(pdu.submits(to, text, 0)) > PARTS_MAX:
            raise DeviceRefused(f"a message has 1 to {PARTS_MAX} parts")
        return Send("send", self._unit, (), 0, 0, request=self._read.request, to=to, text=text)

    def encode(self, read: Read) -> bytes:
        assert isinstance(read, Step)
        self._searched_bytes = 0
        is_first = isinstance(read, Send) or read is self._read
        return codec.ESCAPE + read.request if is_first and self._is_mid_message else read.request

    def reply_length(self, read: Read, received: bytes) -> int | None:
        assert isinstance(read, Step)
        length = codec.reply_length(received, takes_prompt=read.takes_prompt, start=self._searched_bytes)
        self._searched_bytes = 0 if length else max(0, len(received) - codec.FINAL_MAX_BYTES)
        return length

    def decode(self, read: Read, reply: bytes) -> Answer:
        assert isinstance(read, Step)
        result = codec.decode(read.request, reply)
        try:
            if isinstance(read, Send):
                self._talk = self._send(read)
                return next(self._talk)
            if read is self._read:
                self._talk = self._poll()
                return next(self._talk)
            if self._talk is None:
                raise WrongReply("a reply to no turn")
            return self._talk.send(result)
        except StopIteration as end:
            self._talk = None
            answer: list[Sight] | Outcome = end.value
            return answer

    def _poll(self) -> Talk:
        self._is_mid_message = False
        yield self._step("AT+CMEE=1")
        if (yield from self._unlock()) != "READY":
            return [Observation(CHANNEL, active=False, fault=Fault.DEVICE_ERROR), *self._take_sent()]
        yield from self._obeyed("AT+CMGF=0")
        yield from self._obeyed("AT+CNMI=2,0,0,2,0")
        yield from self._obeyed('AT+CPMS="SR"')
        state = codec.registration((yield from self._obeyed("AT+CREG?")))
        if state is None:
            raise WrongReply("no registration in the reply")
        listed = codec.stored((yield from self._obeyed("AT+CMGL=4", LIST_MAX_BYTES)))
        sights = self._reports(listed)
        for entry in [e for e in listed if (e.index, e.pdu) in self._told][:DELETIONS_MAX]:
            yield from self._obeyed(f"AT+CMGD={entry.index}")
            self._told.discard((entry.index, entry.pdu))
        here = {(entry.index, entry.pdu) for entry, _ in sights}
        self._told = here | (self._told & {(entry.index, entry.pdu) for entry in listed})
        is_registered = Observation(CHANNEL, active=state in codec.REGISTERED)
        return [is_registered, *self._take_sent(), *(notice for _, notice in sights)]

    def _unlock(self) -> Generator[Step, codec.Result, str]:
        """The SIM's state, after its PIN where it asks for one. A wrong PIN is not tried twice."""
        state = codec.pin_state((yield self._step("AT+CPIN?")))
        if state == "SIM PIN" and self._pin:
            tries = codec.pin_tries((yield self._step('AT+CPINR="SIM PIN"')))
            pin, self._pin = self._pin, ""
            if tries is None or tries >= PIN_TRIES_MIN:
                result = yield structs.replace(self._step(f"AT+CPIN={pin}"), secret=pin.encode())
                if not result.error:
                    self._pin, state = pin, "READY"
        return state

    def _send(self, read: Send) -> Talk:
        self._is_mid_message = False
        yield from self._obeyed("AT+CMGF=0")
        submits = pdu.submits(read.to, read.text, crc32(read.text.encode()))
        for number, submit in enumerate(submits, start=1):
            content = pdu.encode_submit(submit)
            self._is_mid_message = True
            ready = yield self._step(f"AT+CMGS={pdu.length_after_centre(content)}", takes_prompt=True)
            if not ready.is_prompt:  # a prompt may have been garbled into this: the next turn begins with ESC
                return _refused(ready, is_certain=number == 1)
            text = content.hex().upper().encode() + codec.CTRL_Z
            result = yield self._step(text, window_ms=SEND_MS)
            self._is_mid_message = False
            reference = codec.reference(result)
            if result.error or reference is None:
                is_said = result.cms_error is not None and result.cms_error not in _UNSURE
                return _refused(result, is_certain=number == 1 and is_said)
            which: Data = {"reference": reference, "part": number, "parts": len(submits)}
            self._sent.append(Notice(CHANNEL, "sms.report", {"to": read.to, "state": "sent", **which}))
        return Outcome.ACKNOWLEDGED

    def _obeyed(
        self, command: str, most: int = STEP_MAX_BYTES
    ) -> Generator[Step, codec.Result, codec.Result]:
        """A command without which the turn makes no sense. Raises DeviceRefused."""
        result = yield structs.replace(self._step(command), input_max_bytes=most)
        if result.error:
            raise DeviceRefused(f"{command}: {result.error}")
        return result

    def _step(self, request: str | bytes, *, takes_prompt: bool = False, window_ms: int = STEP_MS) -> Step:
        sent = request if isinstance(request, bytes) else request.encode() + codec.CR
        name = "PDU" if isinstance(request, bytes) else request.partition("=")[0]
        return Step(name, self._unit, (), 0, 0, window_ms=window_ms, request=sent, takes_prompt=takes_prompt)

    def _reports(self, listed: list[codec.Stored]) -> list[tuple[codec.Stored, Notice]]:
        """Those that were not told yet. What is no report stays where it is."""
        fresh = []
        for entry in listed:
            try:
                report = pdu.decode_status_report(entry.pdu)
            except BadFrame:
                continue
            if (entry.index, entry.pdu) not in self._told:
                state = report.state.value
                data: Data = {"to": report.to, "reference": report.reference, "state": state}
                fresh.append((entry, Notice(CHANNEL, "sms.report", data)))
        return fresh

    def _take_sent(self) -> list[Sight]:
        sent = [*self._sent]
        self._sent.clear()
        return sent


def _refused(result: codec.Result, *, is_certain: bool) -> Outcome:
    """Refused where the modem said so before anything went out; else nobody knows."""
    return Outcome.REFUSED if result.error and is_certain else Outcome.UNKNOWN


def build(site: Site) -> Driver:
    """The driver of one device. Raises ProfileFault."""
    path = typed_options(site.options, SmsModemOptions).pin_file
    try:
        pin = Path(path).read_text("ascii").strip() if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileFault(f"options: pin_file {path} cannot be read") from error
    if path and not PIN.match(pin):
        raise ProfileFault(f"options: pin_file {path} holds no PIN of 4 to 8 digits")
    return SmsModem(site.unit, pin)


KIND = PolledKind(build, "at", SERIAL, {CHANNEL: ("modem",)}, is_addressed=False, is_agents_alone=True)
