"""The simulators' control page in a real browser: devices touched, cables spoiled and healed, all by hand.

A scenario of its own on free ports; this test is the host on the Modbus cable.
"""

import json
import os
import re
import select
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

from tests.support.api import Http
from tests.support.eventually import eventually
from tests.support.mosquitto import await_listener
from tests.support.ports import free_ports
from tests.support.processes import CASEWATCH, Process

DOOR, WIRE, TAMPER = "t.r1.door", "t.r1.wire", "t.r1.tamper"
READ_INPUTS = bytes.fromhex("0001 0000 0006 01 02 0000 0010")
"""Modbus TCP: the 16 discrete inputs of unit 1."""
SCENARIO = """
record = ""
point = ["t.r1.wire", "t.r1.tamper"]
[control]
port = {control}
[[station]]
id = "t"
name = {{ zh = "测试派出所", en = "Test Station" }}
[[station.room]]
id = "t.r1"
name = {{ zh = "讯问室", en = "Interrogation" }}
camera = false
[[cable]]
id = "io"
speaks = "modbus-tcp"
tcp = {modbus}
[[device]]
id = "io1"
cable = "io"
make = "moxa-e1210"
wires = {{ 0 = "t.r1.door", 1 = "t.r2.door" }}
[[cable]]
id = "cabinet"
speaks = "lock-8a"
pty = "pty-cabinet"
[[device]]
id = "cab"
cable = "cabinet"
make = "lock-8a"
cabinet = "t.cab1"
slots = 4
[[cable]]
id = "shelf"
speaks = "rfid-m100"
pty = "pty-shelf"
[[device]]
id = "shelf"
cable = "shelf"
make = "m100"
wires = {{ E28011700000020A1B2C3D01 = "t.shelf.item" }}
[[cable]]
id = "sms"
speaks = "at"
pty = "pty-sms"
[[device]]
id = "modem"
cable = "sms"
make = "sms-modem"
[[cable]]
id = "hall"
speaks = "osdp"
pty = "pty-hall"
[[device]]
id = "reader"
cable = "hall"
make = "osdp-reader"
key = "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
[[cable]]
id = "lens"
speaks = "onvif"
tcp = {onvif}
[[device]]
id = "lens"
cable = "lens"
make = "onvif-camera"
room = "t.r1"
user = "viewer"
password = "not-a-secret"
"""
GET_CLOCK = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>'
    '<GetSystemDateAndTime xmlns="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>'
)
OSDP_ID = bytes.fromhex("53 01 09 00 04 61 00 60 23")
"""The question who reader 1 is, from the vectors of the contract tests."""

# What a person reads or hears of each control; an option is one of many and is read with its list.
NAMES = """
[...document.querySelectorAll('button, select, option, summary, label, h1, h2, h4, [aria-label]')]
  .filter((e) => e.checkVisibility() || e.tagName === 'OPTION')
  .filter((e) => !e.closest('#cables') || e.id)
  .map((e) => e.getAttribute('aria-label') ?? e.textContent)
"""


class Bench:
    """The running simulators, their control, and the host's end of the Modbus cable."""

    def __init__(self, folder: Path) -> None:
        self.control_port, self.modbus_port, self.onvif_port = free_ports(3)
        text = SCENARIO.format(control=self.control_port, modbus=self.modbus_port, onvif=self.onvif_port)
        (folder / "bench.toml").write_text(text)
        self.folder = folder
        self.process = Process("sim", [*CASEWATCH, "sim", "run", "bench.toml"], folder)
        self.control = Http(f"http://127.0.0.1:{self.control_port}")

    def value(self, point: str) -> str:
        points = self.control.get("/points")["points"]
        return str(next(entry["value"] for entry in points if entry["id"] == point))

    def faults(self) -> list[dict[str, Any]]:
        return list(self.control.get("/faults")["active"])

    def read_inputs(self) -> bytes:
        """One exchange as a driver has it; empty where no answer comes within half a second."""
        with closing(socket.create_connection(("127.0.0.1", self.modbus_port), timeout=5)) as line:
            line.settimeout(0.5)
            line.sendall(READ_INPUTS)
            try:
                return line.recv(64)
            except TimeoutError:
                return b""

    def ask_reader(self) -> bytes:
        """The card reader's answer to who it is; empty where none comes within half a second."""
        line = os.open(self.folder / "pty-hall", os.O_RDWR | os.O_NOCTTY)
        try:
            os.write(line, OSDP_ID)
            return os.read(line, 64) if select.select([line], [], [], 0.5)[0] else b""
        finally:
            os.close(line)

    def ask_camera(self) -> int:
        address = f"http://127.0.0.1:{self.onvif_port}/onvif/device_service"
        with urllib.request.urlopen(address, GET_CLOCK.encode(), timeout=5) as answer:
            return int(answer.status)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = Bench(tmp_path_factory.mktemp("bench"))
    made.process.start()
    try:
        await_listener(made.control_port)
        yield made
    finally:
        made.control.close()
        made.process.stop()


