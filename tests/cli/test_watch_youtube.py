"""`stream-tracker watch` of a YouTube video reaches it by the same settings as a worker."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from simulator.youtube import MediaEnd, RequestKind, SimulatedYouTube, Video, VideoState
from tests.testkit.children import SCRIPTS, STREAM_TRACKER, Finished, environment, run

VIDEO_ID = "aaaaaaaaaaa"
URL = f"https://www.youtube.com/watch?v={VIDEO_ID}"
COOKIES = "# Netscape HTTP Cookie File\n.youtube.com\tTRUE\t/\tTRUE\t4102444800\tONE\ttwo\n"
YTDLP = """
cp /dev/stdin {folder}/cookies-given
exec {scripts}/yt-dlp "$@" < {folder}/cookies-given
"""
STREAMLINK = """
touch {folder}/streamlink-was-asked
exec {scripts}/streamlink "$@"
"""


def script(path: Path, text: str) -> str:
    path.write_text("#!/bin/sh" + text.format(folder=path.parent, scripts=SCRIPTS))
    path.chmod(0o700)
    return str(path)


async def watch(folder: Path, site: SimulatedYouTube, *, play: Video, **variables: str) -> Finished:
    """Watch the video until it ends, which is soon after its segments are asked for."""
    led = {"HTTPS_PROXY": site.proxy_url, "CA_BUNDLE": str(site.ca_path)}
    command = [STREAM_TRACKER, "watch", URL, "--json"]
    watching = asyncio.create_task(run(command, folder, {**led, **variables}, within_sec=60))
    await site.requests.until(lambda log: log.of(RequestKind.SEGMENT), timeout_sec=45)
    play.script((3, lambda video: video.end(media=MediaEnd.ENDLIST)))
    return await watching


def lines(done: Finished) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.out.splitlines()]


async def test_executables_and_cookies_are_those_of_the_settings(tmp_path: Path) -> None:
    cookies = tmp_path / "cookies.txt"
    cookies.write_text(COOKIES)
    async with SimulatedYouTube() as site:
        video = site.video(VIDEO_ID)
        video.go_live()
        video.manifest_clients = frozenset({"ANDROID"})  # streamlink asks as that one
        done = await watch(
            tmp_path,
            site,
            play=video,
            YTDLP_PATH=script(tmp_path / "my-yt-dlp", YTDLP),
            STREAMLINK_PATH=script(tmp_path / "my-streamlink", STREAMLINK),
            YTDLP_COOKIES_FILE=str(cookies),
            EGRESS_REQUEST_INTERVAL_SEC="0.1",
        )
    assert done.code == 0, done.err
    assert "ONE\ttwo" in (tmp_path / "cookies-given").read_text()
    assert (tmp_path / "streamlink-was-asked").exists()
    kinds = {line["kind"] for line in lines(done)}
    assert kinds >= {"segment", "ended"}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("YTDLP_PATH", "/nowhere/yt-dlp"),
        ("STREAMLINK_PATH", "/nowhere/streamlink"),
        ("YTDLP_COOKIES_FILE", "/nowhere/cookies.txt"),
        ("EGRESS_REQUEST_INTERVAL_SEC", "0"),
        ("SEGMENT_MAX_BYTES", "1"),
        ("YOUTUBE_URLS_DIR", "/dev/null/urls"),
        ("YOUTUBE_URLS_DIR", "/usr"),
    ],
)
async def test_a_bad_setting_is_one_line(tmp_path: Path, variable: str, value: str) -> None:
    done = await run([STREAM_TRACKER, "watch", URL], tmp_path, {variable: value})
    assert done.code == 2
    assert done.err.startswith(f"{variable}: ")
    assert done.err.count("\n") == 1


async def test_why_a_stream_is_not_seen_is_told_apart_from_the_log(tmp_path: Path) -> None:
    async with SimulatedYouTube() as site:
        site.say(VideoState.BOT_CHECK)
        process = await asyncio.create_subprocess_exec(
            *(STREAM_TRACKER, "watch", URL, "--json"),
            env=environment(tmp_path, HTTPS_PROXY=site.proxy_url, CA_BUNDLE=str(site.ca_path)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            assert process.stdout
            first = json.loads(await asyncio.wait_for(process.stdout.readline(), 40))
        finally:
            process.terminate()
            await process.communicate()
    assert (first["kind"], first["video"]) == ("health", "unknown")
    assert "no bot" in first["reason"]
