"""Segments that cannot be decoded alone are decoded with what came before them."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio

from media.decoding.errors import UndecodableSegment
from media.decoding.probe import Probe
from media.hls.playlist import InitSegment, Segment
from media.watching.preroll import KEPT_FOR_SEGMENTS, MOST_BYTES, Lead
from monitors.frames import DecodeDepth
from monitors.measurement import ProbeContext, SegmentMeasurement
from simulator.origin.render import run_ffmpeg
from tests.testkit.engines import opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEGMENT_SEC = 1.0
KEYFRAME_EVERY = 4
BLACK = (5.2, 6.6)
PICTURE_SEC = 0.04


@dataclass(frozen=True)
class Stream:
    """Segments of a second, of which each fourth begins with a keyframe."""

    init: bytes
    segments: list[bytes]


def rendered(folder: Path, codec: str, kind: str, *, every: float = KEYFRAME_EVERY) -> Stream:
    fps = 25
    black = f"drawbox=c=black:t=fill:enable='between(t,{BLACK[0]},{BLACK[1] - 0.001})'"
    source = f"testsrc2=s=320x180:r={fps}:d=12,{black}"
    sound = ["-f", "lavfi", "-i", "sine=500:d=12", "-c:a", "aac"]
    gop = [
        "-g",
        str(round(every * fps)),
        "-keyint_min",
        str(round(every * fps)),
        "-sc_threshold",
        "0",
        "-bf",
        "0",
    ]
    hls = ["-f", "hls", "-hls_time", "1", "-hls_flags", "split_by_time", "-hls_list_size", "0"]
    name = "%d.m4s" if kind == "fmp4" else "%d.ts"
    hls += ["-hls_segment_type", kind, "-hls_segment_filename", name, "index.m3u8"]
    run_ffmpeg(
        ["-v", "error", "-f", "lavfi", "-i", source, *sound, "-c:v", codec, *gop, *hls], folder
    )
    paths = [folder / (name % number) for number in range(12)]
    init = (folder / "init.mp4").read_bytes() if kind == "fmp4" else b""
    return Stream(init, [path.read_bytes() for path in paths])


def named(sequence: int, init: InitSegment | None = None) -> Segment:
    return Segment(
        uri=f"http://127.0.0.1/{sequence}",
        sequence=sequence,
        duration_sec=SEGMENT_SEC,
        discontinuity_sequence=0,
        init=init,
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def probe() -> AsyncIterator[Probe]:
    async with opened(with_loudness=False) as opened_probe:
        yield opened_probe


async def measure(
    probe: Probe, media: bytes, context: ProbeContext | None = None
) -> SegmentMeasurement | None:
    try:
        return await probe.measure(
            media, duration_sec=SEGMENT_SEC, silence_db=-50.0, context=context
        )
    except UndecodableSegment:
        return None


async def measured_in_turn(
    probe: Probe, stream: Stream, depth: DecodeDepth
) -> list[SegmentMeasurement | None]:
    lead, found = Lead(), list[SegmentMeasurement | None]()
    init = InitSegment(uri="http://127.0.0.1/init") if stream.init else None
    for sequence, media in enumerate(stream.segments):
        segment = named(sequence, init)
        context = lead.with_lead(ProbeContext(depth=depth), segment)
        measured = await measure(probe, stream.init + media, context)
        lead.note(segment, stream.init + media, stream.init, measured)
        found.append(measured)
    return found


@pytest.mark.parametrize("depth", [DecodeDepth.EVERYTHING, DecodeDepth.KEYFRAME])
@pytest.mark.parametrize(
    ("codec", "kind"),
    [("libx264", "mpegts"), ("libx264", "fmp4"), ("libx265", "mpegts"), ("mpeg2video", "mpegts")],
)
async def test_pictures_that_build_on_segments_before_are_seen_from_the_second_keyframe_on(
    probe: Probe, tmp_path: Path, codec: str, kind: str, depth: DecodeDepth
) -> None:
    found = await measured_in_turn(probe, rendered(tmp_path, codec, kind), depth)
    broken = [number for number, each in enumerate(found) if each is None or each.video_error]
    assert broken == [1, 2, 3]
    black = {
        number: [(span.start, span.end) for span in each.black]
        for number, each in enumerate(found)
        if each and each.black
    }
    assert black == {
        5: [pytest.approx((0.2, 1.0), abs=PICTURE_SEC)],
        6: [pytest.approx((0.0, 0.6), abs=PICTURE_SEC)],
    }


@pytest.mark.parametrize(
    ("codec", "kind"), [("libx264", "mpegts"), ("libx264", "fmp4"), ("libx265", "mpegts")]
)
async def test_a_keyframe_within_a_segment_is_enough_for_the_next_one(
    probe: Probe, tmp_path: Path, codec: str, kind: str
) -> None:
    """No segment but the first begins with a keyframe, and each has one."""
    stream = rendered(tmp_path, codec, kind, every=0.76)
    found = await measured_in_turn(probe, stream, DecodeDepth.EVERYTHING)
    assert [each.needs_lead for each in found if each] == [False] + 11 * [True]
    unseen = [each.video_unseen_sec for each in found if each]
    assert unseen == [0.0, pytest.approx(0.52), *10 * [0.0]]
    black = {
        number: [(span.start, span.end) for span in each.black]
        for number, each in enumerate(found)
        if each and each.black
    }
    assert black == {
        5: [pytest.approx((0.2, 1.0), abs=PICTURE_SEC)],
        6: [pytest.approx((0.0, 0.6), abs=PICTURE_SEC)],
    }


async def test_pictures_before_the_first_that_can_be_decoded_are_not_called_black(
    probe: Probe, tmp_path: Path
) -> None:
    stream = rendered(tmp_path, "libx264", "mpegts", every=0.76)
    alone = await measure(probe, stream.segments[5])  # from 5.0 on, with a keyframe at 5.32
    assert alone
    assert alone.needs_lead
    assert alone.video_unseen_sec == pytest.approx(0.32, abs=0.001)
    assert [(it.start, it.end) for it in alone.black] == [pytest.approx((0.32, 1.0), abs=0.001)]


def without_parameter_sets(segment: bytes, codec: str) -> bytes:
    """Return a transport stream in which those are called filler data."""
    if codec == "libx264":
        return re.sub(rb"\x00\x00\x01[\x67\x68]", b"\0\0\1\x0c", segment)
    return re.sub(rb"\x00\x00\x01[\x40\x42\x44]\x01", b"\0\0\1\x4c\1", segment)


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
async def test_a_segment_without_parameter_sets_is_decoded_with_those_of_an_earlier_one(
    probe: Probe, tmp_path: Path, codec: str
) -> None:
    stream = rendered(tmp_path, codec, "mpegts", every=1)
    bare = without_parameter_sets(stream.segments[6], codec)
    alone = await measure(probe, bare)
    assert alone is None or alone.video_error

    lead = Lead()
    first = await measure(probe, stream.segments[0])
    assert first
    assert first.parameter_sets
    lead.note(named(0), stream.segments[0], b"", first)
    helped = await measure(probe, bare, lead.with_lead(None, named(6)))
    whole = await measure(probe, stream.segments[6], lead.with_lead(None, named(6)))
    assert helped
    assert whole
    assert helped.parameter_sets is None
    assert (helped.black, helped.still, helped.width) == (whole.black, whole.still, whole.width)


def found(**fields: object) -> SegmentMeasurement:
    return SegmentMeasurement.model_validate({"duration_sec": SEGMENT_SEC, **fields})


def lead_of(lead: Lead, segment: Segment) -> bytes:
    context = lead.with_lead(None, segment)
    return context.lead if context else b""


async def test_nothing_is_kept_of_streams_whose_segments_stand_alone() -> None:
    lead = Lead()
    for sequence in range(3):
        lead.note(named(sequence), b"media", b"", found())
        assert lead.with_lead(None, named(sequence + 1)) is None


async def test_a_lead_begins_with_a_keyframe_and_ends_with_the_segment_before() -> None:
    lead, needs = Lead(), found(needs_lead=True)
    lead.note(named(0), b"0", b"", needs)
    lead.note(named(1), b"1", b"", needs)
    assert lead_of(lead, named(2)) == b""
    lead.note(named(2), b"2", b"", found())
    assert lead_of(lead, named(3)) == b"2"
    lead.note(named(3), b"3", b"", needs)
    assert lead_of(lead, named(4)) == b"23"
    assert lead_of(lead, named(5)) == b""
    assert lead_of(lead, replace(named(4), discontinuity_sequence=1)) == b""
    lead.note(named(4), b"4", b"", None)
    assert lead_of(lead, named(5)) == b""


async def test_sound_of_its_own_leaves_the_lead_of_the_picture_alone() -> None:
    lead = Lead()
    lead.note(named(0), b"0", b"", found(needs_lead=True))
    lead.note(named(1), b"1", b"", found())
    lead.note(named(7), b"sound", b"", found(has_video=False))
    assert lead_of(lead, named(2)) == b"1"


async def test_a_lead_is_bounded_and_forgotten_when_it_is_not_needed_any_more() -> None:
    lead = Lead()
    lead.note(named(0), b"0", b"", found(needs_lead=True))
    lead.note(named(1), bytes(MOST_BYTES + 1), b"", found())
    assert lead_of(lead, named(2)) == b""
    for sequence in range(2, KEPT_FOR_SEGMENTS + 1):
        lead.note(named(sequence), b"1", b"", found())
    assert lead_of(lead, named(KEPT_FOR_SEGMENTS + 1)) == b""