@pytest.fixture
def page(browser: Browser, bench: Bench) -> Iterator[Page]:
    """The page, fresh and at rest; whatever the console said against it fails the test."""
    for point in bench.control.get("/points")["points"]:
        bench.control.post(f"/points/{point['id']}", {"value": point["values"][0]})
    bench.control.post("/faults/heal", {})
    bench.control.post("/cables/io", {"online": True})
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        is_refusal = "the server responded with a status of 422" in message.text
        if message.type in {"error", "warning"} and not is_refusal:
            complaints.append(message.text)

    context = browser.new_context(viewport={"width": 1600, "height": 1000}, locale="zh-CN")
    opened = context.new_page()
    opened.on("console", note)
    opened.on("pageerror", lambda fault: complaints.append(str(fault)))
    opened.goto(bench.control.address)
    expect(opened.locator("[data-cable]")).to_have_count(6)
    yield opened
    context.close()
    assert complaints == []


def test_a_click_on_a_contact_moves_it_in_the_plant_and_on_the_cable(page: Page, bench: Bench) -> None:
    at_rest = bench.read_inputs()
    contact = page.locator(f"button.contact[data-point='{DOOR}']")
    contact.click()
    expect(contact).to_contain_text("门开")
    assert bench.value(DOOR) == "open"
    assert bench.read_inputs() != at_rest
    expect(page.locator("#abnormal-list")).to_contain_text("讯问室 门 开")
    expect(page.locator("#newest")).to_contain_text("Interrogation door open")
    contact.click()
    expect(page.locator("#abnormal")).to_contain_text("nothing abnormal")


def test_what_moves_by_itself_is_shown_too(page: Page, bench: Bench) -> None:
    bench.control.post("/points/t.cab1.s02.lock", {"value": "open"})
    expect(page.locator(".slot.open")).to_have_count(1)
    expect(page.locator(".slot.open")).to_contain_text("锁开")


def test_a_supervised_contact_has_its_wire_and_its_magnet_beside_it(page: Page, bench: Bench) -> None:
    wire = page.locator(f"[data-point='{WIRE}']")
    wire.get_by_role("button", name="断线 cut").click()
    expect(wire.get_by_role("button", name="断线 cut")).to_have_attribute("aria-pressed", "true")
    assert bench.value(WIRE) == "cut"
    page.locator(f"[data-point='{TAMPER}']").click()
    eventually(lambda: bench.value(TAMPER) == "tripped", 5, "the magnet")


def test_a_dossier_leaves_its_slot_and_a_tag_the_field(page: Page, bench: Bench) -> None:
    page.locator(".slot").nth(2).locator(".point").click()
    expect(page.locator(".slot").nth(2)).to_have_class(re.compile("empty"))
    assert bench.value("t.cab1.s03.item") == "absent"
    page.locator(".tag").click()
    expect(page.locator(".tag")).to_contain_text("out of the field")
    assert bench.value("t.shelf.item") == "absent"


def test_a_fault_from_the_page_strikes_a_frame_that_shows_it_and_is_healed(page: Page, bench: Bench) -> None:
    cable = page.locator("[data-cable=io]")
    cable.locator("[name=kind]").select_option("lost")
    cable.locator("[name=unit]").select_option("1")
    cable.locator(".inject-button").click()
    listed = cable.locator(".active-faults li")
    expect(listed).to_contain_text("unit 1, every frame, until healed")
    expect(page.locator("#abnormal-list")).to_contain_text("io: 无应答")
    assert [(fault["cable"], fault["kind"]) for fault in bench.faults()] == [("io", "lost")]

    assert bench.read_inputs() == b""
    struck = cable.locator(".frames li.faulted").last
    expect(struck).to_contain_text("⚠ 无应答 no reply")
    expect(cable.locator(".frames li.out").last).to_contain_text("read 16 discrete inputs")
    cable.get_by_label("只看坏帧").check()
    expect(cable.locator(".frames li.out").last).to_be_hidden()

    listed.get_by_role("button", name="恢复 heal").click()
    expect(listed).to_have_count(0)
    assert bench.faults() == []
    assert bench.read_inputs() != b""


