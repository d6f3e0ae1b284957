"""The commands `yt-dlp` and `streamlink`, with nothing but their environment and options set."""

import asyncio
import json
import os
import sysconfig
from pathlib import Path

from simulator.youtube import RequestKind, SimulatedYouTube, VideoState
from tests.simulator.youtube.conftest import VIDEO_ID
from tests.simulator.youtube.looked import page

_SCRIPTS = Path(sysconfig.get_path("scripts"))


async def _run(site: SimulatedYouTube, *command: str) -> tuple[int | None, bytes, str]:
    process = await asyncio.create_subprocess_exec(
        str(_SCRIPTS / command[0]),
        *command[1:],
        env={**os.environ, **site.environment()},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    return process.returncode, out, errors.decode()


def _ytdlp(*arguments: str) -> list[str]:
    options = ["--ignore-config", "--no-cache-dir", "--compat-options", "no-certifi"]
    return ["yt-dlp", *options, *arguments, page(VIDEO_ID)]


async def test_ytdlp_trusts_the_authority_and_finds_the_stream(site: SimulatedYouTube) -> None:
    site.video(VIDEO_ID).go_live()
    code, out, errors = await _run(site, *_ytdlp("--dump-json", "--format", "91"))
    assert (code, errors) == (0, "")
    found = json.loads(out)
    assert found["is_live"] is True
    assert f"/id/{VIDEO_ID}.1/" in found["url"]
    assert site.requests.extractions() == 1


async def test_ytdlp_says_why_not_and_fails(site: SimulatedYouTube) -> None:
    site.video(VIDEO_ID).say(VideoState.MEMBERS_ONLY)
    code, _, errors = await _run(site, *_ytdlp("--simulate"))
    assert code == 1
    assert "members-only content" in errors


async def test_streamlink_plays_segments(site: SimulatedYouTube) -> None:
    site.video(VIDEO_ID).go_live()
    options = ["--no-config", "--hls-duration", "2", "--stdout", page(VIDEO_ID), "144p"]
    code, out, errors = await _run(site, "streamlink", *options)
    assert code == 0, errors
    assert out.startswith(b"\x47"), "MPEG-TS packets begin with 0x47"
    assert {seen.status for seen in site.requests.of(RequestKind.SEGMENT)} == {200}
