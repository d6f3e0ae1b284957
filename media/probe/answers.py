"""What a decoder process may answer."""

from typing import Any

from pydantic import BaseModel

from media.decoder.wire import JobHead
from monitors.measurement import SegmentMeasurement
from monitors.motion import Depth, Motion


class Ready(BaseModel):
    """The first answer: the decoder waits for segments."""

    is_confined: bool


class Answer(BaseModel):
    """What became of a segment.

    Attributes:
        findings: fields of a `SegmentMeasurement`; None when the segment is undecodable.
        undecodable: why, then.
        resident_bytes: what the process holds in memory.
    """

    findings: dict[str, Any] | None = None
    undecodable: str = ""
    resident_bytes: int


def measurement_of(answer: Answer, head: JobHead) -> SegmentMeasurement | None:
    """Return what was found, as far as it was asked for; None in an undecodable segment.

    Raises:
        ValidationError: no decoder in its right mind finds that.
    """
    if answer.findings is None:
        return None
    told: dict[str, Any] = {"duration_sec": head.duration_sec, "size_bytes": head.segment_bytes}
    if head.with_loudness:  # for people, who are shown all that is measured: nothing can wait
        told["motion"] = Motion.UNCLEAR
    if head.depth == Depth.EVERYTHING:
        told["is_skimmed"] = False
    return SegmentMeasurement.model_validate({**answer.findings, **told})
