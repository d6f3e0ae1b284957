"""Incidents, destinations, silences, availability and status pages, as a person uses them."""

import io
import re
from datetime import UTC, datetime, timedelta
from typing import Literal

import av
from PIL import Image
from playwright.async_api import Browser, Page, expect

from monitors.status import IncidentKind
from tests.page.browsing import WIDTHS, check_access, check_width, opened_page, shoot
from tests.page.seeding import Seeded, break_it
from tests.testkit.destinations import create_destination, next_notification, settle
from tests.testkit.evidence import CLIP, FIRST_FAULTY, LAST_GOOD, Incident
from tests.testkit.gateway import Running

PAGES = {
    "incidents": "/incidents",
    "destinations": "/destinations",
    "new-destination": "/destinations/new",
    "silences": "/silences",
    "new-silence": "/silences/new",
    "availability": "/availability?period=24h",
    "status-pages": "/status-pages",
    "status-page": "/status-pages/tv",
    "status": "/status/tv",
}


IN_THE_DARK = ("incidents", "availability", "status")
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark", "dark")


async def test_an_incident_is_acknowledged_by_keyboard(
    page: Page, gateway: Running, seeded: Seeded
) -> None:
    await page.goto("/incidents")
    card = page.locator(f"#{seeded.open}")
    await expect(card).to_contain_text("Football, pitch 3")
    await expect(card).to_contain_text("Webhook of the monitor")
    await expect(card).to_contain_text("Alert: waiting")
    await expect(page.locator("#over")).to_contain_text("No sound")
    await card.get_by_role("button", name="Acknowledge").focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_label("Note (optional)")).to_be_focused()
    await page.keyboard.type("The cable is being changed.")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(dialog).to_be_hidden()
    await expect(card).to_contain_text("The cable is being changed.")
    await expect(card.get_by_role("button", name="Acknowledge")).to_have_count(0)
    answer = await gateway.client.get(f"/api/v1/incidents/{seeded.open}")
    assert answer.json()["note"] == "The cable is being changed."


async def test_the_first_incident_appears_where_there_was_none(
    page: Page, gateway: Running, seeded: Seeded
) -> None:
    await page.goto("/incidents?kind=loop")
    await expect(page.get_by_text("No incident matches the filter")).to_be_visible()
    incident = await break_it(gateway, seeded.black, IncidentKind.LOOP, ago_sec=60, lasted_sec=30)
    await expect(page.locator(f"#over #{incident}")).to_be_visible()
    await expect(page.get_by_text("No incident matches the filter")).to_be_hidden()


async def test_an_incident_is_silenced_and_the_silence_ended(
    page: Page, gateway: Running, seeded: Seeded
) -> None:
    await page.goto("/incidents?kind=blackout")
    card = page.locator(f"#{seeded.open}")
    await expect(page.locator(".card")).to_have_count(1)
    await card.get_by_role("button", name="Silence").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("For").select_option("4 hours")
    await dialog.get_by_label("Only: Picture is black").check()
    await dialog.get_by_role("button", name="Silence").click()
    await expect(dialog).to_be_hidden()
    (made,) = (await gateway.client.get("/api/v1/silences")).json()["silences"]
    assert (made["monitor_ids"], made["kinds"]) == ([seeded.black], ["blackout"])
    await expect(card).to_contain_text("Silenced until")
    await expect(card.get_by_role("button", name="Silence", exact=True)).to_have_count(0)
    await page.goto("/silences")
    row = page.locator(f"#{made['silence_id']}")
    await expect(row).to_contain_text("Football, pitch 3")
    await row.get_by_role("button", name="End now").click()
    await page.get_by_role("dialog").get_by_role("button", name="End now").click()
    await expect(page.get_by_text("Nothing is silenced")).to_be_visible()


