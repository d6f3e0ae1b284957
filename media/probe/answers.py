"""What a decoder process may answer."""

from typing import Any

from pydantic import BaseModel


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
