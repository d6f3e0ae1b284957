"""An answer comes from a process that hostile media may have taken over."""

import asyncio
import base64
import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from media.decoding.decoder.protocol import MAX_ANSWER_BYTES, JobHead
from media.decoding.decoder_probe import DecoderAnswer, measurement_of, read_answer
from media.processes.framing import LENGTH
from media.processes.warm_pool import read_frame
from monitors.config import Thresholds
from monitors.detectors.media_detectors import MediaDetectors
from monitors.detectors.stream_time import SegmentPosition
from monitors.frames import BLOCKS, FRAME_BYTES, DecodeDepth, Motion
from monitors.measurement import SegmentMeasurement

NUMBER = 5
DURATION_SEC = 2.0


def job(depth: DecodeDepth, *, duration_sec: float = 2.0) -> JobHead:
    return JobHead(
        number=NUMBER,
        slates_bytes=0,
        sets_bytes=0,
        lead_bytes=0,
        segment_bytes=1000,
        duration_sec=duration_sec,
        silence_db=-50.0,
        max_frames=200,
        cpu_sec=10,
        sound_checks=0,
        depth=depth,
    )


def answered(**findings: Any) -> DecoderAnswer:
    return DecoderAnswer(number=NUMBER, findings=findings)


def figures(**found: Any) -> dict[str, Any]:
    return {"figures": {"channels": 2, "sample_rate_hz": 48_000, "duration_sec": 2.0, **found}}


@pytest.mark.parametrize(
    ("depth", "is_skimmed"),
    [(DecodeDepth.KEYFRAME, True), (DecodeDepth.MOVEMENT, True), (DecodeDepth.EVERYTHING, False)],
)
def test_nothing_is_skimmed_that_was_to_be_measured(depth: DecodeDepth, is_skimmed: bool) -> None:
    found = measurement_of(answered(is_skimmed=True, motion="moving"), job(depth))
    assert found
    assert found.is_skimmed is is_skimmed


def test_motion_is_told_only_where_it_was_looked_for() -> None:
    found = measurement_of(answered(motion="static"), job(DecodeDepth.EVERYTHING))
    assert found
    assert found.motion is Motion.UNKNOWN


def test_an_answer_names_no_kept_segment_and_no_duration_or_size() -> None:
    told = answered(duration_sec=9.0, size_bytes=-1)
    found = measurement_of(told, job(DecodeDepth.KEYFRAME))
    assert found
    assert (found.duration_sec, found.size_bytes) == (2.0, 1000)


@pytest.mark.parametrize("kind", ["black", "still", "silent"])
def test_what_an_answer_holds_is_bounded(kind: str) -> None:
    picture = {"picture": text(FRAME_BYTES)} if kind == "still" else {}
    stretches = [{"start": 1.0, "end": 1.0, **picture}] * 10_001
    measurement_of(answered(**{kind: stretches[1:]}), job(DecodeDepth.EVERYTHING))
    with pytest.raises(ValidationError, match="at most 10000"):
        measurement_of(answered(**{kind: stretches}), job(DecodeDepth.EVERYTHING))


def text(size_bytes: int) -> str:
    return base64.b64encode(bytes(size_bytes)).decode()


def still(start: Any = 0.0, end: Any = 1.0, picture: str = text(FRAME_BYTES)) -> dict[str, Any]:
    return {"start": start, "end": end, "picture": picture}


@pytest.mark.parametrize(
    "findings",
    [
        pytest.param({"still": [still(picture=text(1))]}, id="a picture that is too small"),
        pytest.param(
            {"still": [still(picture=text(FRAME_BYTES + 1))]}, id="a picture that is too large"
        ),
        pytest.param({"still": [still(picture="?" * 4608)]}, id="a picture that is no base64"),
        pytest.param({"still": [still(), still(0.5, 1.5)]}, id="stretches that overlap"),
        pytest.param({"black": [{"start": 1.0, "end": 0.5}]}, id="an end before its start"),
        pytest.param({"black": [{"start": 1.0, "end": 2.5}]}, id="an end beyond the segment"),
        pytest.param({"black": [{"start": -1.0, "end": 1.0}]}, id="a start before the segment"),
        pytest.param({"silent": [{"start": -3.1, "end": 1.0}]}, id="a start before the lead"),
        pytest.param({"audio_gaps": [{"start": -3.1, "end": 1.0}]}, id="a gap before the lead"),
        pytest.param({"audio_gaps": [{"start": 0.0, "end": 2.5}]}, id="a gap beyond the segment"),
        pytest.param({"audio_lead_sec": 3.1}, id="a lead that is too long"),
        pytest.param({"audio_ahead_sec": math.inf}, id="sound without end"),
        pytest.param({"audio_sec": -1.0}, id="less than no sound"),
        pytest.param({"silent": [{"start": math.nan, "end": 1.0}]}, id="no number"),
        pytest.param({"silent": [{"start": 0.0, "end": math.inf}]}, id="without end"),
        pytest.param(
            {"black": [{"start": 1.0, "end": 1.5}, {"start": 0.0, "end": 0.5}]}, id="late"
        ),
        pytest.param(figures(loudness_lufs=[math.nan]), id="no loudness"),
        pytest.param(figures(loudness_lufs=[1e9]), id="a loudness that hurts"),
        pytest.param(figures(left_dbfs=[-20.0]), id="left without right"),
        pytest.param(figures(tone_dbfs=[None], loudness_lufs=[-20.0] * 2), id="two lengths"),
        pytest.param(figures(tone_dbfs=[None] * 621), id="more blocks than sound"),
        pytest.param(figures(begins_sec=math.inf), id="sound that never begins"),
        pytest.param({"width": 0}, id="no width"),
        pytest.param({"height": 10**9}, id="a height without end"),
        pytest.param({"video_codec": "h264\nalert"}, id="a codec of two lines"),
        pytest.param({"audio_codec": "a" * 33}, id="a long codec"),
        pytest.param({"keyframe": text(BLOCKS - 1)}, id="a keyframe that is too small"),
        pytest.param({"keyframe": text(BLOCKS + 1)}, id="a keyframe that is too large"),
        pytest.param({"motion": "dances"}, id="another motion"),
        pytest.param({"bars": [{"start": 1.0, "end": 2.5}]}, id="bars beyond the segment"),
        pytest.param({"slates": [{"start": 0.0, "end": 1.0, "number": 0}]}, id="a slate of nobody"),
        pytest.param({"frame_rate": 0.0}, id="no frame rate"),
        pytest.param({"has_video": None}, id="perhaps a picture"),
    ],
)
def test_what_no_decoder_finds_is_refused(findings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"validation error|more sound"):
        read_answer(json_of({"findings": findings}), job(DecodeDepth.MOVEMENT))


