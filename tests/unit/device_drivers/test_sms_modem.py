"""A modem on its line: registration, messages out, reports in, nothing lost, nothing told that is not so."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers import registry
from device_drivers.bus import Exchange
from device_drivers.driver import Command, Fault, Notice, Observation, Outcome, Sight
from device_drivers.errors import BadFrame, DeviceRefused, DriverError, NoReply, ProfileFault, UnaskedFrame
from device_drivers.site import Site
from device_drivers.sms_modem import alphabet, codec, pdu
from device_drivers.sms_modem.driver import PARTS_MAX, SmsModem
from simulators.sms_modem import STORE_SIZE, SmsModemLine
from tests.support.memory_line import Firmware, Hand, MemoryLine, each, intact, spoil

TO = "+8610012345678"
TEXT = "案管中心提醒：柳圩派出所一号询问室门已开启，请核对办案登记。"
LONG = (TEXT * 20)[:300]


class Bench:
    """A modem, a driver that may be killed and started anew, and the line between."""

    def __init__(self, *, chunk: int = 0, pin: str = "", sim_pin: str = "") -> None:
        self.modem = SmsModemLine(pin=sim_pin)
        self.firmware = Firmware(self.modem)
        self.line = MemoryLine(self.firmware, chunk=chunk)
        self.driver = SmsModem(1, pin)

    def kill(self) -> None:
        self.driver = SmsModem(1)

    async def poll(self) -> list[Sight]:
        return await self.line.bus.read(self.driver, self.driver.reads()[0])

    async def reports(self) -> list[dict[str, str | int | bool]]:
        return [seen.data for seen in await self.poll() if isinstance(seen, Notice)]

    async def send(self, text: str = TEXT, to: str = TO) -> Outcome:
        command = Command("send", "modem", {"to": to, "text": text})
        return await self.line.bus.execute(self.driver, command)

    def wait(self, seconds: float) -> None:
        self.firmware.now_s += seconds


async def test_a_registered_modem_says_so() -> None:
    bench = Bench()
    async with bench.line:
        assert await bench.poll() == [Observation("modem", active=True)]
        bench.modem.act(1, "unregister")
        assert await bench.poll() == [Observation("modem", active=False)]
        bench.modem.act(1, "register")
        assert await bench.poll() == [Observation("modem", active=True)]


async def test_a_message_goes_out_and_its_reference_and_delivery_come_back() -> None:
    bench = Bench()
    async with bench.line:
        await bench.poll()
        assert await bench.send() is Outcome.ACKNOWLEDGED
        assert [(m.to, m.text, m.missing) for m in bench.modem.messages] == [(TO, TEXT, 0)]
        assert await bench.reports() == [{"to": TO, "reference": 0, "state": "sent", "part": 1, "parts": 1}]
        assert await bench.reports() == []
        bench.wait(3)
        assert await bench.reports() == [{"to": TO, "reference": 0, "state": "delivered"}]
        assert await bench.reports() == []


@pytest.mark.parametrize("chunk", [0, 1, 50])
async def test_three_hundred_chinese_letters_arrive_as_one_message(chunk: int) -> None:
    bench = Bench(chunk=chunk)
    async with bench.line:
        await bench.poll()
        assert await bench.send(LONG) is Outcome.ACKNOWLEDGED
        (message,) = bench.modem.messages
        assert (message.text, message.missing, message.references) == (LONG, 0, [0, 1, 2, 3, 4])
        sent = await bench.reports()
        assert [(report["reference"], report["part"], report["parts"]) for report in sent] == [
            (n, n + 1, 5) for n in range(5)
        ]
        bench.wait(3)
        assert [report["reference"] for report in await bench.reports()] == [0, 1, 2, 3, 4]


async def test_a_report_is_deleted_only_in_the_turn_after_the_one_that_told_it() -> None:
    bench = Bench()
    async with bench.line:
        await bench.poll()
        await bench.send()
        bench.wait(3)
        assert "delivered" in [report["state"] for report in await bench.reports()]
        assert len(bench.modem.reports) == 1, "its row may not be durable yet"
        assert await bench.reports() == []
        assert bench.modem.reports == {}


async def test_a_kill_after_a_report_was_told_tells_it_again() -> None:
    bench = Bench()
    async with bench.line:
        await bench.poll()
        await bench.send()
        bench.wait(3)
        await bench.poll()
        bench.kill()
        assert await bench.reports() == [{"to": TO, "reference": 0, "state": "delivered"}]
        assert await bench.reports() == []
        assert bench.modem.reports == {}


async def test_reports_that_came_while_nobody_listened_are_all_told_and_in_the_end_deleted() -> None:
    bench = Bench()
    async with bench.line:
        await bench.poll()
        for _ in range(STORE_SIZE + 5):
            await bench.send("ok")
        bench.wait(3_600)
        told = []
        for _ in range(20):
            told += [r["reference"] for r in await bench.reports() if r["state"] == "delivered"]
        assert sorted(told) == list(range(STORE_SIZE + 5))
        assert bench.modem.reports == {}


async def test_a_turn_that_breaks_off_tells_its_reports_in_the_next() -> None:
    bench = Bench()
    async with bench.line:
        await bench.poll()
        await bench.send()
        bench.wait(3)
        await bench.poll()
        bench.line.hand = each(lambda sent, reply: b"" if b"CMGD" in sent else reply)
        await bench.send("again")
        bench.wait(3)
        with pytest.raises(NoReply):
            await with_short_steps(bench).poll()
        bench.line.hand = intact
        states = [(report["reference"], report["state"]) for report in await bench.reports()]
        assert states == [(1, "sent"), (1, "delivered")]


def with_short_steps(bench: Bench) -> Bench:
    """A modem that is silent is waited for a moment only."""
    step = bench.driver._step
    bench.driver._step = lambda *args, **options: step(*args, **{**options, "window_ms": 50})
    return bench


async def test_a_lost_report_leaves_the_message_merely_sent() -> None:
    bench = Bench()
    async with bench.line:
        await bench.poll()
        bench.modem.act(1, "report lost")
        assert await bench.send() is Outcome.ACKNOWLEDGED
        bench.wait(3)
        assert [report["state"] for report in await bench.reports()] == ["sent"]


async def test_a_busy_network_refuses_before_anything_is_sent() -> None:
    bench = Bench()
    async with bench.line:
        await bench.poll()
        bench.modem.act(1, "busy")
        assert await bench.send(LONG) is Outcome.REFUSED
        assert not bench.modem.messages
        assert await bench.reports() == []
        assert await bench.send(LONG) is Outcome.ACKNOWLEDGED


async def test_without_a_network_a_message_is_refused() -> None:
    bench = Bench()
    async with bench.line:
        bench.modem.act(1, "unregister")
        assert await bench.send() is Outcome.REFUSED


def answer_instead(said: bytes, *, to_part: int) -> Hand:
    """The network's answer to the n-th part, by another."""
    parts = iter(range(1, 100))

    def change(sent: bytes, reply: bytes) -> bytes:
        return said if sent.endswith(codec.CTRL_Z) and next(parts) == to_part else reply

    return each(change)


