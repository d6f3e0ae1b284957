"""Looks that hang, and those that wait behind them. Nothing is asked: how long it takes is ours."""

import asyncio

import pytest

from media.sources.source import Observation, SourceState
from media.sources.youtube.request_budget import Egress
from media.sources.youtube.resolution import ResolvedVideo, ResolveRequest, ResolverTimedOut
from media.sources.youtube.resolver_options import PollDepth, Resolver, YouTubeOptions
from media.sources.youtube.site import YouTubeSite

VIDEO_ID = "aaaaaaaaaaa"


class Hanging:
    """Looks that take until they are let go, and then time out."""

    def __init__(self) -> None:
        self.begun = 0
        self.let_go = asyncio.Event()

    async def resolve(self, request: ResolveRequest) -> ResolvedVideo:
        self.begun += 1
        await self.let_go.wait()
        raise ResolverTimedOut("still looking after 30 s")

    async def close(self) -> None:
        self.let_go.set()


def site_of(looker: Hanging) -> YouTubeSite:
    return YouTubeSite(
        YouTubeOptions(resolvers=(Resolver.YTDLP,)),
        egress=Egress(interval_sec=0, at_once=1),
        backends={Resolver.YTDLP: looker},
        max_background_wait_sec=0.01,
    )


async def check(site: YouTubeSite) -> Observation:
    """Look as whoever waits for a stream does."""
    return await site.observe(VIDEO_ID, PollDepth.STATUS, background=True)


async def begun(looker: Hanging, looks: int) -> None:
    while looker.begun < looks:
        await asyncio.sleep(0)


async def test_nobody_waits_for_looks_that_all_take_their_whole_time() -> None:
    looker = Hanging()
    site = site_of(looker)
    hanging = asyncio.create_task(site.observe(VIDEO_ID))
    await begun(looker, 1)
    assert (await check(site)).reason == "busy"
    looker.let_go.set()
    assert (await hanging).reason == "resolver_timeout"
    assert looker.begun == 1


async def test_those_that_wait_hear_why_it_takes_so_long() -> None:
    looker = Hanging()
    site = site_of(looker)
    looker.let_go.set()
    await check(site)
    looker.let_go.clear()
    hanging = asyncio.create_task(site.observe(VIDEO_ID))
    await begun(looker, 2)
    seen = await check(site)
    assert (seen.state, seen.reason) == (SourceState.NOT_OBSERVED, "resolver_timeout")
    assert seen.retry_after_sec == 60
    await site.close()
    await hanging


async def test_a_look_that_is_cancelled_leaves_its_place_to_the_next() -> None:
    looker = Hanging()
    site = site_of(looker)
    hanging = asyncio.create_task(site.observe(VIDEO_ID))
    await begun(looker, 1)
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging
    looker.let_go.set()
    assert (await check(site)).reason == "resolver_timeout"
