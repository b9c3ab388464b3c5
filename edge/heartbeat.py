"""What the edge says of itself: status, birth and beat. Pure makers, and the task that keeps time.

A beat carries the head of the chain and a digest of all points, so that silence, a changed state and a
removed row can all be told from "nothing happened".
"""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from contract.ids import EdgeId
from contract.limits import BEAT_INTERVAL_S
from contract.messages import Beat, Birth, Mode, Receipt, Status
from contract.rows import EdgeKind
from contract.topics import Up
from edge.clock import Clock
from edge.journal import Journal
from edge.link import Link
from edge.outbox import Outbox
from edge.points import Points
from edge.proposals import Draft
from edge.voice import Voice

FIRST_READINGS_WITHIN_S = 3.0
"""So long after a start a birth waits for every point to be read once: what is not yet known is no fault."""
FIRST_READINGS_LOOK_S = 0.1
KNOCK_EVERY_BEATS = 4
"""An edge that was told wrongly, or too late, that the centre is away finds out within 20 s."""
BEATS_BEGIN_BELOW = 1 << 48
"""A start numbers its beats from anywhere: where a lost or an older journal gives two starts one session, a
command that was meant for the one is still none of the other's.
"""


class Identity(msgspec.Struct, frozen=True):
    """Who speaks. `session` counts the starts on this journal, `config` is the settings' SHA-256."""

    edge: EdgeId
    session: int
    software: str
    config: str


def status(identity: Identity, clock: Clock, reason: Literal["", "stop", "will"]) -> Status:
    """The retained status: online without a reason, offline with one. The will is the broker's to tell."""
    state: Literal["online", "offline"] = "offline" if reason else "online"
    return Status(
        edge=identity.edge, state=state, session=identity.session, at=clock.wall_ms(), reason=reason
    )


class Heartbeat:
    """Speaks when the link is up, on the beat and whenever the centre comes."""

    def __init__(
        self,
        identity: Identity,
        clock: Clock,
        *,
        journal: Journal,
        points: Points,
        outbox: Outbox,
        link: Link,
        voice: Voice,
    ) -> None:
        self.witness: Callable[[], Receipt | None] = lambda: None
        self.modes: Callable[[], Sequence[Mode]] = tuple
        self.on_beat: Callable[[int], None] = lambda _number: None
        """Called with the number of a beat as it goes out: a command's time is counted from there."""
        self._identity = identity
        self._clock = clock
        self._journal = journal
        self._points = points
        self._outbox = outbox
        self._link = link
        self._voice = voice
        self._beats_unheard = 0
        self._beats = secrets.randbelow(BEATS_BEGIN_BELOW)
        self._patient_until_mono = asyncio.get_running_loop().time() + FIRST_READINGS_WITHIN_S
        self._birth_owed_below = 0
        """A birth is owed once fewer points than these are unread; 0: none is owed."""

    async def run(self) -> None:
        """Beat every BEAT_INTERVAL_S, and write down when the wall clock was set."""
        loop = asyncio.get_running_loop()
        due_mono = loop.time()
        while True:
            due_mono += BEAT_INTERVAL_S
            while (wait_s := due_mono - loop.time()) > 0:
                is_starting = self._birth_owed_below or self._points.unread
                await asyncio.sleep(min(wait_s, FIRST_READINGS_LOOK_S) if is_starting else wait_s)
                self._tell_points()
            await self._check_clock()
            self.keep_time()

    def keep_time(self) -> None:
        """A beat; where the centre is said to be away, now and then a birth: if it is there, it answers."""
        if self._outbox.is_centre_online:
            self._beats_unheard = 0
        else:
            self._beats_unheard += 1
        if self._beats_unheard == KNOCK_EVERY_BEATS:
            self._beats_unheard = 0
            self.introduce()
        else:
            self.beat()

    def introduce(self) -> None:
        """Status, birth and a beat: at each connect, and when the centre returns."""
        online = status(self._identity, self._clock, "")
        self._link.publish(Up.STATUS, self._voice.say_status(online), retain=True)
        self._birth_owed_below = self._points.unread + 1
        self._tell_points()
        self.beat()

    def beat(self) -> None:
        """One beat now, if there is a link to take it."""
        if not self._link.is_connected:
            return
        self._beats += 1
        self.on_beat(self._beats)
        beat = Beat(
            edge=self._identity.edge,
            epoch=self._journal.epoch,
            instance=self._voice.instance,
            beat=self._beats,
            forked=self._outbox.is_forked,
            seq=self._journal.head,
            hash=self._journal.head_hash.hex(),
            digest=self._points.digest(),
            clock=self._clock.state,
            at=self._clock.wall_ms(),
            queued=self._outbox.queued,
        )
        self._link.publish(Up.BEAT, self._voice.say(beat), qos=0)

    def _tell_points(self) -> None:
        """The birth that is owed, when all points are read or patience ends; again when more are read."""
        unread = self._points.unread
        is_time = not unread or asyncio.get_running_loop().time() >= self._patient_until_mono
        if is_time and unread < self._birth_owed_below and self._link.is_connected:
            self._link.publish(Up.BIRTH, self._voice.say(self._birth()))
            self._birth_owed_below = unread

    def _birth(self) -> Birth:
        return Birth(
            edge=self._identity.edge,
            epoch=self._journal.epoch,
            instance=self._voice.instance,
            boot=self._clock.boot,
            software=self._identity.software,
            config=self._identity.config,
            seq=self._journal.head,
            hash=self._journal.head_hash.hex(),
            clock=self._clock.state,
            at=self._clock.wall_ms(),
            points=self._points.states(),
            base=self._journal.base,
            base_hash=self._journal.base_hash.hex(),
            modes=list(self.modes()),
            receipted=self.witness(),
        )

    async def _check_clock(self) -> None:
        step_ms = self._clock.check()
        if step_ms:
            await self._journal.tell(
                Draft(EdgeKind.CLOCK_STEPPED, self._clock.stamp(), data={"step_ms": step_ms})
            )