@pytest.mark.parametrize(
    ("said", "to_part", "outcome"),
    [
        (b"\r\n+CMS ERROR: 38\r\n", 1, Outcome.REFUSED),
        (b"\r\n+CMS ERROR: 332\r\n", 1, Outcome.UNKNOWN),
        (b"\r\n+CMS ERROR: 500\r\n", 1, Outcome.UNKNOWN),
        (b"\r\nERROR\r\n", 1, Outcome.UNKNOWN),
        (b"\r\nOK\r\n", 1, Outcome.UNKNOWN),
        (b"\r\n+CMS ERROR: 38\r\n", 2, Outcome.UNKNOWN),
        (b"\r\n+CMS ERROR: 33\x1e\r\n", 1, Outcome.UNKNOWN),
        (b"\r\n+CMS ERROR: 3_8\r\n", 1, Outcome.UNKNOWN),
        (b"", 1, Outcome.UNKNOWN),
    ],
)
async def test_refused_is_said_only_where_nothing_can_have_gone_out(
    said: bytes, to_part: int, outcome: Outcome
) -> None:
    bench = with_short_steps(Bench())
    async with bench.line:
        await bench.poll()
        bench.line.hand = answer_instead(said, to_part=to_part)
        assert await bench.send(LONG) is outcome
        assert sum(frame.endswith(codec.CTRL_Z) for frame in bench.line.sent) == to_part


