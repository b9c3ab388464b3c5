"""Topics: `casewatch/1/{edge}/up/…`, `casewatch/1/{edge}/down/…`, `casewatch/1/central/status`.

The only place that builds or takes apart a topic; the broker's access list is made from it too.
"""

from enum import StrEnum

from contract import PROTOCOL_VERSION
from contract.errors import UnknownTopic, UnknownVersion
from contract.ids import EdgeId, is_edge_id

PRODUCT = "casewatch"
ROOT = f"{PRODUCT}/{PROTOCOL_VERSION}"
CENTRAL_STATUS = f"{ROOT}/central/status"
"""Retained: `online` with the centre's instance, `offline` by its last will."""


class Up(StrEnum):
    BIRTH = "birth"
    STATUS = "status"
    """Retained; `offline` is the edge's last will."""
    BEAT = "beat"
    """QoS 0; every other topic is QoS 1."""
    LIVE = "live"
    LOG = "log"


class Down(StrEnum):
    RECEIPT = "receipt"
    NAK = "nak"
    COMMAND = "command"
    CONFIG = "config"


ALL_UP = f"{ROOT}/+/up/+"
OTHER_BIRTHS = [f"{PRODUCT}/{PROTOCOL_VERSION + step}/+/up/birth" for step in (-1, 1)]
"""Of the version before and after ours: an edge that speaks another is refused by name, not by silence."""


def up(edge: EdgeId, lane: Up) -> str:
    return f"{ROOT}/{edge}/up/{lane}"


def down(edge: EdgeId, lane: Down) -> str:
    return f"{ROOT}/{edge}/down/{lane}"


def all_down(edge: EdgeId) -> str:
    return f"{ROOT}/{edge}/down/+"


def parse_up(topic: str) -> tuple[EdgeId, Up]:
    """Edge and lane of a topic that an edge publishes on. Raises UnknownTopic, UnknownVersion."""
    edge, lane = _parse(topic, "up")
    try:
        return edge, Up(lane)
    except ValueError:
        raise UnknownTopic(topic[:128]) from None


def parse_down(topic: str) -> tuple[EdgeId, Down]:
    """Edge and lane of a topic that the centre publishes on. Raises UnknownTopic."""
    edge, lane = _parse(topic, "down")
    try:
        return edge, Down(lane)
    except ValueError:
        raise UnknownTopic(topic[:128]) from None


def version_of(topic: str) -> tuple[str, str]:
    """Edge and version of a birth on any version's topic. Raises UnknownTopic."""
    parts = topic.split("/")
    if len(parts) != 5 or parts[0] != PRODUCT or not is_edge_id(parts[2]):
        raise UnknownTopic(topic[:128])
    return parts[2], parts[1][:16]


class Access(StrEnum):
    """What a broker lets somebody do on a topic; the words are mosquitto's."""

    READ = "read"
    WRITE = "write"


def edge_access(edge: EdgeId) -> list[tuple[Access, str]]:
    """All that an edge may do: speak for itself, hear what is for it, see whether the centre is there."""
    return [
        (Access.WRITE, f"{ROOT}/{edge}/up/+"),
        (Access.WRITE, f"{PRODUCT}/+/{edge}/up/birth"),
        (Access.READ, f"{ROOT}/{edge}/down/+"),
        (Access.READ, CENTRAL_STATUS),
    ]


def central_access() -> list[tuple[Access, str]]:
    """All that the centre may do."""
    return [
        (Access.READ, ALL_UP),
        *((Access.READ, births) for births in OTHER_BIRTHS),
        (Access.WRITE, f"{ROOT}/+/down/+"),
        (Access.READ, CENTRAL_STATUS),
        (Access.WRITE, CENTRAL_STATUS),
    ]


def _parse(topic: str, direction: str) -> tuple[EdgeId, str]:
    parts = topic.split("/")
    if len(parts) != 5 or parts[0] != PRODUCT or parts[3] != direction or not is_edge_id(parts[2]):
        raise UnknownTopic(topic[:128])
    if parts[1] != str(PROTOCOL_VERSION):
        raise UnknownVersion(f"edge {parts[2]} speaks version {parts[1][:16]}, we speak {PROTOCOL_VERSION}")
    return EdgeId(parts[2]), parts[4]
