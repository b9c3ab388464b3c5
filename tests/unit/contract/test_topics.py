"""Topics: built and taken apart in one place; nobody else's is ours."""

import pytest

from contract import topics
from contract.errors import UnknownTopic
from contract.ids import EdgeId
from contract.topics import Down, Up


@pytest.mark.parametrize("lane", Up)
def test_an_up_topic_reads_back(lane: Up) -> None:
    assert topics.parse_up(topics.up(EdgeId("liuxu"), lane)) == ("liuxu", lane)


@pytest.mark.parametrize("lane", Down)
def test_a_down_topic_reads_back(lane: Down) -> None:
    assert topics.parse_down(topics.down(EdgeId("liuxu"), lane)) == ("liuxu", lane)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "casewatch/2/liuxu/up/log",
        "casewatch/1/liuxu/up/gossip",
        "casewatch/1/liuxu/up",
        "casewatch/1/liuxu/up/log/extra",
        "casewatch/1/LIUXU/up/log",
        "casewatch/1/" + "x" * 33 + "/up/log",
        "casewatch/1/liuxu/down/receipt",
        topics.CENTRAL_STATUS,
    ],
)
def test_another_topic_is_refused(topic: str) -> None:
    with pytest.raises(UnknownTopic):
        topics.parse_up(topic)
