"""The unmodified resolvers, each as a library in a process of its own.

Both replace the same private pattern of urllib3 when they are imported: in a process that imports
streamlink first, the `requests` handler of yt-dlp fails.
"""

import asyncio
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from simulator.origin.render import ffmpeg_path
from simulator.youtube import SimulatedYouTube
from tests.simulator.youtube.looked import Looked, page


class Resolvers:
    """The warm processes; each starts at its first look."""

    def __init__(self) -> None:
        spawn = get_context("spawn")
        self._ytdlp = ProcessPoolExecutor(1, mp_context=spawn)
        self._streamlink = ProcessPoolExecutor(1, mp_context=spawn)

    def close(self) -> None:
        """Stop the processes and wait for them."""
        self._ytdlp.shutdown()
        self._streamlink.shutdown()

    async def ytdlp(self, site: SimulatedYouTube, video: str, **options: Any) -> Looked:
        """Look at a video, by id or URL, with yt-dlp."""
        given = {
            "proxy": site.proxy_url,
            "nocheckcertificate": True,
            "ignore_no_formats_error": True,
            "extractor_retries": 0,
            "socket_timeout": 2,
            "cachedir": False,
            **options,
        }
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._ytdlp, _with_ytdlp, given, page(video))

    async def streamlink(self, site: SimulatedYouTube, video: str) -> Looked:
        """Look at a video, by id or URL, with streamlink."""
        options = {
            "http-proxy": site.proxy_url,
            "http-ssl-verify": str(site.ca_path),
            "http-trust-env": False,
            "http-timeout": 2,
            # Without it renditions whose sound is separate come without sound.
            "ffmpeg-ffmpeg": ffmpeg_path(),
        }
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._streamlink, _with_streamlink, options, page(video))


def _with_ytdlp(options: dict[str, Any], url: str) -> Looked:
    from tests.simulator.youtube.ytdlp_process import extract

    return extract(options, url)


def _with_streamlink(options: dict[str, Any], url: str) -> Looked:
    from tests.simulator.youtube.streamlink_process import find_streams

    return find_streams(options, url)
