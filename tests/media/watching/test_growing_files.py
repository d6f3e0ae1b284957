"""Files that are served while their packager writes them are measured when they are whole."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest

from monitors.config import MonitorConfig
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
from tests.testkit.stand_ins import Answer, Request, reply, scripted_server
from tests.testkit.viewing import TOUCHY, Viewer, studio

FMP4 = TINY.model_copy(update={"container": Container.FMP4})
COUNT = 6


def growing(base_url: str, share: float, asked: Counter[str], *, until: int) -> Answer:
    """Serve what is at `base_url`, of each segment only a part `until` it was asked for often."""

    async def write(request: Request, writer: asyncio.StreamWriter) -> None:
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"{base_url}{request.path}", headers=request.headers)
        body = answer.content
        if request.path.endswith(".m4s") and "range" not in request.headers and answer.is_success:
            asked[request.path] += 1
            if asked[request.path] <= until:
                body = body[: int(len(body) * share)]
        fields = {
            name: answer.headers[name] for name in ("content-range",) if name in answer.headers
        }
        writer.write(reply(body, status=answer.status_code, **fields))

    return write


@asynccontextmanager
async def watched(
    share: float, until: int, config: MonitorConfig = TOUCHY
) -> AsyncIterator[tuple[Viewer, Counter[str]]]:
    clock, options = WallClock(1), ChannelOptions(at_end=AtEnd.END, by_clock=True)
    asked = Counter[str]()
    async with AsyncExitStack() as stack:
        origin = await stack.enter_async_context(LiveOrigin(clock=clock))
        shared = await stack.enter_async_context(studio(clock))
        programme = render(Programme.of([("normal", 4 * COUNT)], FMP4))
        channel = origin.add("live", programme, options=options)
        base, _, path = channel.manifest_url.partition("/live/")
        front = await stack.enter_async_context(
            scripted_server(growing(base, share, asked, until=until))
        )
        url = front.url(f"/live/{path}", host="127.0.0.1")
        # Not to the end: then its manifest says that all files are whole.
        viewer = Viewer.of(shared, url, config)
        yield await viewer.until(lambda it: len(it.seen) >= COUNT), asked


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6])
async def test_what_was_fetched_too_early_is_fetched_once_more(share: float) -> None:
    async with watched(share, until=1) as (viewer, asked):
        assert viewer.sequences()[:COUNT] == list(range(COUNT))
        assert (viewer.failed(), viewer.told) == ([], [])
        lengths = [it.measurement.video_sec for it in viewer.seen if it.measurement]
        assert lengths == pytest.approx([1.0] * len(lengths), abs=0.15)
        assert max(asked.values()) == 2


async def test_segments_that_stay_short_are_fetched_once_after_the_first() -> None:
    """Nothing is to be told, as what was learnt of the files ends with a watch in these tests."""
    calm = MonitorConfig(silence_threshold_sec=0, freeze_threshold_sec=0)
    async with watched(0.6, until=99, config=calm) as (viewer, asked):
        assert viewer.failed() == []
        assert sum(asked.values()) <= len(asked) + 1
