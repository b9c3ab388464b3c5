"""What somebody at the broker could say in another's name, without having his key."""

from typing import Any

from msgspec.structs import replace

from contract import messages, topics
from contract.errors import ContractError
from contract.keys import Signer
from contract.messages import (
    AnyMessage,
    Batch,
    Beat,
    Birth,
    CentralStatus,
    Command,
    Live,
    Nak,
    Receipt,
    Status,
)
from contract.signing import sign
from tests.sim.network import Message

KINDS: dict[str, type[AnyMessage]] = {
    "birth": Birth,
    "status": Status,
    "beat": Beat,
    "live": Live,
    "log": Batch,
    "receipt": Receipt,
    "nak": Nak,
    "command": Command,
}
LATER = 1_000_000


def forge(seen: Message, how: str, edges: list[str]) -> Message | None:
    """A message like one that was heard; None where nothing can be made of that one."""
    topic, payload = seen
    kind = CentralStatus if topic == topics.CENTRAL_STATUS else KINDS[topic.rpartition("/")[2]]
    try:
        message = messages.decode(kind, payload)
        if how == "other edge":
            return _elsewhere(topic, message, edges)
        altered: AnyMessage = replace(message, **_change(message))
        if how == "unsigned":
            altered = replace(altered, sig="")
        elif how == "foreign key":
            altered = sign(altered, _thief)
        return topic, messages.encode(altered)
    except ContractError:
        return None


def _change(message: AnyMessage) -> dict[str, Any]:
    """What a liar would want to be believed."""
    match message:
        case Birth():
            points = [
                replace(point, value="open" if point.value == "closed" else "closed")
                for point in message.points
            ]
            return {"session": message.session + LATER, "n": message.n + LATER, "points": points}
        case Beat():
            return {"n": message.n + LATER, "seq": message.seq + 1}
        case Status() | CentralStatus():
            return {"state": "offline", "at": message.at + 1}
        case Batch() | Live():
            return {"n": message.n + LATER}
        case Receipt():
            return {"seq": message.seq + 1, "hash": "0" * 64}
        case Nak():
            return {"first": 1, "at": message.at + LATER}
        case Command():
            return {"id": f"{message.id[:30]}-again"}


def _elsewhere(topic: str, message: AnyMessage, edges: list[str]) -> Message | None:
    """The words of one edge, in the name of another."""
    mine = getattr(message, "edge", None)
    others = [edge for edge in edges if edge != mine]
    if mine is None or not others:
        return None
    return topic.replace(f"/{mine}/", f"/{others[0]}/"), messages.encode(replace(message, edge=others[0]))


_thief = Signer.new()
