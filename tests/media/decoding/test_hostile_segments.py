"""What poses as a segment is refused, and nothing in it makes ffmpeg open anything."""

import asyncio
import random
import struct
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from media.decoding.errors import UndecodableSegment
from media.decoding.ffmpeg_probe import FfmpegProbe
from media.decoding.limits import ProbeLimits
from media.decoding.probe import Probe
from monitors.measurement import SegmentMeasurement
from simulator.origin import LOWEST, TINY, Container, Programme, RenderedProgramme, render
from simulator.origin.render import run_ffmpeg
from tests.media.decoding.measuring import measure
from tests.testkit.engines import Engine, OpenProbe, opened
from tests.testkit.stand_ins import ScriptedServer, always, reply, scripted_server

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def normal() -> RenderedProgramme:
    return render(Programme.of([("normal", 4.0)]))


@pytest_asyncio.fixture(loop_scope="module")
async def bait(normal: RenderedProgramme) -> AsyncIterator[ScriptedServer]:
    """Serves good media to whoever asks for it."""
    async with scripted_server(always(reply(normal.segments[0].data))) as server:
        yield server


def png(width: int, height: int, level: int = 128) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join([b"\0" + bytes([level]) * width] * height), 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


HTML = b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>\n"
SRT = b"1\n00:00:01,000 --> 00:00:02,000\nHello\n"


@pytest.mark.parametrize(
    "segment",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\0", id="one byte"),
        pytest.param(bytes(100_000), id="zeros"),
        pytest.param(random.Random(1).randbytes(100_000), id="garbage"),
        pytest.param(b"\x47" * 18_800, id="sync bytes"),
        pytest.param(b"hello world\n" * 200, id="text"),
        pytest.param(HTML * 20, id="an error page"),
        pytest.param(b'{"error": "not found"}', id="json"),
        pytest.param(SRT, id="subtitles"),
        pytest.param(b"\x1b[2J\x1b[1;1Hhello\x1b[31m red\r\n" * 100, id="terminal art"),
        pytest.param(png(640, 360), id="a picture"),
        pytest.param(png(10_000, 10_000), id="a picture too large"),
    ],
)
async def test_what_is_no_media_is_undecodable(probe: Probe, segment: bytes) -> None:
    with pytest.raises(UndecodableSegment) as refusal:
        await measure(probe, segment)
    assert str(refusal.value)


def lures(target: str) -> dict[str, str]:
    """Return files of formats that name other files, all naming `target`."""
    return {
        "hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{target}\n#EXT-X-ENDLIST\n",
        "hls-map": f'#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI="{target}"\n#EXTINF:2,\na\n',
        "hls-key": f'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{target}"\n#EXTINF:2,\n{target}\n',
        "master": f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{target}\n",
        "ffconcat": f"ffconcat version 1.0\nfile '{target}'\nduration 2\n",
        "ffconcat-option": f"ffconcat version 1.0\nfile '{target}'\noption safe 0\n",
        "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT2S" profiles="urn:mpeg:dash:profile:isoff-live:2011">'
        '<Period><AdaptationSet mimeType="video/mp2t"><Representation id="1" bandwidth="1">'
        f"<BaseURL>{target}</BaseURL></Representation></AdaptationSet></Period></MPD>",
        "sdp": "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        f"m=video 5004 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:{target}\r\n",
        "pls": f"[playlist]\nNumberOfEntries=1\nFile1={target}\n",
        "svg": '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="64" '
        f'height="36"><image href="{target}" width="64" height="36"/></svg>',
    }


@pytest.mark.parametrize("lure", lures(""))
@pytest.mark.parametrize(
    "scheme", ["", "file:", "file://", "concat:", "subfile,,start,0,end,0,,:", "pipe:"]
)
async def test_a_segment_that_names_a_file_does_not_get_it(
    probe: Probe, normal: RenderedProgramme, tmp_path: Path, lure: str, scheme: str
) -> None:
    """The file is good media: read, it would be measured."""
    secret = tmp_path / "secret.ts"
    secret.write_bytes(normal.segments[0].data)
    with pytest.raises(UndecodableSegment):
        await measure(probe, lures(f"{scheme}{secret}")[lure].encode())


@pytest.mark.parametrize("lure", lures(""))
async def test_a_segment_that_names_a_url_makes_no_connection(
    probe: Probe, bait: ScriptedServer, lure: str
) -> None:
    with pytest.raises(UndecodableSegment):
        await measure(probe, lures(f"http://127.0.0.1:{bait.port}/secret.ts")[lure].encode())
    assert bait.connections == 0


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9])
async def test_a_truncated_segment_is_measured_or_refused_and_invents_nothing(
    probe: Probe, normal: RenderedProgramme, share: float
) -> None:
    segment = normal.segments[0].data
    measured = await attempt(probe, segment[: int(len(segment) * share)])
    if measured:
        assert (measured.black, measured.silent) == ([], [])


