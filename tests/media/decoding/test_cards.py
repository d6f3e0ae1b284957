"""Colour bars and slates, encoded by a real encoder, measured by the real decoder."""

from pathlib import Path

import pytest

from media.decoding.probe import Probe
from monitors.config import Thresholds
from monitors.detectors.media_detectors import MediaDetectors
from monitors.frames import FRAME_HEIGHT, FRAME_WIDTH, DecodeDepth
from monitors.incidents import IncidentChange, IncidentClosed
from monitors.measurement import Interval, ProbeContext, ReferenceSlates, SegmentMeasurement
from simulator.origin.render import run_ffmpeg
from tests.media.decoding.measuring import BEGAN_AT, SILENCE_DB, position

pytestmark = pytest.mark.asyncio(loop_scope="module")

DURATION_SEC = 2.0
WHOLE = [Interval(start=0.0, end=DURATION_SEC)]


def encoded(folder: Path, graph: str, kbps: int = 100) -> bytes:
    rate = f"{kbps}k"
    arguments = ["-v", "error", "-f", "lavfi", "-i", graph, "-t", str(DURATION_SEC)]
    arguments += ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-g", "30"]
    arguments += ["-b:v", rate, "-maxrate", rate, "-bufsize", rate, "-f", "mpegts", "one.ts"]
    run_ffmpeg(arguments, folder)
    return (folder / "one.ts").read_bytes()


def cut(folder: Path, graph: str) -> list[bytes]:
    """Encode 30 s into segments of 2 s."""
    arguments = ["-v", "error", "-f", "lavfi", "-i", graph, "-t", "30", "-c:v", "libx264"]
    arguments += ["-preset", "veryfast", "-pix_fmt", "yuv420p", "-b:v", "200k", "-g", "30"]
    arguments += ["-sc_threshold", "0", "-f", "segment", "-segment_time", "2"]
    run_ffmpeg([*arguments, "-segment_format", "mpegts", "%03d.ts"], folder)
    return [file.read_bytes() for file in sorted(folder.glob("*.ts"))]


async def measured(
    probe: Probe, segment: bytes, slates: ReferenceSlates | None = None
) -> SegmentMeasurement:
    return await probe.measure(
        segment,
        duration_sec=DURATION_SEC,
        silence_db=SILENCE_DB,
        context=ProbeContext(slates=slates),
    )


SIZE = "s=256x144:r=15"
BARS = f"smptehdbars={SIZE}"


@pytest.mark.parametrize(
    "graph",
    [
        pytest.param(f"smptebars={SIZE}", id="SMPTE"),
        pytest.param(BARS, id="SMPTE RP 219"),
        pytest.param(f"pal75bars={SIZE}", id="EBU 75 %"),
        pytest.param(f"pal100bars={SIZE}", id="EBU 100 %"),
        pytest.param("smptehdbars=s=1280x720:r=15,scale=256:144", id="scaled down"),
        pytest.param(f"pal75bars={SIZE},scroll=h=0.01", id="rolling"),
        pytest.param(
            f"{BARS}[a];color=white:s=60x24[b];[a][b]overlay=x='mod(80*t,190)':y=20:shortest=1",
            id="with a moving ident",
        ),
    ],
)
async def test_bars_are_found(probe: Probe, tmp_path: Path, graph: str) -> None:
    assert (await measured(probe, encoded(tmp_path, graph))).bars == WHOLE


@pytest.mark.parametrize(
    "graph",
    [
        pytest.param(f"testsrc2={SIZE}", id="a moving test picture"),
        pytest.param(f"rgbtestsrc={SIZE}", id="three colours"),
        pytest.param(f"color=gray:{SIZE},noise=alls=60:allf=t", id="noise"),
        pytest.param(f"gradients={SIZE}:c0=red:c1=blue:n=2", id="a gradient"),
        pytest.param(f"mandelbrot={SIZE}", id="a colourful picture"),
        pytest.param(f"{BARS},hflip", id="bars in another order"),
    ],
)
async def test_other_pictures_are_no_bars(probe: Probe, tmp_path: Path, graph: str) -> None:
    assert (await measured(probe, encoded(tmp_path, graph))).bars == []


async def test_bars_are_timed_to_a_frame(probe: Probe, tmp_path: Path) -> None:
    switched = f"testsrc2={SIZE}[a];{BARS}[b];[a][b]overlay=enable='gte(t,0.8)':shortest=1"
    found = await measured(probe, encoded(tmp_path, switched, kbps=300))
    (span,) = found.bars
    assert (span.start, span.end) == pytest.approx((0.8, 2.0), abs=1 / 15 + 1e-6)


