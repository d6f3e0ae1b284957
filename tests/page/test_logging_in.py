"""Logging in and out, in the language of who does."""

import re

from playwright.async_api import Browser, Page, expect

from tests.page.browsing import check_access, check_width, opened_page, shoot
from tests.testkit.gateway import KEY, Running


async def test_a_stranger_logs_in_with_the_keyboard_alone(
    browser: Browser, gateway: Running
) -> None:
    async with opened_page(browser, gateway, key=None, width=360) as page:
        await page.goto("/?q=news")
        await expect(page).to_have_title("Log in · Stream Tracker")
        await check_access(page)
        await check_width(page)
        await page.keyboard.type("wrong")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("This is not a key of this Stream Tracker")).to_be_visible()
        await check_access(page)
        await shoot(page, "login-wrong-360")
        await page.keyboard.type(KEY)
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(re.compile(r"/\?q=news$"))
        await expect(page.locator("#connection")).to_have_text("Live")


async def test_a_log_out_leaves_nothing_to_see(page: Page) -> None:
    await page.goto("/")
    await page.get_by_role("button", name="Log out").click()
    await expect(page).to_have_url(re.compile("/login"))
    await page.goto("/")
    await expect(page).to_have_title("Log in · Stream Tracker")


async def test_a_link_opens_the_wall_once(browser: Browser, gateway: Running) -> None:
    path = (await gateway.client.post("/api/v1/login-links")).json()["path"]
    async with opened_page(browser, gateway, key=None) as page:
        await page.goto(path)
        await expect(page).to_have_url(re.compile(r":\d+/$"))
        await expect(page).to_have_title("Wall · Stream Tracker")
    async with opened_page(browser, gateway, key=None) as page:
        await page.goto(path)
        await expect(page.get_by_text("was used already")).to_be_visible()


async def test_the_language_is_the_browsers_until_one_is_chosen(
    browser: Browser, gateway: Running
) -> None:
    async with opened_page(browser, gateway, key=None, locale="ja-JP") as page:
        await page.goto("/login")
        await expect(page.get_by_role("heading")).to_have_text("ログイン")
        await shoot(page, "login-ja")
        await page.get_by_role("link", name="Show in English").click()
        await expect(page.get_by_role("heading")).to_have_text("Log in")
        await page.goto("/login")
        await expect(page.locator("html")).to_have_attribute("lang", "en")


async def test_what_does_not_exist_is_said_in_words(page: Page) -> None:
    await page.goto("/monitors/mon-nothing")
    await expect(page.get_by_role("heading")).to_have_text("There is nothing here")
    await check_access(page)
