"""A real browser before a real gateway, with monitors that something has happened to.

The tests of this folder share one event loop: the browser lives as long as it.
"""

import inspect
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from tests.page.browsing import BROWSERS, CHROMIUM, CHROMIUM_OPTIONS, VIEWER_KEY, opened_page
from tests.page.seeding import Seeded, seed
from tests.testkit.gateway import Running, running_gateway

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE not in item.path.parents or not isinstance(item, pytest.Function):
            continue
        if inspect.iscoroutinefunction(item.function):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip(f"no browser: apt-get install {BROWSERS[0]}")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=CHROMIUM_OPTIONS, chromium_sandbox=False
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A gateway for the tests of a file; Temporal is played by `Running.engine`."""
    folder = tmp_path_factory.mktemp("page")
    async with running_gateway(
        f"sqlite:///{folder}/gateway.db",
        viewer_keys=[VIEWER_KEY],
        data_dir=folder,
        temporal_ui_url="http://temporal.example",
    ) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def seeded(gateway: Running) -> Seeded:
    """Monitors in each condition, made once for the tests of a file."""
    return await seed(gateway)


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, gateway: Running) -> AsyncIterator[Page]:
    """A page of somebody who is logged in and may change things."""
    async with opened_page(browser, gateway) as page:
        yield page


@pytest_asyncio.fixture(loop_scope="session")
async def viewer(browser: Browser, gateway: Running) -> AsyncIterator[Page]:
    """A page of somebody who may only read."""
    async with opened_page(browser, gateway, key=VIEWER_KEY) as page:
        yield page