async def test_a_silence_ends_where_it_is_felt(
    page: Page, gateway: Running, seeded: Seeded
) -> None:
    ends_at = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    body = {"labels": {"team": "sport"}, "ends_at": ends_at}
    await gateway.client.post("/api/v1/silences", json=body)
    for path, place in (("/incidents", f"#{seeded.open}"), (f"/monitors/{seeded.black}", "main")):
        await page.goto(path)
        part = page.locator(place)
        await expect(part).to_contain_text("Silenced until")
        await part.get_by_role("button", name="End the silence…").first.click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("It applies to all monitors with team:sport.")
        if place == "main":
            await dialog.get_by_role("button", name="End now").click()
            await expect(part.get_by_role("link", name="Silence", exact=True)).to_be_visible()
    assert (await gateway.client.get("/api/v1/silences")).json()["silences"] == []


async def test_a_silence_is_planned_for_labels(
    page: Page, gateway: Running, seeded: Seeded
) -> None:
    await page.goto("/silences/new")
    await page.get_by_role("button", name="Silence").click()
    await expect(page.get_by_text("Choose at least one monitor.")).to_be_visible()
    await page.get_by_label("With labels").check()
    await page.get_by_label("Labels, one a line").fill("team:news")
    await page.get_by_label("At a planned time").check()
    await page.get_by_label("Beginning").fill("2031-01-01T10:00")
    await page.get_by_label("End", exact=True).fill("2031-01-01T09:00")
    await page.get_by_role("button", name="Silence").click()
    await expect(page.locator("#ends_at-problem")).to_contain_text("must be after the beginning")
    await page.get_by_label("End", exact=True).fill("")
    await page.get_by_label("From now, for").check()
    await page.get_by_label("Note (optional)").fill("New encoders")
    await page.get_by_role("button", name="Silence").click()
    await expect(page.get_by_text("team:news")).to_be_visible()
    await shoot(page, "silences-filled")
    (made,) = (await gateway.client.get("/api/v1/silences")).json()["silences"]
    assert (made["labels"], made["note"]) == ({"team": "news"}, "New encoders")
    await gateway.client.delete(f"/api/v1/silences/{made['silence_id']}")


async def send_test(page: Page, button: str) -> None:
    async with page.expect_response(lambda answer: answer.url.endswith("/test")):
        await page.get_by_role("button", name=button).click()
    await expect(page.get_by_text("Sending the test…")).to_be_visible()


async def test_a_destination_is_made_tested_and_removed(
    page: Page, gateway: Running, seeded: Seeded
) -> None:
    await page.goto("/destinations/new")
    await page.get_by_label("PagerDuty").check()
    await expect(page.get_by_label("Integration URL")).to_be_visible()
    await page.get_by_label("Webhook").check()
    await page.get_by_label("Name").fill("Night shift")
    await page.get_by_label("URL that takes the POST").fill("ftp://hooks.example/token")
    await page.get_by_role("button", name="Create").click()
    await expect(page.locator("#url-problem")).to_be_visible()
    await page.get_by_label("URL that takes the POST").fill("https://hooks.example/token")
    await page.get_by_role("button", name="Create").click()
    secret = page.get_by_role("dialog").locator("code")
    await expect(secret).to_have_text(re.compile("^whsec_"))
    await shoot(page, "destination-secret")
    await page.get_by_role("link", name="I have copied it").click()
    await expect(page.get_by_role("heading", name="Night shift")).to_be_visible()
    assert "whsec_" not in await page.content()
    assert "token" not in await page.content()
    destination_id = page.url.rsplit("/", 1)[-1]
    await send_test(page, "Send a test")
    due = await next_notification(gateway, destination_id)
    await settle(gateway, destination_id, due["delivery_id"])
    await expect(page.get_by_text("The test arrived.")).to_be_visible()
    await expect(page.locator("#deliveries")).to_contain_text("arrived")
    await shoot(page, "destination")
    await page.get_by_role("button", name="Switch off").click()
    await expect(page.get_by_text("Nothing is sent and no new event is taken.")).to_be_visible()
    await page.get_by_label("Which incidents").select_option("critical only")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved.")).to_be_visible()
    kept = (await gateway.client.get(f"/api/v1/destinations/{destination_id}")).json()
    assert (kept["enabled"], kept["min_severity"], kept["name"]) == (
        False,
        "critical",
        "Night shift",
    )
    await page.get_by_role("button", name="Remove…").click()
    await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    await expect(page.get_by_text("No destination yet")).to_be_visible()


