"""A stream whose files are in several places is watched as long as one of them has them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest

from media.outbound.client import media_client
from media.outbound.errors import BadStatus
from media.outbound.fetching import Mirrors
from media.outbound.guard import OutboundGuard
from simulator.origin import (
    TINY,
    AtEnd,
    ChannelOptions,
    Container,
    LiveOrigin,
    Programme,
    WallClock,
    render,
)
from tests.testkit.stand_ins import (
    Answer,
    Request,
    ScriptedServer,
    always,
    by_path,
    reply,
    scripted_server,
)
from tests.testkit.viewing import TOUCHY, Viewer, studio

FMP4 = TINY.model_copy(update={"container": Container.FMP4})


def with_base_urls(manifest_url: str, *bases: str) -> Answer:
    """Answer with another server's manifest, whose files are said to be at `bases`."""
    elements = "".join(f"<BaseURL>{base}</BaseURL>" for base in bases)

    async def write(request: Request, writer: asyncio.StreamWriter) -> None:
        async with httpx.AsyncClient() as client:
            text = (await client.get(manifest_url)).text
        text = text.replace("<Period", f"{elements}<Period", 1)
        writer.write(reply(text.encode(), content_type="application/dash+xml"))

    return write


@pytest.mark.parametrize("by_clock", [False, True])
async def test_where_one_base_url_fails_another_is_asked_and_read(by_clock: bool) -> None:
    clock, options = WallClock(2), ChannelOptions(at_end=AtEnd.END, by_clock=by_clock)
    async with AsyncExitStack() as stack:
        origin = await stack.enter_async_context(LiveOrigin(clock=clock))
        shared = await stack.enter_async_context(studio(clock))
        down = await stack.enter_async_context(scripted_server(always(reply(status=404))))
        channel = origin.add("live", render(Programme.of([("normal", 12)], FMP4)), options=options)
        bases = (down.url(host="127.0.0.1"), channel.manifest_url.replace("manifest.mpd", ""))
        answer = with_base_urls(channel.manifest_url, *bases)
        front = await stack.enter_async_context(scripted_server(answer))
        viewer = await Viewer.of(shared, front.url(host="127.0.0.1"), TOUCHY).to_the_end()
    assert viewer.sequences() == list(range(12))
    assert (viewer.failed(), viewer.told) == ([], [])
    # A look at the stream asks it anew; the watch does not for each segment.
    assert len(down.requests) <= 6


@asynccontextmanager
async def places(*answers: Answer) -> AsyncIterator[tuple[Mirrors, list[ScriptedServer]]]:
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(scripted_server(each)) for each in answers]
        guard = OutboundGuard(allow_private_networks=True)
        yield Mirrors(await stack.enter_async_context(media_client(guard))), servers


def fetching(mirrors: Mirrors, servers: list[ScriptedServer]) -> Callable[[str], Awaitable[bytes]]:
    def fetch(path: str) -> Awaitable[bytes]:
        urls = [server.url(path, host="127.0.0.1") for server in servers]
        return mirrors.fetch(urls, byte_range=None, max_bytes=100, total_timeout_sec=5)

    return fetch


async def test_the_place_that_answered_last_comes_first() -> None:
    first, second = {"/a": reply(b"1"), "/c": reply(b"1")}, {"/b": reply(b"2"), "/c": reply(b"2")}
    async with places(by_path(first), by_path(second)) as (mirrors, servers):
        fetch = fetching(mirrors, servers)
        assert [await fetch(path) for path in ("/a", "/b", "/c", "/a")] == [b"1", b"2", b"2", b"1"]
        assert [it.path for it in servers[0].requests] == ["/a", "/b", "/a"]


async def test_where_no_place_has_it_the_first_one_says_why() -> None:
    async with places(always(reply(status=410)), always(reply(status=503))) as (mirrors, servers):
        with pytest.raises(BadStatus, match="410"):
            await fetching(mirrors, servers)("/a")
