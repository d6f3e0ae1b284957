"""Real segments that declare more than they hold of pictures, and healthy ones with few."""

import pytest

from media.decoding.probe import Probe
from monitors.config import Thresholds
from monitors.detectors.freeze import missing_frames
from monitors.frames import DecodeDepth
from monitors.incidents import IncidentOpened
from monitors.measurement import ProbeContext, SegmentMeasurement
from monitors.status import IncidentKind
from tests.media.decoding.measuring import BEGAN_AT, incidents
from tests.media.decoding.packaging import EVERY_TWO_SEC, PICTURE, Packaged, packaged, tone

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOUCHY = Thresholds(blackout_threshold_sec=3, freeze_threshold_sec=3, recovery_sec=1)


def selected(filters: str, *encoder: str, init: str | None = None) -> Packaged:
    """Return segments of 2 s of whose pictures only some are left; the sound is whole."""
    encoders = (*EVERY_TWO_SEC, *encoder, "-fps_mode", "passthrough", "-c:a", "aac")
    in_order = ("-max_interleave_delta", "0")
    return packaged(*PICTURE, *tone(12), "-vf", filters, *encoders, *in_order, init=init)


def missing(measured: SegmentMeasurement) -> list[tuple[float, float]]:
    return [(each.start, each.end) for each in missing_frames(measured)]


@pytest.mark.parametrize("encoder", [(), ("-bf", "0")], ids=["B-frames", "no B-frames"])
async def test_pictures_that_are_mostly_missing(probe: Probe, encoder: tuple[str, ...]) -> None:
    media = selected(r"select=lt(t\,4)+lt(mod(t\,2)\,0.2)", *encoder)
    measured = await media.measured(probe)
    lacking = [pytest.approx((0.2, 2.0), abs=0.05)]
    assert [missing(each) for each in measured] == [
        [],
        [],
        *[lacking] * 3,
        [],
    ]  # the last one declares what it holds
    (opened,) = incidents(measured, TOUCHY)
    assert isinstance(opened, IncidentOpened)
    assert (opened.kind, opened.reason) == (IncidentKind.FREEZE, "video_missing")
    assert (opened.started_at - BEGAN_AT).total_seconds() == pytest.approx(4.2, abs=0.06)


@pytest.mark.parametrize("init", [None, "init.mp4"], ids=["TS", "fMP4"])
async def test_a_segment_that_holds_little_is_not_skimmed(probe: Probe, init: str | None) -> None:
    media = selected(r"select=lt(mod(t\,2)\,0.2)", init=init)
    segment = media.init + media.segments[0]
    found = [
        await probe.measure(
            segment,
            duration_sec=2.0,
            silence_db=-50.0,
            context=ProbeContext(depth=depth),
        )
        for depth in (DecodeDepth.EVERYTHING, DecodeDepth.MOVEMENT, DecodeDepth.KEYFRAME)
    ]
    assert not any(each.is_skimmed for each in found)
    assert [missing(each) for each in found] == [[pytest.approx((0.2, 2.0), abs=0.05)]] * 3
    assert found[0].still == found[1].still == found[2].still


@pytest.mark.parametrize("init", [None, "init.mp4"], ids=["TS", "fMP4"])
@pytest.mark.parametrize(
    ("filters", "encoder"),
    [
        pytest.param("fps=1", (), id="a picture a second"),
        pytest.param("fps=4", (), id="a camera with 4 a second"),
        pytest.param(
            r"select=lt(mod(t\,3)\,1)+eq(mod(t\,1)\,0)", (), id="a screen that changes at times"
        ),
        pytest.param("null", ("-bf", "8", "-b_strategy", "0", "-flags", "-cgop"), id="open GOP"),
    ],
)
async def test_nothing_is_told_of_healthy_pictures(
    probe: Probe, filters: str, encoder: tuple[str, ...], init: str | None
) -> None:
    media = selected(filters, *encoder, init=init)
    assert incidents(await media.measured(probe), TOUCHY) == []


@pytest.mark.parametrize("init", [None, "init.mp4"], ids=["TS", "fMP4"])
async def test_pauses_are_seen_at_any_depth(probe: Probe, init: str | None) -> None:
    media = selected(r"select=lt(mod(t\,2)\,0.2)+gte(mod(t\,2)\,1.8)", init=init)
    segment = media.init + media.segments[0]
    found = [
        await probe.measure(
            segment,
            duration_sec=2.0,
            silence_db=-50.0,
            context=ProbeContext(depth=depth),
        )
        for depth in (DecodeDepth.EVERYTHING, DecodeDepth.KEYFRAME)
    ]
    for each in found:
        assert [(it.start, it.end) for it in each.pauses] == [pytest.approx((0.16, 1.8))]
        assert not each.is_skimmed


@pytest.mark.parametrize("init", [None, "init.mp4"], ids=["TS", "fMP4"])
async def test_durations_that_are_rounded_up_lack_nothing(probe: Probe, init: str | None) -> None:
    media = selected("null", init=init)
    longer = Packaged(media.segments, [sec + 0.5 for sec in media.durations_sec], media.init)
    measured = await longer.measured(probe)
    assert not any(missing(each) for each in measured)
    assert incidents(measured, TOUCHY) == []
