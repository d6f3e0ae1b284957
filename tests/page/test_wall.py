"""The wall."""

import io
import re
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.async_api import Browser, Locator, Page, expect

from api.store.reconciliation import SILENCES
from api.store.silences import SilenceRecord
from monitors.status import IncidentKind
from tests.page.browsing import WIDTHS, check_access, check_width, opened_page, shoot
from tests.page.seeding import Seeded, add_live, break_it, report
from tests.testkit.events import end_of, put_event
from tests.testkit.gateway import Running, running_gateway
from tests.testkit.ports import free_port

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def tile_of(page: Page, name: str) -> Locator:
    return page.locator(".tile").filter(has_text=name)


async def send_picture(gateway: Running, monitor_id: str, *, ago: timedelta, size: int) -> None:
    """Send a red picture, `size` pixels wide."""
    file = io.BytesIO()
    Image.new("RGB", (size, size * 9 // 16), "#b02010").save(file, "JPEG")
    answer = await gateway.worker.put(
        f"/internal/v1/monitors/{monitor_id}/picture",
        content=file.getvalue(),
        headers={"X-Taken-At": (datetime.now(UTC) - ago).isoformat(), "Content-Type": "image/jpeg"},
    )
    assert answer.status_code == 204, answer.text
    await report(gateway, monitor_id)  # the list says that there is a picture


async def test_what_needs_attention_comes_first(page: Page, seeded: Seeded) -> None:
    await page.goto("/")
    attention = page.locator("#attention .tile")
    await expect(attention).to_have_count(3)
    for position, words in enumerate(("Picture is black", "A sound channel", "Acknowledged")):
        await expect(attention.nth(position)).to_contain_text(words)
    await expect(attention.nth(0)).to_contain_text("2 min")
    await expect(page.locator("#others .tile")).to_have_count(2)
    await expect(page.locator("#counts")).to_have_text(re.compile("2 with faults.*1 OK"))
    await expect(tile_of(page, "News 24").locator(".meter")).to_have_count(2)
    await expect(tile_of(page, "Evening concert")).to_contain_text("Waiting for the stream")
    await check_access(page)


async def test_it_fits_each_screen(page: Page, seeded: Seeded) -> None:
    await page.goto("/")
    await page.locator("body[data-ready]").wait_for()
    for width, height in WIDTHS.items():
        await page.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme)
            await check_width(page)
            await shoot(page, f"wall-{width}-{scheme}")
        await check_access(page)


async def test_it_shows_what_happens_as_it_happens(page: Page, gateway: Running) -> None:
    await page.goto("/")
    await page.get_by_role("button", name="Sound alarm").click()
    await expect(page.locator("#sound")).to_have_attribute("data-sounded", "1")
    await expect(page.locator("#connection")).to_have_text("Live")
    monitor_id = await add_live(gateway, "Live and well")
    await expect(tile_of(page, "Live and well")).to_have_attribute("data-state", "ok")
    await break_it(gateway, monitor_id, IncidentKind.SILENCE, ago_sec=31)
    broken = page.locator("#attention .tile").filter(has_text="Live and well")
    await expect(broken).to_contain_text("No sound")
    await expect(page.locator("#sound")).to_have_attribute("data-sounded", "2")
    await expect(page.locator("#announcements")).to_have_text("Live and well: No sound")
    await gateway.client.delete(f"/api/v1/monitors/{monitor_id}")
    await expect(tile_of(page, "Live and well")).to_have_count(0)


async def test_what_is_silenced_is_calm_and_comes_after_what_is_not(
    page: Page, gateway: Running, seeded: Seeded
) -> None:
    ends_at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    body = {"monitor_ids": [seeded.black], "ends_at": ends_at}
    made = (await gateway.client.post("/api/v1/silences", json=body)).json()
    await page.goto("/")
    tile = tile_of(page, "Football")
    await expect(tile).to_contain_text("Picture is black · Silenced")
    await expect(tile).to_have_attribute("data-muted", "true")
    await expect(page.locator("#attention .tile").nth(0)).to_contain_text("A sound channel")
    await gateway.client.delete(f"/api/v1/silences/{made['silence_id']}")


async def test_the_last_of_many_silences_counts(
    page: Page, gateway: Running, seeded: Seeded
) -> None:
    await page.clock.install()
    await page.goto("/")
    tile = tile_of(page, "Football")
    await expect(tile).to_contain_text("Picture is black")
    now = datetime.now(UTC)
    for number in range(201):
        silence = SilenceRecord(
            silence_id=f"sil-{number}",
            monitor_ids=[seeded.black if number == 200 else "mon-of-another-time"],
            labels=None,
            kinds=None,
            starts_at=now,
            ends_at=now + timedelta(hours=1, seconds=number),
            note=None,
            created_at=now,
        )
        await gateway.store.silences.add(silence)
    await page.clock.fast_forward(31_000)
    await expect(tile).to_have_attribute("data-muted", "true")
    await gateway.store.reconciliation.remove(SILENCES, now + timedelta(hours=2), 1000)


async def test_a_fault_that_ends_leaves_its_place(page: Page, gateway: Running) -> None:
    monitor_id = await add_live(gateway, "Comes back")
    await break_it(gateway, monitor_id, IncidentKind.FREEZE, ago_sec=61)
    await page.goto("/")
    tile = tile_of(page, "Comes back")
    await expect(tile).to_have_attribute("data-state", "error")
    shown = (await gateway.client.get(f"/api/v1/incidents?monitor_id={monitor_id}")).json()
    began = datetime.fromisoformat(shown["incidents"][0]["started_at"])
    await put_event(gateway, monitor_id, end_of(monitor_id, IncidentKind.FREEZE, began, 62.0))
    await report(gateway, monitor_id)
    await expect(page.locator("#others .tile").filter(has_text="Comes back")).to_have_attribute(
        "data-state", "ok"
    )
    await gateway.client.delete(f"/api/v1/monitors/{monitor_id}")


async def test_a_filter_is_a_part_of_the_address(page: Page, seeded: Seeded) -> None:
    await page.goto("/")
    tiles = page.locator(".tile")
    await page.get_by_label("Filter").fill("foot")
    await expect(tiles).to_have_count(1)
    await expect(page).to_have_url(re.compile(r"\?q=foot$"))
    await page.get_by_label("Filter").fill("")
    await page.get_by_label("Label", exact=True).select_option("team:news")
    await expect(tiles).to_have_count(2)
    await page.reload()
    await expect(tiles).to_have_count(2)
    await page.get_by_label("Filter").fill("nothing has this name")
    await expect(page.get_by_text("No monitor matches the filter")).to_be_visible()
    await page.get_by_role("button", name="Clear the filter").click()
    await expect(tiles).to_have_count(5)


async def test_the_wall_alone(page: Page, seeded: Seeded) -> None:
    await page.goto("/")
    await page.locator("body[data-ready]").wait_for()
    await page.keyboard.press("f")
    await expect(page.locator("header")).to_be_hidden()
    await expect(page.get_by_label("Filter")).to_be_hidden()
    await shoot(page, "wall-alone")
    await page.keyboard.press("f")
    await expect(page.locator("header")).to_be_visible()


async def test_a_picture_is_scaled_to_its_tile_and_an_old_one_says_so(
    page: Page, gateway: Running, seeded: Seeded
) -> None:
    await send_picture(gateway, seeded.healthy, ago=timedelta(0), size=1280)
    await send_picture(gateway, seeded.waiting, ago=timedelta(0), size=320)
    await send_picture(gateway, seeded.silent, ago=timedelta(minutes=5), size=320)
    await page.goto("/")
    tile = tile_of(page, "News 24")
    await expect(tile).to_have_attribute("data-picture", "fresh")
    width, red = await tile.locator("canvas").evaluate(
        """(one) => [one.width, one.getContext("2d").getImageData(9, 9, 1, 1).data[0]]"""
    )
    assert width <= 640
    assert red > 150
    old = tile_of(page, "Radio One")
    await expect(old).to_have_attribute("data-picture", "stale")
    await expect(old).to_contain_text("Picture from 5 min ago")
    await expect(tile_of(page, "Football")).to_contain_text("No picture yet")


async def test_tiles_lead_to_their_monitors_by_keyboard(page: Page, seeded: Seeded) -> None:
    await page.goto("/")
    await page.get_by_label("Filter").fill("foot")
    await expect(page.locator(".tile")).to_have_count(1)
    while "tile-link" not in (await page.evaluate("document.activeElement.className")):
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(f"/monitors/{seeded.black}$"))


