"""A picture of the page, made by a Chromium that is installed.

It is driven by the Chrome DevTools Protocol: `--screenshot` waits for the page's stream of changes
to end, which it never does.
"""

import asyncio
import base64
import itertools
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

BROWSERS: Final = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    "chromium-headless-shell",
)
OPTIONS: Final = (
    *("--headless", "--disable-gpu", "--no-first-run", "--hide-scrollbars", "--mute-audio"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--remote-debugging-port=0",
)
WIDTH, HEIGHT = 1400, 1500
LIMIT_SEC: Final = 30.0
POLL_SEC: Final = 0.1
GONE_POLLS: Final = 20
MOST_BYTES: Final = 32 * 1024 * 1024
IS_READY: Final = """
document.body?.dataset.ready !== undefined && [...document.images].every((each) => each.complete)
"""


class NoScreenshot(Exception):
    """There is no picture; the message says why."""


async def take_screenshot(url: str, file: Path) -> None:
    """Keep a picture of the page that `url` leads to, once all of it is there.

    Raises NoScreenshot where no browser is installed, or it made none.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise NoScreenshot("no Chromium is installed")
    try:
        async with asyncio.timeout(LIMIT_SEC), _driven(browser) as tab:
            picture = await tab.picture_of(url)
        await asyncio.to_thread(file.write_bytes, picture)
    except TimeoutError:
        raise NoScreenshot(f"the browser made none within {LIMIT_SEC:g} s") from None
    except (OSError, WebSocketException, KeyError, ValueError) as error:
        raise NoScreenshot(f"the browser failed: {error}") from None


class _Tab:
    def __init__(self, connection: ClientConnection, session: str) -> None:
        self._connection = connection
        self._session = session
        self._numbers = itertools.count(10)

    async def picture_of(self, url: str) -> bytes:
        size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
        await self._call("Emulation.setDeviceMetricsOverride", **size)
        await self._call("Page.navigate", url=url)
        while not await self._is_ready():
            await asyncio.sleep(POLL_SEC)
        answer = await self._call("Page.captureScreenshot", format="png")
        return base64.b64decode(answer["data"])

    async def _is_ready(self) -> bool:
        answer = await self._call("Runtime.evaluate", expression=IS_READY)
        return answer.get("result", {}).get("value") is True

    async def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return await _call(
            self._connection, next(self._numbers), method, parameters, session=self._session
        )


async def _call(
    connection: ClientConnection,
    number: int,
    method: str,
    parameters: dict[str, Any],
    *,
    session: str | None = None,
) -> dict[str, Any]:
    message = {"id": number, "method": method, "params": parameters}
    await connection.send(json.dumps(message | ({"sessionId": session} if session else {})))
    while True:
        answer = json.loads(await connection.recv())
        if answer.get("id") == number:
            result: dict[str, Any] = answer["result"]
            return result


@asynccontextmanager
async def _driven(browser: str) -> AsyncIterator[_Tab]:
    """Run a browser of our own, with nothing of the user's; yield its only page."""
    async with AsyncExitStack() as stack:
        profile = stack.enter_context(TemporaryDirectory(ignore_cleanup_errors=True))
        address = await stack.enter_async_context(_running(browser, Path(profile)))
        connection = await stack.enter_async_context(
            connect(address, max_size=MOST_BYTES, proxy=None)
        )
        made = await _call(connection, 1, "Target.createTarget", {"url": "about:blank"})
        target = {"targetId": made["targetId"], "flatten": True}
        attached = await _call(connection, 2, "Target.attachToTarget", target)
        yield _Tab(connection, attached["sessionId"])


@asynccontextmanager
async def _running(browser: str, profile: Path) -> AsyncIterator[str]:
    """Yield where the browser is driven; at the end it is gone, with all its processes."""
    root = ("--no-sandbox",) if os.geteuid() == 0 else ()  # it has none for root
    process = await asyncio.create_subprocess_exec(
        *(browser, *OPTIONS, *root, f"--user-data-dir={profile}", "about:blank"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield await _address(profile / "DevToolsActivePort", process)
    finally:
        # All of them at once: the one that was started would leave its children behind.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            for _ in range(GONE_POLLS):  # until the last one has let go of the profile
                os.killpg(process.pid, 0)
                await asyncio.sleep(POLL_SEC)
        _remove_socket(profile / "SingletonSocket")


async def _address(told: Path, process: asyncio.subprocess.Process) -> str:
    while process.returncode is None:
        if address := _told_address(told):
            return address
        await asyncio.sleep(POLL_SEC)
    raise OSError(f"it ended with {process.returncode}")


def _remove_socket(link: Path) -> None:
    """Remove the folder beside the profile to which its link to a socket leads."""
    with suppress(OSError):  # there is no link
        shutil.rmtree(link.readlink().parent)


def _told_address(told: Path) -> str | None:
    lines = told.read_text().splitlines() if told.exists() else []
    return f"ws://127.0.0.1:{lines[0]}{lines[1]}" if len(lines) == 2 else None
