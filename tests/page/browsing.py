"""Pages in a browser, judged while a test uses them."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, ConsoleMessage, Page, Request, expect

from tests.testkit.gateway import KEY, Running

VIEWER_KEY = "viewer-key-one"
BROWSERS = ("chromium-headless-shell", "chromium")
"""Commands, each a package of Debian: the shell takes half the time of the processors."""

CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
CHROMIUM_OPTIONS = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"),
    *("--disable-component-update", "--disable-sync"),
]
WIDTHS = {1400: 900, 768: 1024, 360: 740}
"""A desk, a tablet and a phone: widths with their heights."""

SERIOUS = ("serious", "critical")
TIMEOUT_MS = 30_000
expect.set_options(timeout=TIMEOUT_MS)


def base_url(gateway: Running) -> str:
    return str(gateway.client.base_url).rstrip("/")


@asynccontextmanager
async def opened_page(
    browser: Browser,
    gateway: Running,
    *,
    key: str | None = KEY,
    width: int = 1400,
    **context: Any,
) -> AsyncIterator[Page]:
    """Yield a page at about:blank of who is logged in with `key`, None: of a stranger.

    Fails at its end for what the browser complained of: an error of a script, something that the
    policy forbids, a request to somewhere else.
    """
    chosen: dict[str, Any] = {"locale": "en-GB", "timezone_id": "Asia/Tokyo", **context}
    opened = await browser.new_context(
        base_url=base_url(gateway), viewport={"width": width, "height": WIDTHS[width]}, **chosen
    )
    try:
        opened.set_default_timeout(TIMEOUT_MS)
        if key is not None:
            answer = await opened.request.post("/session", data={"key": key})
            assert answer.status == 204, await answer.text()
        page = await opened.new_page()
        complaints = _complaints(page, base_url(gateway))
        yield page
        assert complaints == []
    finally:
        await opened.close()


def _complaints(page: Page, allowed: str) -> list[str]:
    found: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        # An answer that is an error is no defect of the page; what it says then is tested.
        if message.type == "error" and "Failed to load resource" not in message.text:
            found.append(message.text)

    def on_request(request: Request) -> None:
        if not request.url.startswith((f"{allowed}/", "data:", "blob:")):
            found.append(f"a request to {request.url}")

    page.on("console", on_console)
    page.on("request", on_request)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


async def check_access(page: Page) -> None:
    """Fail when axe finds something serious."""
    results = await Axe().run(page)
    serious = [
        (each["id"], each["help"], [node["html"][:160] for node in each["nodes"]])
        for each in results.response["violations"]
        if each["impact"] in SERIOUS
    ]
    assert serious == []


async def check_width(page: Page) -> None:
    """Fail when something is wider than the screen."""
    wide = await page.evaluate(
        """() => {
          const width = document.documentElement.clientWidth;
          if (document.documentElement.scrollWidth <= width) return [];
          return [...document.querySelectorAll("main *, header *")]
            .filter((one) => one.getBoundingClientRect().right > width + 0.5)
            .map((one) => one.outerHTML.slice(0, 120));
        }"""
    )
    assert wide == []


async def shoot(page: Page, name: str) -> None:
    """Keep a screenshot in the folder that SCREENSHOTS names, to be looked at."""
    if folder := os.environ.get("SCREENSHOTS"):
        await page.screenshot(path=Path(folder) / f"{name}.png")