async def test_a_later_part_refused_at_its_prompt_leaves_it_unknown() -> None:
    bench = Bench()
    prompts = iter((False, True))
    async with bench.line:
        await bench.poll()
        bench.line.hand = each(
            lambda sent, reply: b"\r\n+CMS ERROR: 38\r\n" if b"CMGS" in sent and next(prompts) else reply
        )
        assert await bench.send(LONG) is Outcome.UNKNOWN
        assert [message.references for message in bench.modem.messages] == [[0]]


async def test_a_message_cut_off_at_its_prompt_does_not_swallow_the_next_command() -> None:
    bench = with_short_steps(Bench())
    async with bench.line:
        await bench.poll()
        bench.line.hand = each(lambda sent, reply: b"" if b"CMGS" in sent else reply)
        assert await bench.send() is Outcome.UNKNOWN
        bench.line.hand = intact
        assert await bench.poll() == [Observation("modem", active=True)]
        assert not bench.modem.messages


async def test_a_prompt_garbled_into_a_refusal_does_not_swallow_the_next_command() -> None:
    bench = with_short_steps(Bench())
    async with bench.line:
        await bench.poll()
        bench.line.hand = spoil(
            lambda reply: b"\r\n+CMS ERROR: 38\r\n" if reply.endswith(codec.PROMPT) else reply
        )
        assert await bench.send() is Outcome.REFUSED
        bench.line.hand = intact
        assert await bench.poll() == [Observation("modem", active=True)]
        assert await bench.send() is Outcome.ACKNOWLEDGED


async def test_a_modem_that_restarted_is_set_up_again() -> None:
    bench = Bench()
    async with bench.line:
        await bench.poll()
        bench.modem.act(1, "restart")
        assert await bench.poll() == [Observation("modem", active=True)]
        assert await bench.send() is Outcome.ACKNOWLEDGED
        bench.wait(3)
        assert "delivered" in [report["state"] for report in await bench.reports()]


async def test_a_modem_without_echo_is_understood_too() -> None:
    bench = Bench()
    bench.line.hand = each(lambda sent, reply: reply.removeprefix(sent))
    async with bench.line:
        assert await bench.poll() == [Observation("modem", active=True)]
        assert await bench.send(LONG) is Outcome.ACKNOWLEDGED


async def test_what_a_modem_says_unasked_disturbs_nothing() -> None:
    bench = Bench()
    bench.line.hand = spoil(
        lambda reply: (
            b'\r\nRING\r\n\r\n+CREG: 2\r\n\r\n+CDSI: "SR",1\r\n'
            + reply.replace(b"\r\n+C", b"\r\n+CMTI: 1\r\n\r\n+C", 1)
        )
    )
    async with bench.line:
        assert await bench.poll() == [Observation("modem", active=True)]
        assert await bench.send() is Outcome.ACKNOWLEDGED


async def test_a_late_reply_is_never_taken_for_that_to_the_next_command() -> None:
    bench = Bench()
    async with bench.line:
        await bench.poll()
        late = b"AT+CMGF=0\r\r\nERROR\r\n"
        bench.line.hand = each(lambda sent, reply: (b"" if b"CMGF" in sent else late) + reply)
        assert await bench.poll() == [Observation("modem", active=True)]
        assert bench.line.bus.counters.unasked == 7


