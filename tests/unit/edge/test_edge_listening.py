"""A line that speaks by itself: sights into rows before they count as taken, loss said once, tried again."""

import asyncio

import pytest
from structlog.testing import capture_logs

from contract.ids import PointId
from contract.points import Clock
from device_drivers.driver import Notice, Observation
from device_drivers.errors import DeviceRefused, LinkDown, NoReply
from edge.clock import Stamp
from edge.errors import JournalFailed
from edge.listening import REFUSED_S, RETRY_CAP_S, Listening
from edge.points import Points
from edge.settings import PointSettings
from tests.support.virtual_time import in_virtual_time

CARD = PointId("liuxu.int1.reader")
TAMPER = PointId("liuxu.int1.tamper")
PAIRED = [Observation("card", active=True), Observation("tamper", active=False)]


class Ended(Exception):
    """The script of the fake line is over."""


class Refused(DeviceRefused):
    """Said to the line as a whole."""


class FakeListener:
    """Plays one script a run; a step is said of the device, an error that is not wrapped ends the run."""

    def __init__(self, *scripts) -> None:
        self.channels = {"reader": ("card", "tamper")}
        self._scripts = iter(scripts)
        self.taken = []

    async def run(self, tell) -> None:
        for step in next(self._scripts, [Ended()]):
            if isinstance(step, LinkDown | Ended | Refused):
                raise step
            await tell("reader", step)
            self.taken.append(step)


class FakeJournal:
    def __init__(self) -> None:
        self.rows = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.fails = False

    async def keep(self, proposal, commit) -> None:
        if self.fails:
            raise JournalFailed("disk")
        await self.gate.wait()
        self.rows += [(draft.kind, draft.data) for draft in proposal.drafts]
        commit(proposal)

    @property
    def kinds(self):
        return [kind for kind, _ in self.rows]


class FakeClock:
    def stamp(self) -> Stamp:
        return Stamp(at=1, mono=1, boot="b0", clock=Clock.FREE)


@pytest.fixture
def waits(monkeypatch):
    asked = []
    sleep = asyncio.sleep

    async def noted(delay_s):
        asked.append(delay_s)
        await sleep(0)

    monkeypatch.setattr("edge.listening.asyncio.sleep", noted)
    return asked


def listening(listener, journal):
    points = Points(
        [
            PointSettings(id=CARD, type="reader", device="reader", channel="card"),
            PointSettings(id=TAMPER, type="tamper", device="reader", channel="tamper"),
        ],
        [],
        {},
        is_simulated=False,
        last_at=0,
    )
    return Listening(listener, points=points, journal=journal, clock=FakeClock(), jitter=lambda: 1.0)


async def played(*scripts):
    journal, listener = FakeJournal(), FakeListener(*scripts)
    with pytest.raises(Ended):
        await listening(listener, journal).run()
    return journal, listener


async def test_a_card_and_a_lost_key_become_rows(waits):
    card = Notice("card", "card.read", {"bits": 26, "card": "01234540"})
    journal, _ = await played([PAIRED, [card], [Observation("card", active=False)]])
    assert journal.kinds == ["point.baseline", "point.baseline", "card.read", "reader.unpaired"]
    assert journal.rows[2][1] == {"bits": 26, "card": "01234540"}


async def test_a_channel_told_of_more_than_once_in_a_breath_goes_through_each_of_its_states(waits):
    tripped, quiet = Observation("tamper", active=True), Observation("tamper", active=False)
    journal, _ = await played([[*PAIRED, quiet], [tripped, quiet, tripped], [tripped]])
    assert journal.kinds == [
        "point.baseline",
        "point.baseline",
        "tamper.tripped",
        "tamper.quiet",
        "tamper.tripped",
    ]


async def test_a_listener_is_answered_only_when_its_rows_are_durable():
    journal, listener = FakeJournal(), FakeListener([PAIRED])
    journal.gate.clear()
    task = asyncio.create_task(listening(listener, journal).run())
    for _ in range(10):
        await asyncio.sleep(0)
    assert listener.taken == []
    journal.gate.set()
    with pytest.raises(Ended):
        await task
    assert listener.taken == [PAIRED]


async def test_a_lost_line_costs_every_point_its_quality_and_says_so_once(waits):
    with capture_logs() as logs:
        journal, _ = await played(
            [PAIRED, LinkDown("gone")], [LinkDown("gone")], [LinkDown("gone")], [PAIRED]
        )
    assert journal.kinds == ["point.baseline"] * 2 + ["point.quality"] * 4
    assert [data["quality"] for _, data in journal.rows[2:]] == ["comm_fail"] * 2 + ["good"] * 2
    assert [entry["event"] for entry in logs] == ["device_lost", "device_answered"]


async def test_one_silent_device_does_not_end_its_line(waits):
    journal, listener = await played([PAIRED, NoReply("silent"), NoReply("silent"), PAIRED])
    assert [data["quality"] for kind, data in journal.rows if kind == "point.quality"] == [
        "comm_fail",
        "comm_fail",
        "good",
        "good",
    ]
    assert len(listener.taken) == 4


async def test_a_device_that_refuses_us_is_a_fault_of_the_device(waits):
    journal, _ = await played([PAIRED, DeviceRefused("password")])
    assert {data["quality"] for kind, data in journal.rows if kind == "point.quality"} == {"device_error"}


async def test_the_waits_double_to_a_cap_and_begin_anew_after_a_word(waits):
    down = [LinkDown("gone")]
    with pytest.raises(Ended):
        await listening(FakeListener(*[down] * 7, [PAIRED, *down], down), FakeJournal()).run()
    assert waits == [1, 2, 4, 8, 16, RETRY_CAP_S, RETRY_CAP_S, 1, 2]


def tried_at(*scripts):
    """When the line was tried, in seconds since the first time."""

    class Timed(FakeListener):
        async def run(self, tell) -> None:
            times.append(asyncio.get_running_loop().time())
            await super().run(tell)

    times = []

    @in_virtual_time
    async def play():
        with pytest.raises(Ended):
            await listening(Timed(*scripts), FakeJournal()).run()

    play()
    return [round(at - times[0]) for at in times]


def test_a_device_that_refuses_us_is_asked_again_only_after_ten_minutes():
    refused = [Refused("user or password")]
    first, second, third, _ = tried_at(refused, refused, refused)
    assert (second - first, third - second) == (REFUSED_S + 1, REFUSED_S + 2)


def test_a_device_that_forgot_us_is_asked_at_once_and_then_left_alone_if_it_still_refuses():
    assert tried_at([PAIRED, Refused("no such subscription")], [PAIRED, LinkDown("gone")]) == [0, 1, 2]
    tries = tried_at([PAIRED, Refused("no such subscription")], [Refused("user or password")])
    assert tries == [0, 1, 1 + REFUSED_S + 2]


async def test_a_failed_journal_ends_the_listening(waits):
    journal = FakeJournal()
    journal.fails = True
    with pytest.raises(JournalFailed):
        await listening(FakeListener([PAIRED]), journal).run()
