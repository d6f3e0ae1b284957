"""Resolver processes: real ones, looking at the stand-in."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from media.sources.youtube.resolution import ResolveRequest, ResolverFailed, ResolverTimedOut
from media.sources.youtube.resolver_options import PollDepth, Resolver, YouTubeOptions
from media.sources.youtube.resolver_pool import ResolverPool
from simulator.youtube import SILENT, RequestKind, SimulatedYouTube, Video
from tests.media.sources.youtube.conftest import VIDEO_ID

MakeOptions = Callable[..., YouTubeOptions]
STATUS = ResolveRequest(Resolver.YTDLP, PollDepth.STATUS, VIDEO_ID)
MEDIA = ResolveRequest(Resolver.YTDLP, PollDepth.MEDIA, VIDEO_ID)
DEATH_SEC = 10


@asynccontextmanager
async def pool_of(options: YouTubeOptions) -> AsyncIterator[ResolverPool]:
    pool = ResolverPool(options)
    try:
        yield pool
    finally:
        await pool.close()


def exists(path: str) -> bool:
    return os.path.exists(path)


async def gone(processes: list[psutil.Process]) -> bool:
    """Tell whether all of them ended; waits for those that still do."""
    _, alive = await asyncio.to_thread(psutil.wait_procs, processes, DEATH_SEC)
    return not alive


def group_of(pool: ResolverPool) -> list[psutil.Process]:
    resolvers = [psutil.Process(pid) for pid in pool.process_ids()]
    return resolvers + [
        child for resolver in resolvers for child in resolver.children(recursive=True)
    ]


async def test_a_warm_process_is_used_again(options: MakeOptions, video: Video) -> None:
    async with pool_of(options()) as pool:
        first = await pool.resolve(MEDIA)
        pids = pool.process_ids()
        second = await pool.resolve(STATUS)
        assert pool.process_ids() == pids
    assert (first.live_status, second.live_status) == ("is_live", "is_live")
    assert first.formats


async def test_streamlink_may_look_first_in_a_process(options: MakeOptions, video: Video) -> None:
    async with pool_of(options()) as pool:
        first = await pool.resolve(ResolveRequest(Resolver.STREAMLINK, PollDepth.MEDIA, VIDEO_ID))
        second = await pool.resolve(MEDIA)
    assert first.master_url
    assert (second.exception, second.live_status) == (None, "is_live")


async def test_streamlink_does_not_break_the_requests_of_yt_dlp(tmp_path: Path) -> None:
    """Both patch the same place in urllib3; in the wrong order no URL can be read any more."""
    script = (
        "import sys\n"
        "from media.sources.youtube.resolver_process import Resolvers\n"
        "from tests.media.sources.youtube.test_resolver_pool import *\n"
        "from media.sources.youtube.resolver_options import ResolverSetup\n"
        "setup = ResolverSetup(folder=sys.argv[1], request_timeout_sec=1, proxy='http://127.0.0.1:9')\n"
        "for resolver in (Resolver.STREAMLINK, Resolver.YTDLP):\n"
        "    Resolvers(setup).resolve(ResolveRequest(resolver, PollDepth.STATUS, VIDEO_ID))\n"
        "from urllib3.util.url import parse_url\n"
        "print(parse_url('https://a/%7e'))\n"
    )
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await child.communicate()
    assert printed.decode().split() == ["https://a/%7e"]


async def test_a_status_check_is_one_request(
    options: MakeOptions, video: Video, site: SimulatedYouTube
) -> None:
    async with pool_of(options()) as pool:
        found = await pool.resolve(STATUS)
    assert found.requests == len(site.requests) == 1
    assert found.formats == ()


async def test_a_manifest_behind_the_javascript_challenge(
    options: MakeOptions, video: Video, site: SimulatedYouTube
) -> None:
    video.needs_javascript = True
    async with pool_of(options()) as pool:
        found = await pool.resolve(MEDIA)
    assert found.formats
    assert site.requests.of(RequestKind.PLAYER_JS)


async def test_a_look_that_hangs_is_killed_and_leaves_no_process(
    options: MakeOptions, video: Video, site: SimulatedYouTube
) -> None:
    async with pool_of(options(extraction_timeout_sec=8)) as pool:
        await pool.resolve(STATUS)
        processes = group_of(pool)
        site.faults.add(SILENT)
        with pytest.raises(ResolverTimedOut):
            await pool.resolve(STATUS)
        assert pool.process_ids() == []
        assert await gone(processes)
        site.faults.clear()
        assert (await pool.resolve(STATUS)).live_status == "is_live"


async def test_a_cancelled_look_leaves_no_process(
    options: MakeOptions, video: Video, site: SimulatedYouTube
) -> None:
    site.faults.add(SILENT)
    async with pool_of(options()) as pool:
        looking = asyncio.create_task(pool.resolve(STATUS))
        await site.requests.until(lambda log: len(log) > 0)
        processes = group_of(pool)
        looking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await looking
        assert processes
        assert await gone(processes)


async def test_a_process_that_dies_fails_its_look_alone(
    options: MakeOptions, video: Video, site: SimulatedYouTube
) -> None:
    site.faults.add(SILENT)
    async with pool_of(options()) as pool:
        looking = asyncio.create_task(pool.resolve(STATUS))
        await site.requests.until(lambda log: len(log) > 0)
        psutil.Process(pool.process_ids()[0]).send_signal(signal.SIGKILL)
        with pytest.raises(ResolverFailed):
            await looking
        site.faults.clear()
        assert (await pool.resolve(STATUS)).live_status == "is_live"


@pytest.mark.parametrize(
    "limit", [{"max_resolver_jobs": 1}, {"max_resolver_bytes": 1}], ids=["looks", "memory"]
)
async def test_a_worn_process_is_replaced(
    options: MakeOptions, video: Video, limit: dict[str, int]
) -> None:
    async with pool_of(options(**limit)) as pool:
        await pool.resolve(STATUS)
        assert pool.process_ids() == []


async def test_closing_leaves_no_process_and_no_file(options: MakeOptions, video: Video) -> None:
    pool = ResolverPool(options())
    await pool.resolve(MEDIA)
    processes = group_of(pool)
    folder = processes[0].cwd()
    await pool.close()
    assert await gone(processes)
    assert not exists(folder)
    with pytest.raises(ResolverFailed):
        await pool.resolve(MEDIA)


async def test_processes_end_when_their_worker_is_killed(
    site: SimulatedYouTube, video: Video
) -> None:
    site.faults.add(SILENT)
    script = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from media.sources.youtube.resolver_pool import ResolverPool\n"
        "from tests.media.sources.youtube.test_resolver_pool import STATUS, YouTubeOptions\n"
        "async def main():\n"
        "    options = YouTubeOptions(proxy=sys.argv[1], ca_bundle=Path(sys.argv[2]))\n"
        "    await ResolverPool(options).resolve(STATUS)\n"
        "asyncio.run(main())\n"
    )
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, site.proxy_url, str(site.ca_path)
    )
    await site.requests.until(lambda log: len(log) > 0, timeout_sec=30)
    resolvers = psutil.Process(worker.pid).children(recursive=True)
    folder = resolvers[0].cwd()
    worker.kill()
    await worker.wait()
    assert await gone(resolvers)
    assert not exists(folder)


async def test_the_cookie_file_is_only_read(
    options: MakeOptions, video: Video, tmp_path: Path
) -> None:
    cookies = tmp_path / "cookies.txt"
    text = "# Netscape HTTP Cookie File\n.youtube.com\tTRUE\t/\tTRUE\t4102444800\tONE\ttwo\n"
    cookies.write_text(text)
    cookies.chmod(0o400)
    async with pool_of(options(cookies_file=cookies)) as pool:
        assert (await pool.resolve(MEDIA)).formats
    assert cookies.read_text() == text
    assert os.listdir(tmp_path) == ["cookies.txt"]


async def test_a_cookie_file_of_another_kind_fails_the_look_unquoted(
    options: MakeOptions, tmp_path: Path
) -> None:
    cookies = tmp_path / "cookies.txt"
    cookies.write_text('{"SID": "SECRET"}')
    async with pool_of(options(cookies_file=cookies)) as pool:
        with pytest.raises(ResolverFailed, match="yt-dlp cannot be set up") as failed:
            await pool.resolve(STATUS)
    assert "SECRET" not in str(failed.value)


async def test_a_missing_cookie_file_fails_the_look(options: MakeOptions, tmp_path: Path) -> None:
    async with pool_of(options(cookies_file=tmp_path / "none")) as pool:
        with pytest.raises(ResolverFailed, match="No such file"):
            await pool.resolve(STATUS)