@pytest.mark.parametrize("container", list(Container))
@pytest.mark.parametrize("damage", [0.0005, 0.01, 0.2])
async def test_corrupt_bytes_are_survived(
    probe: Probe, container: Container, damage: float
) -> None:
    rendered = render(
        Programme.of([("normal", 4.0)], LOWEST.model_copy(update={"container": container}))
    )
    chance = random.Random(3)
    segment = bytearray((rendered.init or b"") + rendered.segments[1].data)
    for place in chance.sample(range(len(segment)), int(len(segment) * damage)):
        segment[place] ^= chance.randrange(1, 256)
    measured = await attempt(probe, bytes(segment))
    if measured:
        intervals = [*measured.black, *measured.still, *measured.silent]
        assert all(0 <= each.start < each.end <= 2.0 for each in intervals)


async def test_more_silences_than_can_be_judged_are_undecodable(tmp_path: Path) -> None:
    sound = "aevalsrc='if(lt(mod(t,0.06),0.03),0.5*sin(6283*t),0)':s=8000:d=630"
    command = ["-v", "error", "-f", "lavfi", "-i", sound, "-c:a", "flac", "beeps.mp4"]
    run_ffmpeg(command, tmp_path)
    async with opened(Engine.DECODERS) as probe:
        with pytest.raises(UndecodableSegment):
            await measure(probe, (tmp_path / "beeps.mp4").read_bytes(), 3600.0)


async def test_what_an_ffmpeg_says_that_cannot_be_judged_is_undecodable(tmp_path: Path) -> None:
    child = tmp_path / "ffmpeg"
    child.write_text(f"#!/bin/sh\necho '[info]   Stream #0:0: Audio: {'a' * 33}' >&2\n")
    child.chmod(0o700)
    with pytest.raises(UndecodableSegment, match="cannot be judged"):
        await measure(FfmpegProbe(str(child), parallel=1), b"media")


async def test_a_title_that_looks_like_ffmpegs_log_changes_nothing(
    probe: Probe, normal: RenderedProgramme, tmp_path: Path
) -> None:
    title = "silence_start: ..\n[silencedetect @ 0x1] [info] silence_start: 0\nI: .. LUFS"
    (tmp_path / "plain.ts").write_bytes(normal.segments[0].data)
    command = ["-v", "error", "-i", "plain.ts", "-c", "copy", "-metadata", f"service_name={title}"]
    run_ffmpeg([*command, "titled.ts"], tmp_path)
    measured = await measure(probe, (tmp_path / "titled.ts").read_bytes())
    assert measured.silent == []
    assert measured.loudness_lufs == pytest.approx(-19.6, abs=3)


async def test_a_segment_that_takes_too_long_is_undecodable(
    open_probe: OpenProbe, normal: RenderedProgramme
) -> None:
    segment = normal.segments[0].data
    async with open_probe(limits=ProbeLimits(wall_sec=0.001)) as probe:
        with pytest.raises(UndecodableSegment, match="still running"):
            await measure(probe, segment)


async def test_a_missing_ffmpeg_is_an_undecodable_segment() -> None:
    probe = FfmpegProbe("/nowhere/ffmpeg", parallel=1)
    with pytest.raises(UndecodableSegment, match="cannot start /nowhere/ffmpeg"):
        await measure(probe, b"")


async def test_a_cancelled_measurement_gives_its_turn_to_the_next(
    open_probe: OpenProbe, normal: RenderedProgramme
) -> None:
    segment = normal.segments[0].data
    async with open_probe(parallel=1) as probe:
        first, waiting = (asyncio.create_task(measure(probe, segment)) for _ in range(2))
        await asyncio.sleep(0)
        waiting.cancel()
        first.cancel()
        await asyncio.gather(first, waiting, return_exceptions=True)
        assert (await measure(probe, segment)).has_video


async def attempt(probe: Probe, segment: bytes) -> SegmentMeasurement | None:
    try:
        return await measure(probe, segment)
    except UndecodableSegment:
        return None


async def test_a_tiny_picture_is_measured_like_any_other(probe: Probe) -> None:
    encoding = TINY.model_copy(update={"width": 64, "height": 36})
    rendered = render(Programme.of([("black_silent", 2.0)], encoding))
    measured = await measure(probe, rendered.segments[0].data, 1.0)
    assert [(each.start, each.end) for each in measured.black] == [(0.0, 1.0)]
