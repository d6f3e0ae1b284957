"""Tracks of which nothing can be known, and nothing is wrong with."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.decoding.decoder.sample_entries import sample_entries
from media.decoding.probe import Probe
from monitors.config import Thresholds
from monitors.measurement import SegmentMeasurement
from simulator.origin.render import ffmpeg_path
from tests.media.decoding.measuring import incidents
from tests.media.decoding.packaging import EVERY_TWO_SEC, PICTURE, Packaged, packaged, tone

probing = pytest.mark.asyncio(loop_scope="module")

TOUCHY = Thresholds(
    blackout_threshold_sec=3, silence_threshold_sec=3, freeze_threshold_sec=3, recovery_sec=1
)
CENC = (
    *("-encryption_scheme", "cenc-aes-ctr"),
    *("-encryption_key", "76a6c65c5ea762046bd749a2e632ccbb"),
    *("-encryption_kid", "a7e61c373e219033c21091fa607bf3b8"),
    *("-movflags", "+frag_keyframe+empty_moov"),
)


@pytest.fixture(scope="module")
def plain() -> Packaged:
    return packaged(*PICTURE, *tone(12), *EVERY_TWO_SEC, "-c:a", "aac", init="init.mp4")


async def measured(probe: Probe, media: Packaged, old: bytes, new: bytes) -> SegmentMeasurement:
    """Measure a segment whose initialization section names another codec."""
    segment = media.init.replace(old, new) + media.segments[1]
    return await probe.measure(segment, duration_sec=2.0, silence_db=-50.0)


def unmeasurable(found: SegmentMeasurement) -> dict[str, tuple[str | None, str]]:
    return {kind: (why.codec, why.reason) for kind, why in found.unmeasurable.items()}


@probing
@pytest.mark.parametrize("codec", ["ac-4", "mhm1", "dtsc", "iamf"])
async def test_the_picture_is_measured_beside_sound_that_cannot_be(
    probe: Probe, plain: Packaged, codec: str
) -> None:
    found = await measured(probe, plain, b"mp4a", codec.encode())
    assert unmeasurable(found) == {"audio": (codec, "unsupported_codec")}
    assert (found.has_video, found.has_audio, found.width) == (True, True, 160)
    assert found.still
    assert incidents([found] * 6, TOUCHY) == []


@probing
@pytest.mark.parametrize(
    ("codec", "reason"), [("vvc1", "unsupported_codec"), ("encv", "encrypted")]
)
async def test_the_sound_is_measured_beside_a_picture_that_cannot_be(
    probe: Probe, plain: Packaged, codec: str, reason: str
) -> None:
    found = await measured(probe, plain, b"avc1", codec.encode())
    assert unmeasurable(found) == {"video": (codec, reason)}
    assert (found.has_video, found.has_audio) == (True, True)
    assert found.audio_sec == pytest.approx(2.0, abs=0.1)
    assert incidents([found] * 6, TOUCHY) == []


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    target = tmp_path_factory.mktemp("encrypted") / "encrypted.mp4"
    command = [ffmpeg_path(), "-loglevel", "error", *PICTURE, *tone(2), *EVERY_TWO_SEC]
    command += ["-c:a", "aac", *CENC, "-t", "2", str(target)]
    subprocess.run(command, check=True, timeout=60)
    return target.read_bytes()


@probing
async def test_media_that_is_encrypted_is_neither_decoded_nor_wrong(
    probe: Probe, encrypted: bytes
) -> None:
    found = await probe.measure(encrypted, duration_sec=2.0, silence_db=-50.0)
    expected = {"video": ("avc1", "encrypted"), "audio": ("mp4a", "encrypted")}
    assert unmeasurable(found) == expected
    assert (found.has_video, found.has_audio) == (True, True)
    assert incidents([found] * 6, TOUCHY) == []


def test_what_an_mp4_says_of_its_tracks(plain: Packaged) -> None:
    found = sample_entries(plain.init)
    assert [(it.kind, it.codec, it.scheme) for it in found.values()] == [
        ("video", "avc1", None),
        ("audio", "mp4a", None),
    ]
    assert sample_entries(plain.segments[0]) == {}


@given(damage=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=20))
def test_damaged_boxes_are_read_without_a_failure(
    plain: Packaged, damage: list[tuple[int, int]]
) -> None:
    data = bytearray(plain.init)
    for at, value in damage:
        data[at % len(data)] = value
    assert len(sample_entries(bytes(data))) <= 1000


@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_a_failure(data: bytes) -> None:
    sample_entries(data)
