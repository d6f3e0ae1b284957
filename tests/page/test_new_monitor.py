"""The page for a new monitor."""

from playwright.async_api import Browser, Page, expect

from tests.page.browsing import WIDTHS, check_access, check_width, opened_page, shoot
from tests.testkit.gateway import FORBIDDEN_HOST, Running

STREAM = "https://media.example/new.m3u8"
HOOK = "https://receiver.example/hook"


async def test_it_fits_each_screen_and_everybody_can_use_it(
    browser: Browser, gateway: Running
) -> None:
    for width in WIDTHS:
        async with opened_page(browser, gateway, width=width) as page:
            await page.goto("/new")
            await page.get_by_text("Thresholds and times").click()
            await shoot(page, f"new-{width}")
            await check_width(page)
            await check_access(page)


async def test_a_monitor_is_made_by_keyboard_alone(page: Page, gateway: Running) -> None:
    await gateway.client.post(
        "/api/v1/destinations",
        json={"name": "On-call", "type": "webhook", "url": "https://receiver.example/on-call"},
    )
    await page.goto("/new")
    await page.keyboard.type(STREAM)  # the first field has the focus
    await page.keyboard.press("Tab")
    await page.keyboard.type("Evening news")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await page.get_by_label("Labels").focus()
    await page.keyboard.type("team: news\nregion: north")
    await page.get_by_label("Name").focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/monitors/mon-*")
    made = await gateway.show(page.url.rpartition("/")[2])
    assert (made["stream_url"], made["name"]) == (STREAM, "Evening news")
    assert made["labels"] == {"team": "news", "region": "north"}
    assert len(made["destinations"]) == 1
    assert made["callback_url"] is None


async def test_what_was_typed_is_there_after_making_a_destination(page: Page) -> None:
    await page.goto("/new")
    await page.get_by_label("Address of the stream").fill("https://media.example/kept.m3u8")
    await page.get_by_label("Labels").fill("team: news")
    await page.get_by_label("Evidence").select_option("pictures and a clip")
    await page.get_by_role("link", name="New destination").click()
    await page.get_by_label("Name").fill("Night shift")
    await page.get_by_label("URL that takes the POST").fill("https://receiver.example/night")
    await page.get_by_role("button", name="Create").click()
    await page.get_by_role("link", name="I have copied it").click()
    await expect(page.get_by_label("Night shift")).to_be_checked()
    await expect(page.get_by_label("Address of the stream")).to_have_value(
        "https://media.example/kept.m3u8"
    )
    await expect(page.get_by_label("Labels")).to_have_value("team: news")
    await expect(page.get_by_label("Evidence")).to_have_value("clip")
    await page.get_by_role("button", name="Start monitoring").click()
    await page.wait_for_url("**/monitors/mon-*")
    await page.goto("/new")
    await expect(page.get_by_label("Address of the stream")).to_have_value("")


async def test_a_person_in_japan_is_told_in_japanese_what_is_refused(
    browser: Browser, gateway: Running
) -> None:
    async with opened_page(browser, gateway, locale="ja-JP") as page:
        await page.goto("/new")
        send, stream = page.get_by_role("button", name="監視を開始"), page.locator("#stream_url")
        problem = page.locator("#stream_url-problem")
        for address, reason in {
            "": "入力してください。",
            "media.example": "https:// または http:// で始まる",
            "https://youtube.com/@handle": "個別の動画の URL",
            f"https://{FORBIDDEN_HOST}/a.m3u8": "ホストが見つからないか",
        }.items():
            await stream.fill(address)
            await page.locator("#callback_url").fill(HOOK)
            await send.click()
            await expect(problem).to_contain_text(reason)
        await page.locator("#labels").fill("Team A: x")
        await stream.fill(STREAM)
        await send.click()
        await expect(page.locator("#labels-problem")).to_contain_text("英小文字")


async def test_what_is_refused_is_said_at_its_field(page: Page, gateway: Running) -> None:
    await page.goto("/new")
    send = page.get_by_role("button", name="Start monitoring")
    stream = page.get_by_label("Address of the stream")
    await send.click()
    await expect(page.locator("#stream_url-problem")).to_be_visible()
    await stream.fill(f"https://{FORBIDDEN_HOST}/live.m3u8")
    await page.get_by_label("Webhook address").fill(HOOK)
    await send.click()
    await expect(page.locator("#stream_url-problem")).to_contain_text("not allowed")
    await expect(stream).to_be_focused()
    await stream.fill("https://media.example/other.m3u8")
    await page.get_by_text("Thresholds and times").click()
    silence = page.get_by_label("Silence is below")
    await silence.fill("5")
    await page.get_by_text("Thresholds and times").click()
    await send.click()
    await expect(page.locator("[id='config.silence_db_threshold-problem']")).to_be_visible()
    await expect(silence).to_be_focused()


async def test_a_stream_that_is_watched_already_leads_to_its_monitor(
    page: Page, gateway: Running
) -> None:
    known = await gateway.created_id(stream_url="https://media.example/known.m3u8")
    await page.goto("/new")
    await page.get_by_label("Address of the stream").fill("https://media.example/known.m3u8")
    await page.get_by_label("Webhook address").fill(HOOK)
    await page.get_by_role("button", name="Start monitoring").click()
    link = page.get_by_role("link", name="Open the monitor that watches it")
    await expect(link).to_have_attribute("href", f"/monitors/{known}")


async def test_who_may_only_read_gets_no_form(viewer: Page) -> None:
    await viewer.goto("/new")
    await expect(viewer.get_by_role("button", name="Start monitoring")).to_have_count(0)
    await expect(viewer.locator("main")).to_contain_text("may only read")
