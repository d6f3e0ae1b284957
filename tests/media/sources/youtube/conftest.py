"""The site's stand-in, and options that lead to it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from media.sources.youtube.resolver_options import YouTubeOptions
from simulator.youtube import SimulatedYouTube, Video

VIDEO_ID = "aaaaaaaaaaa"


@pytest.fixture
async def site() -> AsyncIterator[SimulatedYouTube]:
    async with SimulatedYouTube() as running:
        yield running
        assert running.refused == []


@pytest.fixture
def video(site: SimulatedYouTube) -> Video:
    """A video that is live."""
    made = site.video(VIDEO_ID)
    made.go_live()
    return made


@pytest.fixture
def options(site: SimulatedYouTube, tmp_path: Path) -> Callable[..., YouTubeOptions]:
    """Return options that lead to the stand-in, changed by keywords."""

    def make(**changes: Any) -> YouTubeOptions:
        led: dict[str, Any] = {"proxy": site.proxy_url, "ca_bundle": site.ca_path}
        return YouTubeOptions(**led | changes)

    return make
