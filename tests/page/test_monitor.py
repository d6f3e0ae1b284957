"""The page of one monitor."""

import json
from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from monitors.status import IncidentKind
from tests.page.browsing import (
    VIEWER_KEY,
    WIDTHS,
    check_access,
    check_width,
    opened_page,
    shoot,
)
from tests.page.seeding import AUDIO, LEVELS, VIDEO, Seeded, add_live, break_it, report
from tests.testkit.events import event, put_event
from tests.testkit.gateway import Running

FAILED = {
    "webhook_status": "failed",
    "webhook_attempts": 4,
    "webhook_last_error": "HTTP status 500",
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def monitor_id(gateway: Running) -> str:
    """A monitor that these tests change."""
    return await add_live(gateway, "Studio 1", team="news")


@pytest_asyncio.fixture(loop_scope="session")
async def opened(page: Page, monitor_id: str) -> AsyncIterator[Page]:
    """Its page."""
    await page.goto(f"/monitors/{monitor_id}")
    await page.locator("body[data-ready]").wait_for()
    yield page


async def test_it_says_what_is_wrong_what_the_stream_is_and_how_loud(
    page: Page, seeded: Seeded
) -> None:
    await page.goto(f"/monitors/{seeded.black}")
    await page.locator("body[data-ready]").wait_for()
    heading = page.locator("#heading")
    await expect(heading).to_contain_text("Football, pitch 3")
    await expect(heading).to_contain_text("Fault")
    await expect(heading).to_contain_text("Picture is black")
    facts = page.locator("#facts")
    await expect(facts).to_contain_text("h264 1920×1080, 29.97 fps, 4.80 Mbit/s")
    await expect(facts).to_contain_text("aac stereo, 48 kHz")
    levels = page.locator("#levels")
    for text in ("Left", "-21.5 dBFS", "-22.8 LUFS", "-3.1 dBTP"):
        await expect(levels).to_contain_text(text)
    known = json.loads(await page.locator("#data").text_content() or "")
    assert [level for _, level in known["levels"]] == [-22.8]
    await expect(page.locator(".incident")).to_have_count(1)
    await expect(page.locator("#events tbody tr")).to_have_count(2)


async def test_it_fits_each_screen_and_everybody_can_use_it(
    browser: Browser, gateway: Running, seeded: Seeded
) -> None:
    for width, scheme in zip(WIDTHS, ("light", "dark", "light"), strict=True):
        async with opened_page(browser, gateway, width=width, color_scheme=scheme) as page:
            await page.goto(f"/monitors/{seeded.black}")
            await page.locator("body[data-ready]").wait_for()
            await page.locator("#settings > summary").click()
            await shoot(page, f"monitor-{width}-{scheme}")
            await check_width(page)
            await check_access(page)


async def test_it_stays_current_by_itself(opened: Page, gateway: Running, monitor_id: str) -> None:
    await expect(opened.locator("#heading")).to_contain_text("OK")
    louder = {"video": VIDEO, "audio": AUDIO, "levels": LEVELS | {"channels_dbfs": [-9.5, -12.0]}}
    await report(gateway, monitor_id, media=louder)
    await expect(opened.locator("#levels")).to_contain_text("-9.5 dBFS")
    await break_it(gateway, monitor_id, IncidentKind.FREEZE, ago_sec=90)
    await expect(opened.locator("#heading")).to_contain_text("Picture is frozen")
    await expect(opened.locator(".incident")).to_contain_text("Picture is frozen")


async def test_the_strip_shows_faults_and_zooms_by_keyboard(page: Page, seeded: Seeded) -> None:
    await page.goto(f"/monitors/{seeded.healthy}")
    await page.locator("body[data-ready]").wait_for()
    strip = page.locator("#coverage")
    await expect(strip.get_by_role("button", name="24 h")).to_have_attribute("aria-pressed", "true")
    readout = strip.locator("[data-readout]")
    await expect(readout).to_contain_text("Sound: good 11 h 58 min, faulty 1 min 35 s")
    await expect(readout).to_contain_text("Picture: good 12 h 0 min")
    await expect(strip.get_by_role("link", name="No sound")).to_have_attribute(
        "href", f"#{seeded.past}"
    )
    await strip.locator("svg.strip-lanes").focus()
    for _ in range(5):
        await page.keyboard.press("+")
    await expect(readout).not_to_contain_text("faulty")
    await page.keyboard.press("Home")
    await expect(readout).to_contain_text("faulty 1 min 35 s")


async def test_a_short_fault_is_seen_in_a_day(page: Page, seeded: Seeded) -> None:
    """In 24 h on 1,000 pixels, 4 s are a twentieth of a pixel."""
    await page.goto(f"/monitors/{seeded.healthy}")
    source = await page.locator("script[src*='monitor.js']").get_attribute("src")
    assert source
    found = await page.evaluate(
        """async (source) => {
          const { runs } = await import(source);
          const day = { from: 0, to: 86_400_000 };
          const between = (from, to, condition, kinds = []) => ({ from, to, condition, kinds });
          const intervals = [
            between(0, 43_200_000, "ok"), between(43_200_000, 43_204_000, "faulty", ["silence"]),
            between(43_204_000, 86_400_000, "ok"),
          ];
          const parts = (run) => [run.x, run.width, run.condition];
          return ["video", "audio"].map((lane) => runs(lane, intervals, day, 1000).map(parts));
        }""",
        source.replace("monitor.js", "coverage.js"),
    )
    assert found == [
        [[0, 1000, "ok"]],
        [[0, 500, "ok"], [500, 3, "faulty"], [503, 497, "ok"]],
    ]


async def test_a_threshold_changes_by_keyboard_and_a_bad_one_says_why(
    opened: Page, gateway: Running, monitor_id: str
) -> None:
    await opened.locator("#settings > summary").focus()
    await opened.keyboard.press("Enter")
    field = opened.get_by_label("Black picture")
    await field.fill("100000")
    await opened.keyboard.press("Enter")
    problem = opened.locator("[id='config.blackout_threshold_sec-problem']")
    await expect(problem).to_contain_text("At most 86400.")
    await expect(field).to_be_focused()
    await expect(field).to_have_attribute("aria-invalid", "true")
    await field.fill("12.5")
    await opened.keyboard.press("Enter")
    await expect(opened.locator("#settings-form [data-outcome]")).to_have_text(
        "Saved. The changes are in force."
    )
    (change,) = [each for changed, each in gateway.engine.changes if changed == monitor_id]
    assert change.thresholds == {"blackout_threshold_sec": 12.5}
    await expect(opened.locator("#settings-now")).to_contain_text("Black picture 12.5 s")


async def test_a_failed_webhook_is_sent_again(
    opened: Page, gateway: Running, monitor_id: str
) -> None:
    await put_event(gateway, monitor_id, event(monitor_id, 3, **FAILED))
    await opened.reload()
    row = opened.locator("#events tbody tr", has_text="HTTP status 500")
    await expect(row).to_contain_text("Not delivered")
    await expect(row).to_contain_text("4 attempts")
    await row.get_by_role("button", name="Send again").click()
    await expect(opened.locator("#notices")).to_contain_text("It is being sent again.")
    assert [each.event_id for each in gateway.engine.redelivered] == ["evt-3"]


async def test_stopping_is_asked_for_twice(page: Page, gateway: Running) -> None:
    stopped = await add_live(gateway, "Soon over")
    await page.goto(f"/monitors/{stopped}")
    await page.get_by_role("button", name="Stop monitoring…").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Stop monitoring Soon over?")
    await expect(dialog.get_by_role("button", name="Keep monitoring")).to_be_focused()
    await page.keyboard.press("Escape")
    assert gateway.engine.cancelled == []
    await page.get_by_role("button", name="Stop monitoring…").click()
    await dialog.get_by_role("button", name="Stop monitoring").click()
    await expect(page.locator("#heading")).to_contain_text("Stopped")
    assert gateway.engine.cancelled == [stopped]
    await page.locator("#settings > summary").click()
    await expect(page.get_by_label("Black picture")).to_be_disabled()


async def test_who_may_only_read_is_told_so(viewer: Page, seeded: Seeded) -> None:
    await viewer.goto(f"/monitors/{seeded.black}")
    await expect(viewer.get_by_role("button", name="Stop monitoring…")).to_have_count(0)
    await expect(viewer.get_by_role("button", name="Send again")).to_have_count(0)
    await viewer.locator("#settings > summary").click()
    await expect(viewer.locator("#settings")).to_contain_text("may only read")
    await expect(viewer.get_by_label("Black picture")).to_be_disabled()


async def test_it_leads_into_temporal(opened: Page, monitor_id: str) -> None:
    link = opened.get_by_role("link", name="Open in Temporal")
    await expect(link).to_have_attribute(
        "href", f"http://temporal.example/namespaces/default/workflows/{monitor_id}"
    )


async def test_it_speaks_japanese(browser: Browser, gateway: Running, seeded: Seeded) -> None:
    async with opened_page(browser, gateway, key=VIEWER_KEY, locale="ja-JP") as page:
        await page.goto(f"/monitors/{seeded.black}")
        await page.locator("body[data-ready]").wait_for()
        await expect(page.locator("#heading")).to_contain_text("映像が真っ黒です")
        await expect(page.locator("#coverage")).to_contain_text("異常")
        await shoot(page, "monitor-ja")


async def test_a_monitor_that_does_not_exist(page: Page) -> None:
    answer = await page.goto("/monitors/mon-019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b")
    assert answer
    assert answer.status == 404
    await expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