SLATE = "color=0x203060:{size},drawbox=x=iw/4:y=ih/3:w=iw/2:h=ih/4:color=0xe0c040:t=fill"


def slates(folder: Path, **graphs: str) -> ReferenceSlates:
    pictures = {}
    for name, graph in graphs.items():
        scale = f"{graph},scale={FRAME_WIDTH}:{FRAME_HEIGHT}:flags=area,format=rgb24"
        arguments = ["-v", "error", "-f", "lavfi", "-i", scale, "-frames:v", "1"]
        run_ffmpeg([*arguments, "-f", "rawvideo", f"{name}.rgb"], folder)
        pictures[name] = (folder / f"{name}.rgb").read_bytes()
    return ReferenceSlates.of(pictures)


ON_AIR = SLATE.format(size=SIZE)
UPLOADED = SLATE.format(size="s=1920x1080")
TWIN = UPLOADED + ",drawbox=x=iw/4:y=ih*0.7:w=iw/2:h=ih/8:color=0xe0c040:t=fill"


@pytest.mark.parametrize(
    ("graph", "number"),
    [
        pytest.param(ON_AIR, 0, id="as it was uploaded"),
        pytest.param(f"{ON_AIR},crop=252:142:2:1,scale=256:144", 0, id="cut a little otherwise"),
        pytest.param(
            f"{ON_AIR},drawbox=x=220:y=4:w=30:h=14:color=white:t=fill", 0, id="behind a clock"
        ),
        pytest.param(TWIN.replace("1920x1080", "256x144:r=15"), 1, id="its twin"),
        pytest.param(f"{ON_AIR},hue=s=0", 0, id="without colour"),
        pytest.param(f"testsrc2={SIZE}", None, id="a programme"),
        pytest.param(f"color=0x203060:{SIZE}", None, id="its background"),
        pytest.param(f"{ON_AIR},negate", None, id="its negative"),
    ],
)
async def test_a_slate_is_recognised(
    probe: Probe, tmp_path: Path, graph: str, number: int | None
) -> None:
    known = slates(tmp_path, one=UPLOADED, other=TWIN)
    found = await measured(probe, encoded(tmp_path, graph), known)
    assert found.slate_names == ("one", "other")
    assert [(it.number, it.start, it.end) for it in found.slates] == (
        [] if number is None else [(number, 0.0, DURATION_SEC)]
    )


async def test_black_is_no_dark_slate(probe: Probe, tmp_path: Path) -> None:
    dark = "color=black:s=640x360,drawbox=x=250:y=170:w=140:h=12:color=0x909090:t=fill"
    found = await measured(
        probe, encoded(tmp_path, f"color=black:{SIZE}"), slates(tmp_path, d=dark)
    )
    assert (found.slates, found.black) == ([], WHOLE)


async def test_where_no_slates_are_known_none_are_looked_for(probe: Probe, tmp_path: Path) -> None:
    assert (await measured(probe, encoded(tmp_path, ON_AIR))).slate_names is None


async def test_bars_that_begin_within_a_skimmed_segment_are_timed_to_a_frame(
    probe: Probe, tmp_path: Path
) -> None:
    graph = f"testsrc2={SIZE}[a];{BARS}[b];[a][b]overlay=enable='between(t,9.4,21.2)':shortest=1"
    segments = cut(tmp_path, graph)
    rules = Thresholds(test_signal_threshold_sec=10, silence_threshold_sec=0, recovery_sec=2)
    detectors = MediaDetectors()
    changes: list[IncidentChange] = []
    depths: list[DecodeDepth] = []
    for number, segment in enumerate(segments):
        context = detectors.probe_context(2.0, rules)
        depths.append(context.depth)
        found = await probe.measure(
            segment, duration_sec=2.0, silence_db=SILENCE_DB, context=context
        )
        due = [
            await measured(probe, segments[each.position.sequence])
            for each in detectors.video.due_before(found)
        ]
        detectors.video.judge_deferred(due, rules)
        changes += detectors.feed(found, position(number, [2.0] * len(segments)), rules)
    opened, closed = changes
    assert isinstance(closed, IncidentClosed)
    times = (opened.started_at - BEGAN_AT, closed.recovered_at - BEGAN_AT)
    assert [each.total_seconds() for each in times] == pytest.approx([9.4, 21.2], abs=0.1)
    assert depths[:5] == [DecodeDepth.KEYFRAME] * 5