def test_a_cable_offers_only_what_it_can_have_and_each_fault_its_own_number(page: Page, bench: Bench) -> None:
    serial = page.locator("[data-cable=cabinet] [name=kind]")
    expect(serial.locator("option[value=half_open]")).to_have_count(0)
    expect(serial.locator("option[value=exception]")).to_have_count(0)
    cable = page.locator("[data-cable=io]")
    expect(cable.locator("[name=code]")).to_be_hidden()
    cable.locator("[name=kind]").select_option("exception")
    cable.locator("[name=code]").fill("6")
    cable.locator(".inject-button").click()
    expect(cable.locator(".active-faults li")).to_have_count(1)
    assert bench.read_inputs()[7:] == bytes([0x82, 6])


def test_every_nth_frame_is_struck_so_often_and_no_more(page: Page, bench: Bench) -> None:
    cable = page.locator("[data-cable=io]")
    cable.locator("[name=kind]").select_option("lost")
    cable.locator("[name=every]").fill("2")
    cable.locator("[name=count]").fill("1")
    cable.locator(".inject-button").click()
    expect(cable.locator(".active-faults li")).to_contain_text("每 2 帧一次，还剩 1 次")
    answers = [bool(bench.read_inputs()) for _ in range(4)]
    assert answers == [True, False, True, True]
    expect(cable.locator(".active-faults li")).to_have_count(0)


def test_a_kind_shows_the_numbers_it_uses_and_sends_no_other(page: Page, bench: Bench) -> None:
    cable = page.locator("[data-cable=io]")
    fields = {name: cable.locator(f"[name={name}]") for name in ("unit", "every", "p", "count", "ms", "code")}

    def choose(kind: str, shown: set[str]) -> None:
        cable.locator("[name=kind]").select_option(kind)
        for name, field in fields.items():
            expect(field).to_be_visible(visible=name in shown)

    def inject() -> dict[str, Any]:
        with page.expect_request("**/faults") as asked:
            cable.locator(".inject-button").click()
        sent: dict[str, Any] = json.loads(asked.value.post_data or "")
        return sent

    of_replies = {"unit", "every", "p", "count"}
    choose("exception", of_replies | {"code"})
    fields["code"].fill("6")
    assert inject() == {"cable": "io", "kind": "exception", "p": 1, "count": 0, "code": 6}
    expect(cable.locator(".active-faults li")).to_contain_text("code 6, all units, every frame")
    assert bench.read_inputs()[-2:] == bytes([0x82, 6])
    cable.locator(".active-faults button").click()
    expect(cable.locator(".active-faults li")).to_have_count(0)

    choose("late", of_replies | {"ms"})
    fields["ms"].fill("250")
    fields["p"].fill("50")
    assert inject() == {"cable": "io", "kind": "late", "p": 0.5, "count": 0, "ms": 250}
    expect(cable.locator(".active-faults li")).to_contain_text("250 ms, all units, chance 50 %")
    fields["every"].fill("2")
    expect(fields["p"]).to_be_hidden()

    choose("half_open", set())
    assert inject() == {"cable": "io", "kind": "half_open"}
    expect(cable.locator("[data-fault=half_open]")).to_contain_text("TCP half open, whole line, until healed")
    assert cable.locator("[name=kind] optgroup").last.locator("option").count() == 6


def test_a_fault_that_this_cable_cannot_have_is_not_offered(page: Page, bench: Bench) -> None:
    kinds = page.locator("[data-cable=cabinet]").locator("[name=kind]")
    expect(kinds.locator("option[value=check]")).to_have_count(1)
    expect(kinds.locator("option[value=exception]")).to_have_count(0)
    assert bench.faults() == []


def test_card_readers_have_frames_and_faults_as_every_cable(page: Page, bench: Bench) -> None:
    cable = page.locator("[data-cable=hall]")
    cable.scroll_into_view_if_needed()
    assert bench.ask_reader()
    expect(cable.locator(".frames li.out").last).to_contain_text("who are you to reader 1")
    expect(cable.locator(".frames li.back").last).to_contain_text("identification from reader 1")
    cable.locator("[name=kind]").select_option("lost")
    cable.locator(".inject-button").click()
    expect(cable.locator(".active-faults li")).to_have_count(1)
    assert bench.ask_reader() == b""
    expect(cable.locator(".frames li.faulted")).to_contain_text("⚠ 无应答 no reply")
    cable.locator(".active-faults button").click()
    expect(cable.locator(".active-faults li")).to_have_count(0)
    assert bench.ask_reader()


def test_a_network_camera_shows_what_it_was_asked_and_no_fault_switches(page: Page, bench: Bench) -> None:
    cable = page.locator("[data-cable=lens]")
    cable.scroll_into_view_if_needed()
    assert bench.ask_camera() == 200
    expect(cable.locator(".frames li.out").last).to_contain_text("GetSystemDateAndTime")
    expect(cable.locator(".frames li.back").last).to_contain_text("GetSystemDateAndTime: answered")
    expect(cable.locator(".inject")).to_have_count(0)


