"""What one look costs, by the way in which it is made."""

import asyncio
import resource
import sysconfig
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil

from media.sources.youtube.external_resolvers import ExternalResolvers
from media.sources.youtube.resolution import ResolveRequest
from media.sources.youtube.resolver_options import PollDepth, Resolver, YouTubeOptions
from media.sources.youtube.resolver_pool import ResolverPool
from simulator.youtube import SimulatedYouTube

VIDEO_ID = "aaaaaaaaaaa"
YTDLP = Path(sysconfig.get_path("scripts")) / "yt-dlp"


@dataclass(frozen=True)
class Cost:
    """What looks of one kind cost on average; `cpu_sec` is of the resolver's processes."""

    name: str
    looks: int
    cpu_sec: float
    requests: float


async def measure(looks: int) -> list[Cost]:
    """Measure all kinds of looks at a live video."""
    async with SimulatedYouTube() as site, AsyncExitStack() as stack:
        site.video(VIDEO_ID).go_live()
        options = YouTubeOptions(proxy=site.proxy_url, ca_bundle=site.ca_path)
        pool = ResolverPool(options)
        stack.push_async_callback(pool.close)
        media = ResolveRequest(Resolver.YTDLP, PollDepth.MEDIA, VIDEO_ID)
        status = ResolveRequest(Resolver.YTDLP, PollDepth.STATUS, VIDEO_ID)
        costs = [
            await _of_pool("warm pool, media", site, pool, media, looks),
            await _of_pool("warm pool, one-request status check", site, pool, status, looks),
        ]
        external = ExternalResolvers(
            YouTubeOptions(proxy=site.proxy_url, ca_bundle=site.ca_path, ytdlp_path=YTDLP)
        )
        stack.push_async_callback(external.close)
        few = max(1, looks // 10)
        for name, request in (("media", media), ("status check", status)):
            costs.append(
                await _of_external(f"external process, {name}", site, external, request, few)
            )
        return costs


async def _of_pool(
    name: str, site: SimulatedYouTube, pool: ResolverPool, request: ResolveRequest, looks: int
) -> Cost:
    await pool.resolve(request)  # which warms it
    (pid,) = pool.process_ids()
    return await _measured(name, site, lambda: pool.resolve(request), looks, lambda: cpu_sec(pid))


async def _of_external(
    name: str,
    site: SimulatedYouTube,
    external: ExternalResolvers,
    request: ResolveRequest,
    looks: int,
) -> Cost:
    return await _measured(name, site, lambda: external.resolve(request), looks, _cpu_of_ended_sec)


async def _measured(
    name: str,
    site: SimulatedYouTube,
    look: Callable[[], Awaitable[object]],
    looks: int,
    clock: Callable[[], float],
) -> Cost:
    mark, began = len(site.requests), clock()
    for _ in range(looks):
        await look()
    requests = len(site.requests) - mark
    return Cost(name, looks, (clock() - began) / looks, requests / looks)


def cpu_sec(pid: int) -> float:
    """Return the CPU time of a process and of its ended children."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def _cpu_of_ended_sec() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(looks: int) -> list[Cost]:
    """Measure in an event loop of its own."""
    return asyncio.run(measure(looks))