@pytest.mark.parametrize("told", [{"number": 6}, {"number": None}, {}])
def test_an_answer_to_another_job_is_refused(told: dict[str, Any]) -> None:
    body = json.dumps({"findings": {}, **told}).encode()
    with pytest.raises(ValueError, match=r"answer|number"):
        read_answer(body, job(DecodeDepth.EVERYTHING))


@pytest.mark.parametrize(
    ("duration_sec", "most_bytes"), [(2.0, 131_072), (0.0, 65_536), (3600.0, MAX_ANSWER_BYTES)]
)
async def test_how_long_an_answer_may_be_goes_by_the_segment(
    duration_sec: float, most_bytes: int
) -> None:
    head = job(DecodeDepth.EVERYTHING, duration_sec=duration_sec)
    assert head.most_answer_bytes == most_bytes
    with pytest.raises(ValueError, match="too long"):
        await read_frame(sent(LENGTH.pack(most_bytes + 1)), head.most_answer_bytes)


def test_the_reason_of_a_decoder_is_one_short_line() -> None:
    answer, _ = read_answer(
        json_of({"undecodable": "no\nmedia\x1b[2J"}), job(DecodeDepth.EVERYTHING)
    )
    assert answer.undecodable == "no media [2J"
    with pytest.raises(ValidationError):
        read_answer(json_of({"undecodable": "x" * 201}), job(DecodeDepth.EVERYTHING))


def json_of(told: dict[str, Any]) -> bytes:
    return json.dumps({"number": NUMBER, **told}).encode()


def sent(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


NUMBERS = st.floats() | st.sampled_from([0.0, 0.5, 1.0, 2.0]) | st.integers()
PICTURES = st.sampled_from([text(FRAME_BYTES), text(BLOCKS), text(7), "", "?"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=5) | PICTURES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
STRETCHES = st.lists(
    st.fixed_dictionaries({"start": NUMBERS, "end": NUMBERS, "picture": PICTURES}), max_size=3
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(SegmentMeasurement.model_fields, ANYTHING),
    **dict.fromkeys(("black", "still", "silent", "audio_gaps"), STRETCHES | ANYTHING),
    **dict.fromkeys(("keyframe", "parameter_sets"), PICTURES | ANYTHING),
}
SHAPED = st.fixed_dictionaries(
    {},
    optional={
        "number": st.just(NUMBER) | ANYTHING,
        "findings": st.fixed_dictionaries({}, optional=FIELDS) | ANYTHING,
        "undecodable": ANYTHING,
    },
).map(lambda told: json.dumps({"number": NUMBER, **told}).encode())


@settings(max_examples=300, deadline=None)
@given(body=SHAPED | st.binary(max_size=50), tail=st.binary(max_size=5), cut=st.integers(0, 60))
async def test_whatever_is_on_the_wire_is_refused_or_can_be_judged(
    body: bytes, tail: bytes, cut: int
) -> None:
    wire = LENGTH.pack(len(body)) + body + tail
    head = job(DecodeDepth.KEYFRAME)
    try:
        answer = await read_frame(sent(wire[: len(wire) - cut]), head.most_answer_bytes)
        _, found = read_answer(answer, head)
    except (EOFError, ValueError):
        return
    if found:
        _can_be_judged(found)


def _can_be_judged(found: SegmentMeasurement) -> None:
    """Judge it twice, as a stream whose state goes through a heartbeat between two segments."""
    detectors = MediaDetectors()
    for sequence in range(2):
        position = SegmentPosition(
            sequence=sequence,
            start_sec=sequence * DURATION_SEC,
            duration_sec=DURATION_SEC,
            starts_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        detectors.feed(found, position, Thresholds())
        detectors = MediaDetectors.model_validate_json(detectors.model_dump_json())