async def test_a_sim_gets_its_pin_and_a_wrong_one_only_once() -> None:
    right, wrong = Bench(pin="1234", sim_pin="1234"), Bench(pin="4321", sim_pin="1234")
    async with right.line, wrong.line:
        assert await right.poll() == [Observation("modem", active=True)]
        fault = [Observation("modem", active=False, fault=Fault.DEVICE_ERROR)]
        for _ in range(5):
            assert await wrong.poll() == fault
        assert wrong.modem._pin_tries == 2
        wrong.driver = SmsModem(1, "4321")
        assert await wrong.poll() == fault
        assert wrong.modem._pin_tries == 2, "a restart of ours does not spend the last tries"


async def test_who_taps_the_bus_sees_no_pin() -> None:
    bench = Bench(pin="1234", sim_pin="1234")
    exchanges: list[Exchange] = []
    bench.line.bus.tap = exchanges.append
    async with bench.line:
        assert await bench.poll() == [Observation("modem", active=True)]
    tapped = [part for exchange in exchanges for part in (exchange.sent, exchange.received)]
    assert [part for part in tapped if b"+CPIN=" in part] == [
        b"AT+CPIN=****\r",
        b"AT+CPIN=****\r\r\nOK\r\n",
    ]


@pytest.mark.parametrize("said", [b"AT+CPIN=1234\r", b"\x01AT+CPIN=1234\r\r\nOK", b"\nAT+CPIN=1234 \r\r\nOK"])
async def test_no_error_tells_a_pin(said: bytes) -> None:
    bench = with_short_steps(Bench(pin="1234", sim_pin="1234"))
    bench.line.hand = each(lambda sent, reply: said if b"CPIN=" in sent else reply)
    async with bench.line:
        with pytest.raises(DriverError) as caught:
            await bench.poll()
    assert "1234" not in str(caught.value)
    assert b"1234".hex(" ") not in str(caught.value)


async def test_a_modem_that_cannot_count_tries_gets_a_pin_once() -> None:
    bench = Bench(pin="4321", sim_pin="1234")
    bench.line.hand = each(lambda sent, reply: b"\r\nERROR\r\n" if b"CPINR" in sent else reply)
    async with bench.line:
        for _ in range(5):
            await bench.poll()
    assert bench.modem._pin_tries == 2


async def test_a_sim_without_our_pin_is_a_fault() -> None:
    bench = Bench(sim_pin="1234")
    async with bench.line:
        (seen,) = await bench.poll()
        assert isinstance(seen, Observation)
        assert seen.fault is Fault.DEVICE_ERROR


