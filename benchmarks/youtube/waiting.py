"""What monitors cost that wait for their streams."""

import asyncio
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psutil

from benchmarks.youtube.checks import cpu_sec
from media.sources.source import SourceState
from media.sources.youtube.media_cache import MediaCache
from media.sources.youtube.request_budget import Egress
from media.sources.youtube.resolver_options import YouTubeOptions
from media.sources.youtube.site import YouTubeSite
from media.sources.youtube.video_source import YouTubeSource
from simulator.youtube import SimulatedYouTube

INTERVAL_SEC = 2.0


@dataclass(frozen=True)
class Waiting:
    """What was used while monitors waited.

    Attributes:
        core_share: CPU seconds per second, of the resolvers and of the loop that asks them.
        requests_per_sec: at the site.
        budget_per_sec: requests that are allowed.
    """

    name: str
    monitors: int
    seconds: float
    looks: int
    core_share: float
    requests_per_sec: float
    budget_per_sec: float = 1 / INTERVAL_SEC


def measure(name: str, *, monitors: int, starts_in_sec: float, seconds: float) -> Waiting:
    """Let `monitors` wait for streams that start in `starts_in_sec` (negative: that are late)."""
    with _site(monitors, starts_in_sec) as (site, proxy_url, ca_path):
        options = YouTubeOptions(proxy=proxy_url, ca_bundle=ca_path)
        return asyncio.run(_measured(name, site, options, monitors, seconds))


async def _measured(
    name: str, site: SimulatedYouTube, options: YouTubeOptions, monitors: int, seconds: float
) -> Waiting:
    began, wall = time.thread_time(), time.monotonic()
    budget = Egress(interval_sec=INTERVAL_SEC)
    egress = YouTubeSite(options, egress=budget)
    children = psutil.Process()
    try:
        async with httpx.AsyncClient() as client:
            waits = [
                asyncio.create_task(_wait(_id(each), egress, client)) for each in range(monitors)
            ]
            await asyncio.sleep(seconds)
            resolvers = [each.pid for each in children.children()]
            used_sec = time.thread_time() - began + sum(map(cpu_sec, resolvers))
            took_sec = time.monotonic() - wall
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
    finally:
        await egress.close()
    requests = len(site.requests.site_requests())
    return Waiting(name, monitors, took_sec, budget.polls, used_sec / took_sec, requests / took_sec)


async def _wait(video_id: str, egress: YouTubeSite, client: httpx.AsyncClient) -> None:
    """Look as `activities.wait_for_live` does, Temporal left aside."""
    stream = YouTubeSource(video_id, egress, client, MediaCache())
    began = datetime.now(UTC)
    while True:
        seen = await stream.observe_status()
        assert seen.state is SourceState.UPCOMING, seen  # noqa: S101
        wait_sec = stream.poll_delay_sec(
            seen,
            now=datetime.now(UTC),
            waiting_since=began,
            scheduled_start=None,
            chance=random.random(),  # noqa: S311
        )
        await asyncio.sleep(wait_sec)


def _id(number: int) -> str:
    return f"waiting{number:04}"


@contextmanager
def _site(monitors: int, starts_in_sec: float) -> Iterator[tuple[SimulatedYouTube, str, Path]]:
    """Run the site in a thread, so that its work is not counted."""
    site, loop = SimulatedYouTube(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(site.__aenter__(), loop).result()
    try:
        for number in range(monitors):
            site.video(_id(number)).upcoming(in_sec=starts_in_sec)
        yield site, site.proxy_url, site.ca_path
    finally:
        asyncio.run_coroutine_threadsafe(site.__aexit__(None, None, None), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
