"""The doctor's look at who this edge is, and whether the broker believes it."""

import asyncio
import socket
import ssl
import time

from contract.certificates import instant_ms, load
from edge.errors import EdgeError
from edge.identity import Credentials, is_clock_beside_itself, load_identity
from edge.settings import BrokerSettings, Settings
from edge.technician.finding import Finding, Verdict

DAY_MS = 86_400_000
RENEW_DAYS = 30
CONNECT_TIMEOUT_S = 2.0
REFUSED_WITHIN_S = 0.5
"""With TLS 1.3 a refusal of our certificate comes after the handshake; so long without one, it was taken."""

AREA = "identity"


def check_identity(settings: Settings) -> tuple[Credentials | None, Finding]:
    """What `edge enrol` left, and how long it lasts."""
    try:
        held = load_identity(settings.data_dir, settings.edge.id)
    except EdgeError as error:
        return None, Finding(AREA, Verdict.FAULT, str(error), "casewatch edge enrol, with a new code")
    if held is None:
        text = (
            "not enrolled: the agent runs with --insecure-dev only, and what it sends can be read on the way"
        )
        mend = f"casewatch edge enrol, with a code of casewatch central enrol {settings.edge.id}"
        return None, Finding(AREA, Verdict.DOUBTFUL, text, mend)
    return held, judge_certificate(held, time.time_ns() // 1_000_000)


def judge_certificate(held: Credentials, now_ms: int) -> Finding:
    """Whether it is to be renewed."""
    own = (held.folder / "edge.pem").read_bytes()
    ends_ms = instant_ms(load(own).not_valid_after_utc)
    ends = time.strftime("%Y-%m-%d", time.gmtime(ends_ms / 1_000))
    if is_clock_beside_itself(own, now_ms):
        text = f"by this box's clock the certificate (until {ends}) is not good now"
        return Finding(AREA, Verdict.FAULT, text, "set the clock; if it is right: casewatch edge enrol")
    days = (ends_ms - now_ms) // DAY_MS
    if days < RENEW_DAYS:
        return Finding(AREA, Verdict.DOUBTFUL, f"ends {ends}, in {days} days", "casewatch edge renew")
    return Finding(AREA, Verdict.OK, f"enrolled, until {ends}")


async def check_handshake(broker: BrokerSettings, held: Credentials) -> Finding:
    """TLS with the broker and no word of MQTT: the broker would end the agent's connection for ours."""
    where = f"{broker.host}:{broker.port}"
    try:
        await asyncio.to_thread(shake_hands, broker, held.client_context())
    except ssl.SSLCertVerificationError as error:
        mend = "the name in [broker] host must be one that its certificate has: central trust renew --host"
        return Finding("broker", Verdict.FAULT, f"{where}: {error.verify_message}", mend)
    except ssl.SSLError as error:
        mend = "revoked or ended: casewatch central trust list; does the broker read the centre's lists?"
        return Finding("broker", Verdict.FAULT, f"{where} refuses our certificate: {error.reason}", mend)
    except (OSError, UnicodeError) as error:
        mend = "is mosquitto running there, is the port open in the firewall, is the way there up?"
        return Finding("broker", Verdict.FAULT, f"{where}: {error}", mend)
    return Finding("broker", Verdict.OK, f"{where} takes our certificate; the rest is the agent's own to say")


def shake_hands(broker: BrokerSettings, context: ssl.SSLContext) -> None:
    """Blocks. Raises OSError, ssl.SSLError where either side does not take the other's certificate."""
    with (
        socket.create_connection((broker.host, broker.port), CONNECT_TIMEOUT_S) as line,
        context.wrap_socket(line, server_hostname=broker.host) as secured,
    ):
        secured.settimeout(REFUSED_WITHIN_S)
        try:
            if not secured.recv(1):
                raise ConnectionResetError("the broker ended the connection")
        except TimeoutError:
            return