def test_an_unplugged_cable_is_silent_and_says_so_in_words(page: Page, bench: Bench) -> None:
    plug = page.locator("[data-cable=io] .plug")
    plug.click()
    expect(plug).to_contain_text("✕ 已拔下 unplugged")
    expect(page.locator("#abnormal-list")).to_contain_text("io 已拔下")
    with pytest.raises(OSError):
        bench.read_inputs()
    plug.click()
    expect(plug).to_contain_text("已插好 plugged in")
    assert bench.read_inputs()


def test_the_acts_of_many_locks_are_one_choice(page: Page) -> None:
    acts = page.locator("[data-device=cab] .acts")
    expect(acts.locator("select option")).to_have_count(4)
    acts.locator("select").select_option("3")
    with page.expect_request("**/devices/cab/acts") as asked:
        acts.get_by_role("button", name="用钥匙开").click()
    assert json.loads(asked.value.post_data or "") == {"act": "key lock:3"}
    expect(page.locator(".slot.open")).to_contain_text("03")


def test_everything_can_be_done_from_the_keyboard(page: Page, bench: Bench) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    _tab_to(page, page.locator(f"button.contact[data-point='{DOOR}']"))
    page.keyboard.press("Space")
    expect(page.locator(f"button.contact[data-point='{DOOR}']")).to_contain_text("门开")
    assert bench.value(DOOR) == "open"
    page.keyboard.press("Enter")
    eventually(lambda: bench.value(DOOR) == "closed", 5, "the door")
    _tab_to(page, page.locator("[data-cable=io] .inject-button"))
    page.keyboard.press("Enter")
    expect(page.locator("[data-cable=io] .active-faults li")).to_have_count(1)
    _tab_to(page, page.locator("[data-cable=io] .active-faults button"))
    page.keyboard.press("Enter")
    eventually(lambda: bench.faults() == [], 5, "the healing")
    expect(page.locator("[data-cable=io] .inject-button")).to_be_focused()


def test_a_chip_of_the_overview_leads_to_what_it_names(page: Page, bench: Bench) -> None:
    bench.control.post("/points/t.shelf.item", {"value": "absent"})
    page.locator("#abnormal-list button").click()
    expect(page.locator(".tag")).to_be_focused()
    expect(page.locator(".tag")).to_be_in_viewport()


def test_every_name_is_chinese_and_english(page: Page, bench: Bench) -> None:
    for point in (DOOR, WIRE, TAMPER, "t.cab1.s01.lock", "t.cab1.s01.item", "t.shelf.item"):
        entry = next(e for e in bench.control.get("/points")["points"] if e["id"] == point)
        bench.control.post(f"/points/{point}", {"value": entry["values"][1]})
    bench.control.post("/faults", {"cable": "io", "kind": "late", "every": 3})
    expect(page.locator(".active-faults li")).to_have_count(1)
    expect(page.locator(".slot.open")).to_have_count(1)
    names = page.evaluate(NAMES)
    assert len(names) > 80
    assert [
        n for n in names if not re.search(r"[\u4e00-\u9fff]", n) or not re.search(r"[A-Za-z]{2}", n)
    ] == []


def test_a_refusal_is_told(page: Page, bench: Bench) -> None:
    cable = page.locator("[data-cable=io]")
    cable.locator("[name=unit] option").last.evaluate("option => { option.value = '9' }")
    cable.locator("[name=unit]").select_option("9")
    cable.locator(".inject-button").click()
    expect(page.get_by_role("alert")).to_contain_text("没有做成 not done: unit 9")
    assert bench.faults() == []


def test_simulators_that_are_gone_are_not_shown_as_if_they_were_there(
    browser: Browser, tmp_path: Path
) -> None:
    bench = Bench(tmp_path)
    bench.process.start()
    await_listener(bench.control_port)
    with closing(browser.new_context()) as context:
        page = context.new_page()
        page.goto(bench.control.address)
        expect(page.locator("#link")).to_contain_text("connected")
        bench.control.close()
        bench.process.stop()
        expect(page.locator("#link")).to_contain_text("没有应答", timeout=10_000)
        expect(page.locator("body")).to_have_class("lost")


def _tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until `wanted` has the focus, as a person without a mouse does."""
    handle = wanted.element_handle()
    for _ in range(200):
        if page.evaluate("(wanted) => document.activeElement === wanted", handle):
            return
        page.keyboard.press("Tab")
    raise AssertionError("the keyboard does not get there")
