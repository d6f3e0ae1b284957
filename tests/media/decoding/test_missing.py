"""Sound and pictures that real segments declare and do not hold."""

import pytest

from media.decoding.probe import Probe
from monitors.config import Thresholds
from monitors.incidents import IncidentClosed, IncidentOpened
from monitors.measurement import SegmentMeasurement
from monitors.status import IncidentKind
from tests.media.decoding.measuring import BEGAN_AT, incidents
from tests.media.decoding.packaging import (
    EVERY_TWO_SEC,
    H264,
    PICTURE,
    packaged,
    tone,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOUCHY = Thresholds(
    blackout_threshold_sec=3, silence_threshold_sec=3, freeze_threshold_sec=3, recovery_sec=1
)
SOUNDS = [
    pytest.param(("-c:a", "aac"), 48_000, id="AAC"),
    pytest.param(("-c:a", "aac", "-b:a", "24k"), 44_100, id="AAC at 24 kbit/s"),
    pytest.param(("-c:a", "libmp3lame"), 44_100, id="MP3"),
    pytest.param(("-c:a", "mp2"), 48_000, id="MP2"),
    pytest.param(("-c:a", "ac3"), 48_000, id="AC-3"),
]


def gaps(measured: SegmentMeasurement) -> list[tuple[float, float]]:
    return [(gap.start, gap.end) for gap in measured.audio_gaps if gap.end - gap.start > 0.25]


@pytest.mark.parametrize("init", [None, "init.mp4"], ids=["TS", "fMP4"])
@pytest.mark.parametrize(("encoder", "rate_hz"), SOUNDS)
async def test_sound_that_stops_is_missing_to_the_moment(
    probe: Probe, encoder: tuple[str, ...], rate_hz: int, init: str | None
) -> None:
    media = packaged(*PICTURE, *tone(5, rate_hz), *EVERY_TWO_SEC, *encoder, init=init)
    measured = await media.measured(probe)
    assert all(each.has_audio for each in measured)
    assert [gaps(each) for each in measured] == [
        *([], []),
        [pytest.approx((1.0, 2.0), abs=0.05)],
        *[[pytest.approx((0.0, 2.0), abs=0.05)]] * 3,
    ]
    (opened,) = incidents(measured, TOUCHY)
    assert isinstance(opened, IncidentOpened)
    assert (opened.kind, opened.reason) == (IncidentKind.SILENCE, "audio_missing")
    assert (opened.started_at - BEGAN_AT).total_seconds() == pytest.approx(5.0, abs=0.05)


@pytest.mark.parametrize("init", [None, "init.mp4"], ids=["TS", "fMP4"])
@pytest.mark.parametrize(("encoder", "rate_hz"), SOUNDS)
async def test_sound_is_timed_from_the_first_picture(
    probe: Probe, encoder: tuple[str, ...], rate_hz: int, init: str | None
) -> None:
    muted = ("-af", "volume=0:enable='between(t,3.4,8.2)'")
    media = packaged(*PICTURE, *tone(12, rate_hz), *EVERY_TWO_SEC, *muted, *encoder, init=init)
    opened, closed = incidents(await media.measured(probe), TOUCHY)
    assert isinstance(closed, IncidentClosed)
    assert opened.kind is closed.kind is IncidentKind.SILENCE
    frame_sec = 1152 / rate_hz  # the filter switches at frames; codecs smear by one
    times = [(each - BEGAN_AT).total_seconds() for each in (closed.started_at, closed.recovered_at)]
    assert times == pytest.approx([3.4, 8.2], abs=0.01 + 2 * frame_sec)


@pytest.mark.parametrize("sound", [("-c:a", "libopus"), ("-c:a", "flac"), ("-c:a", "alac")])
async def test_whole_sound_has_no_gap(probe: Probe, sound: tuple[str, ...]) -> None:
    media = packaged(*PICTURE, *tone(12), *EVERY_TWO_SEC, *sound, init="init.mp4")
    measured = await media.measured(probe)
    assert not any(gaps(each) for each in measured)
    assert incidents(measured, TOUCHY) == []


@pytest.mark.parametrize("rate", ["30000/1001", "24000/1001", "50", "8"])
async def test_at_any_picture_rate_nothing_is_missing(probe: Probe, rate: str) -> None:
    picture = ("-f", "lavfi", "-i", f"testsrc2=s=160x90:r={rate}:d=12")
    media = packaged(*picture, *tone(12, 44_100), *EVERY_TWO_SEC, "-c:a", "aac")
    touchy = TOUCHY.model_copy(update={"silence_threshold_sec": 0.1})
    assert incidents(await media.measured(probe), touchy) == []


async def test_a_picture_every_five_seconds_is_not_missing_and_neither_is_its_sound(
    probe: Probe,
) -> None:
    slides = ("-f", "lavfi", "-i", "testsrc2=s=160x90:r=1/5:d=60")
    encoder = (*H264, "-tune", "zerolatency", "-g", "1", "-c:a", "aac")
    in_order = ("-max_interleave_delta", "0")
    media = packaged(*slides, *tone(60), *encoder, *in_order)
    measured = await media.measured(probe)
    assert len(measured) == 12
    assert not any(each.is_video_missing for each in measured)
    assert incidents(measured, Thresholds(silence_threshold_sec=6, freeze_threshold_sec=8)) == []


async def test_a_track_that_begins_later_is_missing_until_then(probe: Probe) -> None:
    media = packaged(*PICTURE, "-itsoffset", "5", *tone(7), *EVERY_TWO_SEC, "-c:a", "aac")
    opened, closed = incidents(await media.measured(probe), TOUCHY)
    assert isinstance(opened, IncidentOpened)
    assert isinstance(closed, IncidentClosed)
    assert opened.reason == "audio_missing"
    assert closed.total_duration_sec == pytest.approx(5.0, abs=0.05)


@pytest.mark.parametrize("init", [None, "init.mp4"], ids=["TS", "fMP4"])
async def test_a_picture_that_is_declared_and_never_comes(probe: Probe, init: str | None) -> None:
    """Each segment of the sound behind the tables of one with both."""
    media = packaged(*PICTURE, *tone(12), *EVERY_TWO_SEC, "-c:a", "aac", init=init)
    stripped = [without_pictures(each, media.init) for each in media.segments]
    measured = [
        await probe.measure(media.init + data, duration_sec=2.0, silence_db=-50.0)
        for data in stripped
    ]
    assert all(each.has_video and each.is_video_missing for each in measured)
    assert not any(gap for each in measured for gap in gaps(each))
    (opened,) = incidents(measured, TOUCHY)
    assert isinstance(opened, IncidentOpened)
    assert (opened.kind, opened.reason) == (IncidentKind.BLACKOUT, "video_missing")


TS_PACKET_BYTES = 188
VIDEO_PID = 0x100


def without_pictures(segment: bytes, init: bytes) -> bytes:
    """Take the pictures out and leave their track declared."""
    if init:
        return _fragment_without_pictures(segment)
    packets = [segment[at:][:TS_PACKET_BYTES] for at in range(0, len(segment), TS_PACKET_BYTES)]
    return b"".join(
        packet for packet in packets if int.from_bytes(packet[1:3]) & 0x1FFF != VIDEO_PID
    )


def _fragment_without_pictures(segment: bytes) -> bytes:
    """Make each `traf` of track 1 one that players pass over (ISO/IEC 14496-12, 8.8.6)."""
    found, made = 0, segment
    while (found := made.find(b"traf", found)) >= 0:
        track_id = int.from_bytes(made[found + 16 : found + 20])
        if track_id == 1:
            made = made[:found] + b"free" + made[found + 4 :]
        found += 4
    return made
