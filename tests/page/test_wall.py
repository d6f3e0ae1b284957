"""The wall."""

from playwright.async_api import Browser, Page, expect

from tests.page.browsing import WIDTHS, check_access, check_width, opened_page, shoot
from tests.page.seeding import Seeded
from tests.testkit.gateway import Running


async def test_what_needs_attention_comes_first(page: Page, seeded: Seeded) -> None:
    await page.goto("/")
    attention = page.locator("#attention .tile")
    await expect(attention.nth(0)).to_contain_text("Picture is black")
    await expect(attention.nth(0)).to_contain_text("Football, pitch 3")
    await shoot(page, "wall-1400")
    await check_access(page)


async def test_it_fits_each_screen(browser: Browser, gateway: Running, seeded: Seeded) -> None:
    for width in WIDTHS:
        for scheme in ("light", "dark"):
            async with opened_page(browser, gateway, width=width, color_scheme=scheme) as page:
                await page.goto("/")
                await page.locator("body[data-ready]").wait_for()
                await shoot(page, f"wall-{width}-{scheme}")
                await check_width(page)