async def test_a_test_that_fails_says_why(page: Page, gateway: Running) -> None:
    made = await create_destination(gateway, name="Broken")
    await page.goto("/destinations")
    await send_test(page, "Send a test: Broken")
    due = await next_notification(gateway, made["destination_id"])
    await settle(gateway, made["destination_id"], due["delivery_id"], error="HTTP status 500")
    await expect(page.get_by_text("The test did not arrive: HTTP status 500")).to_be_visible()
    await gateway.client.delete(f"/api/v1/destinations/{made['destination_id']}")


async def test_availability_is_shown_and_saved(page: Page, seeded: Seeded) -> None:
    await page.goto("/availability")
    await page.get_by_label("Period", exact=True).select_option("24 hours")
    await page.get_by_label("Label", exact=True).fill("team:sport")
    await page.get_by_role("button", name="Show").click()
    rows = page.locator("tbody tr")
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("Football, pitch 3")
    await expect(rows.get_by_role("img")).to_have_attribute("aria-label", re.compile("%"))
    async with page.expect_download() as saving:
        await page.get_by_role("link", name="Save as CSV").click()
    saved = await (await saving.value).path()
    assert "Football" in saved.read_text()
    await page.get_by_label("Label", exact=True).fill("sport")
    await page.get_by_role("button", name="Show").click()
    await expect(page.get_by_text("Write it as in team:sport.")).to_be_visible()


async def test_a_status_page_is_published_and_taken_down(
    browser: Browser, gateway: Running, page: Page, seeded: Seeded
) -> None:
    await page.goto("/status-pages/new")
    await page.get_by_label("Title").fill("Example TV")
    await expect(page.get_by_label("Address")).to_have_value("example-tv")
    await page.get_by_role("button", name="Publish").click()
    await expect(page.locator("#monitors-problem")).to_be_visible()
    await page.get_by_role("checkbox", name="News 24").check()
    await page.get_by_role("checkbox", name="Football, pitch 3").check()
    await page.get_by_label("Football, pitch 3 is shown as").fill("Sport 1")
    await page.get_by_role("button", name="Publish").click()
    await expect(page.get_by_role("heading", name="Example TV")).to_be_visible()
    async with opened_page(browser, gateway, key=None) as stranger:
        answer = await stranger.goto("/status/example-tv")
        assert answer is not None
        assert answer.headers["cache-control"] == "public, max-age=60"
        await expect(stranger.get_by_text("A fault on Sport 1")).to_be_visible()
        await expect(stranger.get_by_role("heading", name="News 24")).to_be_visible()
        content = await stranger.content()
        for internal in ("Football", "media.example", "mon-", "inc-"):
            assert internal not in content
        await shoot(stranger, "status-1400")
        await check_access(stranger)
    await page.get_by_role("link", name="Edit: Example TV").click()
    await page.get_by_role("button", name="Take down…").click()
    await page.get_by_role("dialog").get_by_role("button", name="Take down").click()
    await expect(page.get_by_text("No status page yet")).to_be_visible()
    async with opened_page(browser, gateway, key=None) as stranger:
        gone = await stranger.goto("/status/example-tv")
        assert gone is not None
        assert gone.status == 404
        await expect(stranger.get_by_text("There is no status page here")).to_be_visible()


