"""A running site for each test, and the resolvers that look at it."""

import ssl
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from simulator.origin.clock import ManualClock
from simulator.youtube import SimulatedYouTube
from tests.simulator.youtube.resolvers import Resolvers

VIDEO_ID = "aB3_-cdEfGh"


@pytest.fixture(scope="session")
def resolvers() -> Iterator[Resolvers]:
    """yt-dlp and streamlink, warm."""
    running = Resolvers()
    yield running
    running.close()


@pytest.fixture
async def site() -> AsyncIterator[SimulatedYouTube]:
    """The site by the real time."""
    async with SimulatedYouTube() as running:
        yield running


@pytest.fixture
def clock() -> ManualClock:
    """The time of `still_site`."""
    return ManualClock()


@pytest.fixture
async def still_site(clock: ManualClock) -> AsyncIterator[SimulatedYouTube]:
    """The site by a time that only the test moves."""
    async with SimulatedYouTube(clock) as running:
        yield running


def make_client(site: SimulatedYouTube) -> httpx.AsyncClient:
    """Return a client that trusts the site's authority and nobody else."""
    trusting = ssl.create_default_context(cafile=str(site.ca_path))
    return httpx.AsyncClient(proxy=site.proxy_url, verify=trusting, trust_env=False, timeout=5)


@pytest.fixture
async def client(site: SimulatedYouTube) -> AsyncIterator[httpx.AsyncClient]:
    """A client of `site`."""
    async with make_client(site) as connected:
        yield connected


@pytest.fixture
async def still_client(still_site: SimulatedYouTube) -> AsyncIterator[httpx.AsyncClient]:
    """A client of `still_site`."""
    async with make_client(still_site) as connected:
        yield connected
