"""Topics: `casewatch/1/{edge}/up/…`, `casewatch/1/{edge}/down/…`, `casewatch/1/central/status`.

The only place that builds or takes apart a topic; the broker's access list is made from it too.
"""

from enum import StrEnum

from contract import PROTOCOL_VERSION
from contract.errors import UnknownTopic
from contract.ids import EdgeId, is_edge_id

ROOT = f"casewatch/{PROTOCOL_VERSION}"
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


def up(edge: EdgeId, lane: Up) -> str:
    return f"{ROOT}/{edge}/up/{lane}"


def down(edge: EdgeId, lane: Down) -> str:
    return f"{ROOT}/{edge}/down/{lane}"


def all_down(edge: EdgeId) -> str:
    return f"{ROOT}/{edge}/down/+"


def parse_up(topic: str) -> tuple[EdgeId, Up]:
    """Edge and lane of a topic that an edge publishes on. Raises UnknownTopic."""
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


def _parse(topic: str, direction: str) -> tuple[EdgeId, str]:
    parts = topic.split("/")
    if len(parts) != 5 or "/".join(parts[:2]) != ROOT or parts[3] != direction:
        raise UnknownTopic(topic[:128])
    if not is_edge_id(parts[2]):
        raise UnknownTopic(topic[:128])
    return EdgeId(parts[2]), parts[4]
