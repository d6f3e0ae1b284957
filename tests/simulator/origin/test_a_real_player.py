"""ffmpeg's own HLS client plays what the origin serves: valid in more eyes than our own."""

import asyncio
import re
from pathlib import Path

import pytest

from simulator.origin import (
    TINY,
    ChannelOptions,
    Container,
    LiveOrigin,
    ManualClock,
    Programme,
    Tracks,
    render,
)
from simulator.origin.render import ffmpeg_path

SCENES = (("normal", 2.5), ("black", 3.0), ("silent", 2.5))
SEGMENTS, FRAMES = 8, 80


# Not fragmented MP4 in ranges: over HTTP this ffmpeg joins adjacent ranges into one request and
# then plays the first segment only, of its own single-file output from any server too.
@pytest.mark.parametrize("split", [False, True], ids=["muxed", "split-sound"])
@pytest.mark.parametrize(
    ("container", "byte_range"),
    [
        pytest.param(Container.MPEGTS, False, id="mpegts"),
        pytest.param(Container.MPEGTS, True, id="mpegts-ranges"),
        pytest.param(Container.FMP4, False, id="fmp4"),
    ],
)
async def test_a_player_sees_every_frame(
    origin: LiveOrigin,
    clock: ManualClock,
    cache: Path,
    container: Container,
    byte_range: bool,
    split: bool,
) -> None:
    video, audio = (
        render(
            Programme.of(SCENES, TINY.model_copy(update={"container": container, **more})), cache
        )
        for more in ({"tracks": Tracks.VIDEO if split else Tracks.BOTH}, {"tracks": Tracks.AUDIO})
    )
    options = ChannelOptions(
        window_segments=SEGMENTS, backlog_segments=SEGMENTS, at_end="end", byte_range=byte_range
    )
    channel = origin.add("a", video, audio=audio if split else None, options=options)
    clock.advance(1)
    log = await _play(channel.master_url)
    assert [int(text) for text in re.findall(r"frame= *(\d+)", log)][-1:] == [FRAMES]
    assert "black_start:2." in log
    assert "silence_start: 5." in log


async def test_a_player_plays_over_a_loop(
    origin: LiveOrigin, cache: Path, clock: ManualClock
) -> None:
    rendered = render(Programme.of(SCENES, TINY), cache)
    options = ChannelOptions(window_segments=2 * SEGMENTS, backlog_segments=2 * SEGMENTS)
    channel = origin.add("a", rendered, options=options)
    channel.end()
    clock.advance(1)
    log = await _play(channel.url)
    assert [int(text) for text in re.findall(r"frame= *(\d+)", log)][-1:] == [2 * FRAMES]


async def _play(url: str) -> str:
    player = await asyncio.create_subprocess_exec(
        *(ffmpeg_path(), "-hide_banner", "-nostdin", "-i", url),
        *("-vf", "blackdetect=d=0.5", "-af", "silencedetect=n=-50dB:d=1", "-f", "null", "-"),
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await player.communicate()
    assert player.returncode == 0
    return said.decode()
