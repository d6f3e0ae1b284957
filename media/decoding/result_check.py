"""What a decoder process may answer."""

from typing import Any

from pydantic import BaseModel

from media.decoding.decoder.protocol import JobHead
from monitors.frames import DecodeDepth, Motion
from monitors.measurement import Reason, SegmentMeasurement


class Ready(BaseModel):
    """The first answer: the decoder waits for segments."""

    is_confined: bool


class DecoderAnswer(BaseModel):
    """What became of a segment: fields of a `SegmentMeasurement`, or why it is undecodable."""

    number: int
    findings: dict[str, Any] | None = None
    undecodable: Reason = ""


def read_answer(
    text: bytes, head: JobHead, slate_names: tuple[str, ...] | None = None
) -> tuple[DecoderAnswer, SegmentMeasurement | None]:
    """Return an answer and what was found, or `ValueError` where it is none to this job."""
    answer = DecoderAnswer.model_validate_json(text)
    if answer.number != head.number:
        raise ValueError("an answer to no question")
    return answer, measurement_of(answer, head, slate_names)


def measurement_of(
    answer: DecoderAnswer, head: JobHead, slate_names: tuple[str, ...] | None = None
) -> SegmentMeasurement | None:
    """Return what was found, as far as it was asked for; None of an undecodable segment."""
    if answer.findings is None:
        return None
    told: dict[str, Any] = {
        "duration_sec": head.duration_sec,
        "size_bytes": head.segment_bytes,
        "slate_names": slate_names,
    }
    if not head.with_picture:
        told["picture"] = None
    if head.depth != DecodeDepth.MOVEMENT:
        told["motion"] = Motion.UNKNOWN
    if head.depth == DecodeDepth.EVERYTHING:
        told["is_skimmed"] = False
    measurement = SegmentMeasurement.model_validate({**answer.findings, **told})
    if measurement.figures and measurement.figures.blocks > head.most_sound_blocks:
        raise ValueError("figures of more sound than there is")
    return measurement
