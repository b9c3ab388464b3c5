"""Faults on a real board: settings changed behind the centre's back stand until a watcher settles them."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.support.world import STATION, World

MODULES, CAMERAS = 1, 0


def fault(page: Page, kind: str) -> Any:
    return page.locator(f'[data-testid=fault][data-kind="{kind}"]')


def test_changed_settings_stand_until_a_watcher_says_what_it_was(world: World, open_page: Any) -> None:
    desk, wall = open_page("/desk"), open_page("/wall")
    head = wall.locator(f'[data-testid=station][data-station="{STATION}"]')
    world.edge.stop()
    expect(fault(wall, "service_stopped")).to_contain_text("站点服务停止", timeout=10_000)
    expect(head).to_contain_text("已停止")
    expect(wall.locator("[data-testid=tile]").first).to_contain_text("已停止")
    settings = world.folder / "edge.toml"
    settings.write_text(settings.read_text() + "\n# moved a wire\n")
    world.edge.start()
    for page in (desk, wall):
        changed = fault(page, "settings_changed")
        expect(changed).to_contain_text("站点配置被改动", timeout=30_000)
        expect(changed).to_have_attribute("data-level", "security")
    expect(fault(wall, "service_stopped")).to_have_count(0)
    expect(head.locator('[data-kind="settings_changed"]')).to_be_visible()
    expect(wall.get_by_test_id("settle")).to_have_count(0)
    expect(fault(desk, "simulated").get_by_test_id("settle")).to_have_count(0)
    fault(desk, "settings_changed").get_by_test_id("settle").click()
    desk.get_by_test_id("settle-confirm").click()
    expect(desk.get_by_test_id("settle-dialog"), "a reason is required").to_be_visible()
    desk.get_by_test_id("settle-reason").fill("检修改线，已电话核实")
    desk.get_by_test_id("settle-confirm").click()
    for page in (desk, wall):
        expect(fault(page, "settings_changed")).to_have_count(0, timeout=5_000)


def test_a_grave_fault_is_read_out_once(world: World, open_page: Any) -> None:
    wall = open_page("/wall")
    wall.get_by_test_id("language").first.click()
    world.edge.kill()
    expect(wall.get_by_test_id("announcer")).to_have_text("Test Station: Station lost", timeout=10_000)
    expect(fault(wall, "station_lost")).to_contain_text("connection lost")
    world.edge.start()
    expect(fault(wall, "station_lost")).to_have_count(0, timeout=30_000)
