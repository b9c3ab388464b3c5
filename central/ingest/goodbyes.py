"""Which goodbyes were heard already: a last will that is said again takes no station away. Pure.

A will is made anew for each connection of an edge, so within a session the later one has the greater instant.
Where an edge's wall clock was set back a true will may pass for an old one: then silence tells, 15 s later.
"""

from contract.messages import Status


class Goodbyes:
    """Kept for as long as the centre runs; a broker tells the retained ones again at each connect."""

    def __init__(self) -> None:
        self._heard: dict[str, tuple[int, int, int]] = {}

    def is_news(self, status: Status, epoch: int) -> bool:
        """True the first time that a goodbye is heard. `epoch`: of the edge's journal now; another one counts
        its sessions anew.
        """
        heard_in, *heard = self._heard.get(status.edge, (epoch, -1, -1))
        is_news = heard_in != epoch or [status.session, status.at] > heard
        if is_news and status.state == "offline":
            self._heard[status.edge] = (epoch, status.session, status.at)
        return is_news
