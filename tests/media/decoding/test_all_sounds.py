"""Each sound track of a segment, where all are wanted."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from media.decoding.probe import Probe
from monitors.config import AudioTracks, Thresholds
from monitors.detectors.media_detectors import MediaDetectors
from monitors.incidents import IncidentOpened
from monitors.measurement import ProbeContext, SegmentMeasurement
from tests.media.decoding.measuring import position
from tests.media.decoding.packaging import EVERY_TWO_SEC, PICTURE, Packaged, packaged, tone
from tests.testkit.engines import opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

SILENT = ("-f", "lavfi", "-i", "anullsrc=r=48000:cl=mono:d=12")
MAPS = ("-map", "0:v", "-map", "1:a", "-map", "2:a", "-map", "3:a")
LANGUAGES = [
    option
    for number, language in enumerate(["eng", "deu", "fra"])
    for option in (f"-metadata:s:a:{number}", f"language={language}")
]
TOUCHY = Thresholds(silence_threshold_sec=3, recovery_sec=1, audio_tracks=AudioTracks.ALL)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def decoders() -> AsyncIterator[Probe]:
    async with opened() as probe:
        yield probe


@pytest.fixture(scope="module", params=[None, "init.mp4"], ids=["TS", "fMP4"])
def three(request: pytest.FixtureRequest) -> Packaged:
    """A tone, silence, and a tone that stops after five seconds."""
    inputs = (*PICTURE, *tone(12), *SILENT, *tone(5))
    encoder = (*MAPS, *LANGUAGES, *EVERY_TWO_SEC, "-c:a", "aac")
    return packaged(*inputs, *encoder, init=request.param)


async def measured(
    probe: Probe, media: Packaged, context: ProbeContext
) -> list[SegmentMeasurement]:
    return [
        await probe.measure(media.init + data, duration_sec=2.0, silence_db=-50.0, context=context)
        for data in media.segments
    ]


async def test_every_track_is_measured_where_all_are_wanted(
    decoders: Probe, three: Packaged
) -> None:
    found = await measured(decoders, three, ProbeContext(all_sounds=True))
    first = found[0]
    assert first.audio_language == "eng"
    tracks = [(it.index, it.audio_language) for it in first.additional_audio]
    assert tracks == [
        (2, "deu"),
        (3, "fra"),
    ]
    detectors, told = MediaDetectors(), []
    for number, each in enumerate(found):
        told += detectors.feed(each, position(number, [2.0] * len(found)), TOUCHY)
    opened = [it for it in told if isinstance(it, IncidentOpened)]
    assert [(it.details, it.reason) for it in opened] == [
        ({"track": "audio 2", "language": "deu"}, "below_threshold"),
        ({"track": "audio 3", "language": "fra"}, "audio_missing"),
    ]


async def test_only_the_first_is_measured_where_nobody_asks_for_more(
    decoders: Probe, three: Packaged
) -> None:
    found = await measured(decoders, three, ProbeContext())
    assert all(each.additional_audio == [] for each in found)
    assert all(each.silent == [] for each in found)