@pytest.mark.parametrize(
    "command",
    [
        Command("open", "modem", {"to": TO, "text": "x"}),
        Command("send", "lock:1", {"to": TO, "text": "x"}),
        Command("send", "modem", {"to": "12a", "text": "x"}),
        Command("send", "modem", {"to": f"{TO}\rATD110;", "text": "x"}),
        Command("send", "modem", {"to": f"{TO}\n", "text": "x"}),
        Command("send", "modem", {"to": TO, "text": ""}),
        Command("send", "modem", {"to": TO, "text": "案" * (67 * PARTS_MAX + 1)}),
        Command("send", "modem"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_the_line_is_touched(command: Command) -> None:
    with pytest.raises(DeviceRefused):
        SmsModem(1).command(command)


async def test_the_longest_message_fits_into_one_turn() -> None:
    bench = Bench()
    async with bench.line:
        await bench.poll()
        assert await bench.send("案" * (67 * PARTS_MAX)) is Outcome.ACKNOWLEDGED


def test_a_pin_stands_in_a_file_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "pin"
    site = Site(bus_kind="serial", options={"pin_file": str(file)})
    with pytest.raises(ProfileFault, match="cannot be read"):
        registry.build("sms_modem", site)
    file.write_text("12 34\n")
    with pytest.raises(ProfileFault, match="no PIN"):
        registry.build("sms_modem", site)
    file.write_text("1234\n")
    assert registry.build("sms_modem", site).kind == "sms_modem"


NUMBERS = st.from_regex(r"\A\+?[0-9]{3,20}\Z")
GSM7 = st.text(st.sampled_from(list(alphabet._SEPTETS)), max_size=600)
ANY = st.text(st.characters(exclude_categories=("Cs",)), max_size=300)


@given(NUMBERS, GSM7 | ANY, st.integers(0, 255))
def test_every_text_comes_out_as_it_went_in(to: str, text: str, reference: int) -> None:
    parts = pdu.submits(to, text, reference)
    raw = [pdu.encode_submit(part) for part in parts]
    assert all(len(one) <= 176 for one in raw)
    assert [pdu.decode_submit(one) for one in raw] == parts
    assert "".join(part.text for part in parts) == text


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a" * 160, ["a" * 160]),
        ("a" * 158 + "€", ["a" * 158 + "€"]),
        ("a" * 161, ["a" * 153, "a" * 8]),
        ("a" * 152 + "€" * 5, ["a" * 152, "€" * 5]),
        ("案" * 70, ["案" * 70]),
        ("案" * 71, ["案" * 67, "案" * 4]),
        ("案" * 66 + "😀" * 3, ["案" * 66, "😀" * 3]),
    ],
)
def test_a_text_is_cut_between_letters_and_no_sooner_than_it_must(text: str, parts: list[str]) -> None:
    assert alphabet.split(text) == parts
    assert all(pdu.encode_submit(part) for part in pdu.submits(TO, text, 0))


@given(st.binary(max_size=180))
def test_no_pdu_raises_more_than_a_bad_frame(raw: bytes) -> None:
    for decode in (pdu.decode_submit, pdu.decode_status_report):
        try:
            decode(raw)
        except BadFrame:
            continue


@given(st.binary(max_size=200), st.sampled_from([b"ATE1\r", b"AT+CMGL=4\r", b"0011\x1a"]))
def test_garbage_raises_driver_errors_only(garbage: bytes, request: bytes) -> None:
    for reply in (garbage, garbage + b"\r\nOK\r\n", request + garbage + b"\r\n+CMS ERROR: 38\r\n"):
        length = codec.reply_length(reply, takes_prompt=True)
        assert length is None or 0 < length <= len(reply)
        try:
            result = codec.decode(request, reply)
        except DriverError:
            continue
        codec.stored(result)
        assert result.cms_error in {None, 38}


@given(st.text(alphabet=st.characters(max_codepoint=0x7F), max_size=80))
def test_an_error_with_any_number_is_read_or_not_believed(number: str) -> None:
    for end in (number, f"38{number}", f" {number}8"):
        assert codec.Result((), f"+CMS ERROR:{end}").cms_error in {None, *range(100_000)}


@given(st.binary(max_size=200))
def test_a_modem_survives_garbage(garbage: bytes) -> None:
    modem = SmsModemLine()
    _, used = modem.hear(garbage + b"\r", 0.0)
    assert 0 <= used <= len(garbage) + 1
    assert modem.describe(garbage)


def test_the_echo_of_another_command_is_not_ours() -> None:
    with pytest.raises(UnaskedFrame):
        codec.decode(b"AT+CREG?\r", b"AT+CMGF=0\r\r\nOK\r\n")


def test_a_networks_late_word_is_not_ours() -> None:
    with pytest.raises(UnaskedFrame):
        codec.decode(b"ATE1\r", b"\r\n+CMGS: 12\r\n\r\nOK\r\n")


def test_lines_are_described_in_a_technicians_words() -> None:
    assert (
        SmsModemLine().describe(b"AT+CREG?\r\r\n+CREG: 0,1\r\n\r\nOK\r\n")
        == "AT+CREG? |  | +CREG: 0,1 |  | OK"
    )
