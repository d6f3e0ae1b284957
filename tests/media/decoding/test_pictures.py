"""The JPEG of a keyframe, which a decoder makes when it is asked for one."""

import base64
import io

import pytest
from PIL import Image
from pydantic import ValidationError

from media.decoding.decoder.protocol import JobHead
from media.decoding.decoder_probe import DecoderAnswer, measurement_of
from monitors.frames import DecodeDepth
from monitors.measurement import ProbeContext
from monitors.pictures import MOST_PICTURE_BYTES, USUAL_PICTURE_BYTES
from tests.media.decoding.packaging import H264, packaged
from tests.testkit.engines import Engine, opened

NOISE = ("-f", "lavfi", "-i", "color=gray:s=1920x1080:r=1:d=1,noise=alls=100:allf=t")
CARD = ("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=2")
HEAD = JobHead(0, 0, 0, 0, 1000, 2.0, -50.0, 200, 10, 0)


@pytest.mark.parametrize(
    ("engine", "depth"),
    [*((Engine.DECODERS, depth) for depth in DecodeDepth), (Engine.FFMPEG, DecodeDepth.EVERYTHING)],
)
async def test_a_picture_comes_with_the_measurement(engine: Engine, depth: DecodeDepth) -> None:
    (segment,) = packaged(*CARD, *H264).segments
    async with opened(engine, parallel=1, with_loudness=False) as probe:
        found = [
            await probe.measure(
                segment,
                duration_sec=2.0,
                silence_db=-50.0,
                context=ProbeContext(depth=depth, with_picture=wanted),
            )
            for wanted in (True, False)
        ]
    with_picture, without = found
    assert with_picture.picture is not None
    assert Image.open(io.BytesIO(with_picture.picture)).size == (160, 90)
    assert with_picture.model_copy(update={"picture": None}) == without


@pytest.mark.parametrize("engine", Engine)
async def test_a_large_and_busy_picture_is_small(engine: Engine) -> None:
    (segment,) = packaged(*NOISE, *H264, "-crf", "30").segments
    async with opened(engine, parallel=1, with_loudness=False) as probe:
        context = ProbeContext(depth=DecodeDepth.KEYFRAME, with_picture=True)
        found = await probe.measure(segment, duration_sec=2.0, silence_db=-50.0, context=context)
    assert found.picture is not None
    assert Image.open(io.BytesIO(found.picture)).size == (1280, 720)
    is_ours = engine is Engine.DECODERS  # ffmpeg encodes it once
    assert len(found.picture) <= (2 * USUAL_PICTURE_BYTES if is_ours else MOST_PICTURE_BYTES)


@pytest.mark.parametrize(
    "picture",
    [b"<svg/>", b"\xff\xd8\xff no end", b"\xff\xd8\xff" + bytes(MOST_PICTURE_BYTES) + b"\xff\xd9"],
)
def test_what_is_no_picture_is_refused_and_what_was_not_asked_for_is_dropped(
    picture: bytes,
) -> None:
    answer = DecoderAnswer(number=0, findings={"picture": base64.b64encode(picture).decode()})
    with pytest.raises(ValidationError, match="is no JPEG"):
        measurement_of(answer, HEAD._replace(with_picture=True))
    measurement = measurement_of(answer, HEAD)
    assert measurement is not None
    assert measurement.picture is None