async def test_who_may_only_read_changes_nothing(viewer: Page, seeded: Seeded) -> None:
    for path in ("/incidents", "/destinations", "/silences", "/status-pages", "/silences/new"):
        await viewer.goto(path)
        await expect(viewer.locator("h1")).to_be_visible()
        await expect(viewer.locator("main button.primary, main a.primary, dialog")).to_have_count(0)
    await expect(viewer.get_by_text("key that may only read").first).to_be_visible()


async def test_each_page_fits_each_screen(
    browser: Browser, gateway: Running, seeded: Seeded
) -> None:
    monitors = [{"monitor_id": seeded.healthy}, {"monitor_id": seeded.black}]
    body = {"title": "TV", "note": "Questions: tv@example.com", "monitors": monitors}
    await gateway.client.put("/api/v1/status-pages/tv", json=body)
    made = await create_destination(gateway, name="Night shift")
    pages = PAGES | {"destination": f"/destinations/{made['destination_id']}"}
    async with opened_page(browser, gateway) as page:
        for name, path in pages.items():
            await page.emulate_media(color_scheme="light")
            await page.goto(path)
            await check_access(page)
            for (width, height), scheme in zip(WIDTHS.items(), SCHEMES, strict=True):
                await page.set_viewport_size({"width": width, "height": height})
                await page.emulate_media(color_scheme=scheme)
                await shoot(page, f"{name}-{width}-{scheme}")
                await check_width(page)
            if name in IN_THE_DARK:
                await check_access(page)


async def test_a_person_in_japan_reads_japanese(
    browser: Browser, gateway: Running, seeded: Seeded
) -> None:
    async with opened_page(browser, gateway, locale="ja-JP") as page:
        for name, title in {
            "incidents": "障害",
            "destinations": "通知先",
            "silences": "通知停止",
            "availability": "稼働率",
            "status-pages": "ステータスページ",
        }.items():
            await page.goto(f"/{name}")
            await expect(page.locator("h1")).to_have_text(title)
            await shoot(page, f"{name}-ja")


def picture(colour: str) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (320, 180), colour).save(made, "JPEG")
    return made.getvalue()


def clip() -> bytes:
    """Return a second of video that browsers play."""
    made = io.BytesIO()
    with av.open(
        made, "w", format="mp4", options={"movflags": "frag_keyframe+empty_moov"}
    ) as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for _ in range(10):
            container.mux(stream.encode(av.VideoFrame(160, 90, "yuv420p")))
        container.mux(stream.encode())
    return made.getvalue()


async def test_what_was_seen_is_beside_the_incident(page: Page, gateway: Running) -> None:
    monitor_id = await gateway.created_id(
        stream_url="https://media.example/studio.m3u8", name="Studio", config={"evidence": "clip"}
    )
    incident = Incident(gateway, monitor_id, datetime.now(UTC) - timedelta(minutes=3))
    await incident.open()
    await page.goto(f"/incidents?monitor_id={monitor_id}")
    card = page.locator(f"#{incident.incident_id}")
    await expect(card.get_by_text("Not here yet")).to_have_count(3)
    await incident.put(FIRST_FAULTY, picture("navy"))
    await incident.put(CLIP, clip())
    await incident.fail(LAST_GOOD, "memory")
    await page.reload()
    await expect(card.get_by_text("None: it was no longer in memory")).to_be_visible()
    seen = card.get_by_role("img", name="First faulty picture of Studio")
    await seen.scroll_into_view_if_needed()
    await page.wait_for_function(
        "image => image.naturalWidth === 320", arg=await seen.element_handle()
    )
    played = await card.locator("video").evaluate(
        """async (video) => {
          video.muted = true;
          await video.play();
          await new Promise((done) => video.addEventListener("timeupdate", done, { once: true }));
          return video.videoWidth;
        }"""
    )
    assert played == 160
    await card.get_by_role("button", name="Acknowledge").click()
    await page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    await expect(card).to_contain_text("Acknowledged")
    await shoot(page, "incident-evidence")
