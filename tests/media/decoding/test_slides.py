"""A stream of few pictures after one of many: slides are held, other pictures are missing."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from media.decoding.probe import Probe
from monitors.config import Thresholds
from simulator.origin.render import run_ffmpeg
from tests.media.decoding.measuring import incidents

pytestmark = pytest.mark.asyncio(loop_scope="module")

FREEZE = Thresholds(freeze_threshold_sec=15, blackout_threshold_sec=0, silence_threshold_sec=0)
TALK_SEC, SLIDES, SLIDE_SEC = 66, 8, 5


def slide(number: int) -> Image.Image:
    page = Image.new("RGB", (128, 72), (240, 240, 235))
    for line in range(4):
        width = 30 + (number * 37 + line * 23) % 80
        ImageDraw.Draw(page).rectangle((8, 10 + 14 * line, 8 + width, 16 + 14 * line), (30, 30, 40))
    return page


def view(number: int) -> Image.Image:
    """What a camera sees: no part of it is of one level."""
    page = Image.linear_gradient("L").resize((128, 72)).rotate(7 * number).convert("RGB")
    ImageDraw.Draw(page).ellipse((10 * number, 20, 10 * number + 30, 50), (200, 120, 90))
    return page


def encoded(folder: Path, held: Callable[[int], Image.Image]) -> list[tuple[bytes, float]]:
    """Encode a talk of 10 pictures a second, and then one that is held each five seconds."""
    for number in range(SLIDES):
        held(number).save(folder / f"{number}.png")
    talk = f"testsrc2=s=128x72:r=10:d={TALK_SEC}"
    arguments = ["-v", "error", "-f", "lavfi", "-i", talk, "-framerate", f"1/{SLIDE_SEC}"]
    arguments += ["-i", "%d.png", "-filter_complex", "[0][1]concat,format=yuv420p"]
    arguments += ["-fps_mode", "vfr", "-c:v", "libx264", "-preset", "ultrafast", "-threads", "1"]
    arguments += ["-force_key_frames", "expr:gte(t,n_forced*6)", "-g", "1000"]
    arguments += ["-f", "hls", "-hls_time", "6", "-hls_list_size", "0", "list.m3u8"]
    run_ffmpeg(arguments, folder)
    lines = (folder / "list.m3u8").read_text().splitlines()
    seconds = [float(it[8:].rstrip(",")) for it in lines if it.startswith("#EXTINF:")]
    names = [it for it in lines if it and not it.startswith("#")]
    return [((folder / name).read_bytes(), sec) for name, sec in zip(names, seconds, strict=True)]


@pytest.mark.parametrize(
    ("held", "kinds"),
    [pytest.param(slide, [], id="slides"), pytest.param(view, ["video_missing"], id="a camera")],
)
async def test_slides_after_a_talk_need_few_pictures(
    probe: Probe, tmp_path: Path, held: Callable[[int], Image.Image], kinds: list[str]
) -> None:
    measured = [
        await probe.measure(data, duration_sec=sec, silence_db=-50.0)
        for data, sec in encoded(tmp_path, held)
    ]
    assert sum(len(each.pauses) for each in measured) >= SLIDES - 1
    opened = [each for each in incidents(measured, FREEZE) if each.change == "opened"]
    assert [each.reason for each in opened] == kinds
