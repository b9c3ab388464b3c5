"""Lines between a host and a modem (V.250, 3GPP TS 27.005 and 27.007), pure.

    AT+CREG?<CR>                                  host → modem
    AT+CREG?<CR><CR><LF>+CREG: 0,1<CR><LF>        modem → host: the echo, what it says,
    <CR><LF>OK<CR><LF>                            and the final result that ends every reply
    <CR><LF>> <space>                             "your PDU, please": no final result follows yet

Modems speak unasked too (`RING`, `+CDSI: …`), between replies and inside them. The echo is left on: it is the
only thing in a reply that says which command it answers.
"""

import re

import msgspec

from device_drivers.errors import BadFrame, UnaskedFrame

CR = b"\r"
CTRL_Z = b"\x1a"
ESCAPE = b"\x1b"
PROMPT = b"\r\n> "
_FINAL = re.compile(rb"(?:^|\r\n|\r)(OK|ERROR|\+CM[ES] ERROR: ?[^\r\n]{1,80}+)\r\n")
_ECHO = re.compile(rb"(?:^|[\n\x1b])(AT[^\r\n\x1b]{0,200}+)\r")
FINAL_MAX_BYTES = 128
"""A result is no longer, so this much of what was in vain before may still begin one."""
_PDU = re.compile(r"^(?:[0-9A-Fa-f]{2}){2,255}\Z")
_ENTRY = re.compile(r"^\+CMGL: ?([0-9]{1,5}),")
_REGISTRATION = re.compile(r"^\+CREG: ?[0-9],([0-9])(?:,|$)")
_REFERENCE = re.compile(r"^\+CMGS: ?([0-9]{1,3})(?:,|$)")
_TRIES = re.compile(r"^\+CPINR: ?SIM PIN,([0-9]{1,2})(?:,|$)")
_REFUSAL = re.compile(r"^\+CMS ERROR: ?([0-9]{1,5})\Z")
REGISTERED = (1, 5)


class Result(msgspec.Struct, frozen=True):
    """A reply: the lines it says, and how it ends; `error` is empty for OK and for a prompt."""

    lines: tuple[str, ...]
    error: str = ""
    is_prompt: bool = False

    @property
    def cms_error(self) -> int | None:
        """The number in `+CMS ERROR: 38`; None for any other end."""
        number = _REFUSAL.match(self.error)
        return int(number[1]) if number else None


class Stored(msgspec.Struct, frozen=True):
    """A PDU in the modem's storage."""

    index: int
    pdu: bytes


def reply_length(received: bytes, *, takes_prompt: bool, start: int = 0) -> int | None:
    """Where a reply ends: at its final result, or at a prompt where one is expected, not before `start`."""
    final = _FINAL.search(received, start)
    prompt = received.find(PROMPT, start) if takes_prompt else -1
    if prompt >= 0 and (final is None or prompt < final.start()):
        return prompt + len(PROMPT)
    return final.end() if final else None


def decode(request: bytes, reply: bytes) -> Result:
    """What a whole reply to `request` says. Raises UnaskedFrame for one to another command, BadFrame."""
    asked = request.strip(ESCAPE + CR + CTRL_Z)
    echoes = [echo[1] for echo in _ECHO.finditer(reply)]
    if asked in echoes:
        said = reply[reply.rindex(asked + CR) + len(asked) :]
    elif echoes:
        other = echoes[-1].partition(b"=")[0]  # what follows may be a PIN
        raise UnaskedFrame(f"a reply to {other[:32].decode('ascii', 'replace')}")
    else:
        said = reply.removeprefix(asked)
    if said.endswith(PROMPT):
        return Result((), is_prompt=True)
    final = _FINAL.search(said)
    if final is None or final.end() != len(said):
        raise BadFrame(f"no end in {len(reply)} bytes")
    end = final[1].decode("ascii", "replace")
    lines = said[: final.start()].decode("ascii", "replace").splitlines()
    result = Result(tuple(line.strip() for line in lines if line.strip()), "" if end == "OK" else end)
    if reference(result) is not None and asked.startswith(b"AT"):
        raise UnaskedFrame(f"the network's late word: {result.lines}")
    return result


def registration(result: Result) -> int | None:
    """The state in a reply to `AT+CREG?`. A notice of a change has no comma, and is none."""
    return _only(result, _REGISTRATION)


def reference(result: Result) -> int | None:
    """The reference under which the network took a message."""
    return _only(result, _REFERENCE)


def pin_tries(result: Result) -> int | None:
    """How many wrong PINs the SIM still allows."""
    return _only(result, _TRIES)


def pin_state(result: Result) -> str:
    """`READY`, `SIM PIN`, `SIM PUK`, …; empty where the reply does not tell."""
    return next((line[6:].strip() for line in result.lines if line.startswith("+CPIN:")), "")


def stored(result: Result) -> list[Stored]:
    """The PDUs of a reply to `AT+CMGL`. Other lines are passed over, wherever they stand."""
    entries, index = [], None
    for line in result.lines:
        entry = _ENTRY.match(line)
        if entry:
            index = int(entry[1])
        elif index is not None and _PDU.match(line):
            entries.append(Stored(index, bytes.fromhex(line)))
            index = None
    return entries


def _only(result: Result, pattern: re.Pattern[str]) -> int | None:
    matches = (pattern.match(line) for line in result.lines)
    return next((int(match[1]) for match in matches if match), None)