async def test_who_may_only_read_is_told_so(viewer: Page, seeded: Seeded) -> None:
    await viewer.goto("/")
    await expect(viewer.get_by_text("Read only")).to_be_visible()
    await expect(viewer.locator(".tile")).to_have_count(5)
    await expect(viewer.get_by_role("link", name="New monitor")).to_have_count(0)


async def test_a_lost_connection_greys_the_wall_until_it_is_back(
    browser: Browser, tmp_path: Path
) -> None:
    url, port = f"sqlite:///{tmp_path}/gateway.db", free_port()
    async with AsyncExitStack() as stack:
        async with running_gateway(url, port=port, data_dir=tmp_path) as gateway:
            page = await stack.enter_async_context(opened_page(browser, gateway))
            await page.goto("/")
            await expect(page.get_by_text("Nothing is monitored yet")).to_be_visible()
            await check_access(page)
            await add_live(gateway, "News 24")
            await expect(tile_of(page, "News 24")).to_be_visible()
        await expect(page.get_by_text("The connection was lost")).to_be_visible(timeout=20_000)
        await expect(page.locator("body")).to_have_class(re.compile("stale"))
        await shoot(page, "wall-lost")
        async with running_gateway(url, port=port, data_dir=tmp_path) as gateway:
            await add_live(gateway, "Meanwhile")
            await expect(tile_of(page, "Meanwhile")).to_be_visible(timeout=30_000)
            await expect(page.locator("body")).not_to_have_class(re.compile("stale"))
            await expect(page.locator("#connection")).to_have_text("Live")
