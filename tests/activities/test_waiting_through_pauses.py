"""Waiting for a YouTube stream while its site refuses to answer this egress."""

import dataclasses
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.declarations import Placement, WaitInput, WaitResult
from activities.gateway_client import GatewayClient
from activities.wait_for_live import LiveWait
from media.sources.source_resolver import SourceResolver
from media.sources.youtube.request_budget import Egress
from media.sources.youtube.resolver_options import YouTubeOptions
from media.sources.youtube.site import YouTubeSite
from simulator.youtube import SimulatedYouTube, VideoState
from tests.activities.watching import NO_GATEWAY


class Ahead:
    """A steady clock that a test puts forward."""

    sec = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.sec


@asynccontextmanager
async def waits(site: SimulatedYouTube, clock: Ahead) -> AsyncIterator[LiveWait]:
    options = YouTubeOptions(proxy=site.proxy_url, ca_bundle=site.ca_path)
    youtube = YouTubeSite(options, egress=Egress(interval_sec=0, clock=clock))
    try:
        async with httpx.AsyncClient() as client:
            gateway = GatewayClient(NO_GATEWAY, SecretStr("internal-key"))
            yield LiveWait(SourceResolver(client, youtube), Placement(), gateway)
            await gateway.close()
    finally:
        await youtube.close()


async def look(waiting: LiveWait, video_id: str, state: dict[str, Any] | None) -> WaitResult:
    """Look when it is time, whatever the last look said of that."""
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, scheduled_time=datetime.now(UTC))
    due = state and {**state, "poll_again_at": None}
    url = f"https://www.youtube.com/watch?v={video_id}"
    order = WaitInput(monitor_id="mon-1", stream_url=url, state=due)
    return await environment.run(waiting.wait_for_live, order)


async def test_each_pause_is_told_once_with_its_length_and_end() -> None:
    clock = Ahead()
    async with SimulatedYouTube() as site, waits(site, clock) as waiting:
        site.say(VideoState.BOT_CHECK)
        state, told = None, []
        for length_sec in (900, 1800, 3600):
            seen = await look(waiting, "aaaaaaaaaaa", state)
            state = seen.state
            told.append(str(seen.unknown_because))
            requests = len(site.requests)
            with pytest.raises(ApplicationError, match="no bot") as again:
                await look(waiting, "aaaaaaaaaaa", state)
            assert again.value.next_retry_delay
            assert again.value.next_retry_delay.total_seconds() == pytest.approx(length_sec, abs=60)
            other = await look(waiting, "bbbbbbbbbbb", None)
            assert other.unknown_because == seen.unknown_because
            assert len(site.requests) == requests
            clock.sec += length_sec
    minutes = [
        text.partition("nothing is asked for ")[2].partition(" min, until ")[0] for text in told
    ]
    assert minutes == ["15", "30", "60"]
