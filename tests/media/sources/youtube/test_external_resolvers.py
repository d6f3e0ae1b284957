"""Executables of the user instead of the libraries."""

import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from media.sources.source import SourceState
from media.sources.youtube.classifier import classify
from media.sources.youtube.external_resolvers import ExternalResolvers, read_streamlink, read_ytdlp
from media.sources.youtube.resolution import ResolveRequest, ResolverFailed, ResolverTimedOut
from media.sources.youtube.resolver_options import PollDepth, Resolver, YouTubeOptions
from simulator.youtube import SimulatedYouTube, Video, VideoState
from tests.media.sources.youtube.conftest import VIDEO_ID

MakeOptions = Callable[..., YouTubeOptions]
YTDLP = ResolveRequest(Resolver.YTDLP, PollDepth.MEDIA, VIDEO_ID)
STATUS = ResolveRequest(Resolver.YTDLP, PollDepth.STATUS, VIDEO_ID)
STREAMLINK = ResolveRequest(Resolver.STREAMLINK, PollDepth.MEDIA, VIDEO_ID)
SCRIPTS = Path(sys.executable).parent
COOKIES = "# Netscape HTTP Cookie File\n.youtube.com\tTRUE\t/\tTRUE\t4102444800\tONE\ttwo\n"


@asynccontextmanager
async def executables(options: YouTubeOptions) -> AsyncIterator[ExternalResolvers]:
    resolvers = ExternalResolvers(options)
    try:
        yield resolvers
    finally:
        await resolvers.close()


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return path


async def test_ytdlp(
    options: MakeOptions, video: Video, site: SimulatedYouTube, tmp_path: Path
) -> None:
    cookies = tmp_path / "cookies.txt"
    cookies.write_text(COOKIES)
    asked = options(ytdlp_path=SCRIPTS / "yt-dlp", cookies_file=cookies)
    async with executables(asked) as resolvers:
        live = classify(await resolvers.resolve(YTDLP))
        assert live.media is not None
        assert "/itag/91/" in live.media.main
        mark = len(site.requests)
        assert classify(await resolvers.resolve(STATUS)).state is SourceState.LIVE
        assert len(site.requests) == mark + 1
        video.say(VideoState.PRIVATE)
        assert classify(await resolvers.resolve(YTDLP)).reason == "video_private"
    assert cookies.read_text() == COOKIES


async def test_streamlink(options: MakeOptions, video: Video) -> None:
    async with executables(options(streamlink_path=SCRIPTS / "streamlink")) as resolvers:
        live = classify(await resolvers.resolve(STREAMLINK))
        assert live.media is not None
        assert "hls_variant" in live.media.main
        video.say(VideoState.PRIVATE)
        assert classify(await resolvers.resolve(STREAMLINK)).state is SourceState.NOT_OBSERVED


async def test_nothing_secret_is_an_argument(options: MakeOptions, tmp_path: Path) -> None:
    told = tmp_path / "arguments"
    fake = script(tmp_path / "yt-dlp", f'printf "%s\\n" "$@" > {told}; echo "{{}}"')
    cookies = tmp_path / "cookies.txt"
    cookies.write_text(COOKIES)
    secrets = options(
        ytdlp_path=fake,
        cookies_file=cookies,
        proxy="http://me:SECRET@127.0.0.1:1",
        extractor_args=("youtube:po_token=web.gvs+SECRET",),
    )
    async with executables(secrets) as resolvers:
        await resolvers.resolve(YTDLP)
    assert "SECRET" not in told.read_text()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param("exec sleep 60", ResolverTimedOut, id="hangs"),
        pytest.param("exit 1", ResolverFailed, id="says-nothing"),
        pytest.param("echo '{\"formats'", ResolverFailed, id="breaks-off"),
        pytest.param("exec /nonexistent", ResolverFailed, id="cannot-run"),
    ],
)
async def test_an_executable_that_fails(
    options: MakeOptions, tmp_path: Path, text: str, error: type[ResolverFailed]
) -> None:
    fake = script(tmp_path / "yt-dlp", text)
    asked = options(ytdlp_path=fake, extraction_timeout_sec=0.5)
    async with executables(asked) as resolvers:
        with pytest.raises(error):
            await resolvers.resolve(YTDLP)


async def test_an_executable_that_is_not_there(options: MakeOptions, tmp_path: Path) -> None:
    async with executables(options(ytdlp_path=tmp_path / "none")) as resolvers:
        with pytest.raises(ResolverFailed):
            await resolvers.resolve(YTDLP)


def test_the_last_warning_on_the_video_is_the_sites_reason() -> None:
    warnings = (
        f"WARNING: [youtube] {VIDEO_ID}: Unable to download API page: HTTP Error 403: Forbidden\n"
        "WARNING: [youtube] Video unavailable. This video is not available\n"
        "WARNING: No video formats found!\n"
        'WARNING: Extractor failed to obtain "title". Creating a generic title instead\n'
    )
    found = read_ytdlp(YTDLP, json.dumps({"live_status": None}).encode(), warnings.encode())
    assert found.reasons == ("Video unavailable. This video is not available",)
    assert classify(found).reason == "video_removed"


def test_an_error_without_json() -> None:
    said = f"ERROR: [youtube] {VIDEO_ID}: Failed to extract any player response".encode()
    assert classify(read_ytdlp(YTDLP, b"", said)).reason == "client_broken"


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        pytest.param(
            {"error": "No playable streams found on this URL: x"}, "client_broken", id="no"
        ),
        pytest.param(
            {"error": "Unable to open URL: x (429 Client Error: Too Many Requests for url: x)"},
            "rate_limited",
            id="429",
        ),
        pytest.param(
            {"error": "Unable to open URL: x (Max retries exceeded)"}, "network", id="away"
        ),
    ],
)
def test_what_streamlink_prints(told: dict[str, Any], reason: str) -> None:
    assert classify(read_streamlink(STREAMLINK, json.dumps(told).encode())).reason == reason


def test_halves_of_surrogate_pairs_are_replaced_as_nothing_can_store_them() -> None:
    ytdlp = read_ytdlp(YTDLP, rb'{"title": "a\ud83d", "live_status": "is_live"}', b"")
    streamlink = read_streamlink(STREAMLINK, rb'{"metadata": {"title": "a\ud83d"}}')
    assert (ytdlp.title, streamlink.title) == ("a?", "a?")
