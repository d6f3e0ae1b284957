"""Segments that are fetched while their packager still writes them."""

from media.decoding.errors import UndecodableSegment
from media.hls.playlist import Segment
from monitors.measurement import SegmentMeasurement

WHOLE_SHARE = 0.9
"""A whole segment has at least this share of its declared duration: packagers cut at keyframes, and
the duration in a template is that of the average segment."""

LONGEST_WAIT_SEC = 10.0

NOT_AGAIN_FOR = 10
"""Short segments of a stream, after one that was short and whole."""


class Growth:
    """Says when a segment of one stream should be fetched once more."""

    def __init__(self) -> None:
        self._whole_ones = 0

    def wait_sec(
        self, segment: Segment, found: SegmentMeasurement | UndecodableSegment
    ) -> float | None:
        """Return how long it takes until a segment should be whole; None where it is, or was.

        What is written in real time is whole when what is missing has passed.
        """
        found_sec = _shortest_sec(found) if isinstance(found, SegmentMeasurement) else 0.0
        if not segment.may_grow or found_sec >= WHOLE_SHARE * segment.duration_sec:
            return None
        if self._whole_ones:
            self._whole_ones -= 1
            return None
        return min(segment.duration_sec - found_sec, LONGEST_WAIT_SEC)

    def note(self, *, has_grown: bool) -> None:
        self._whole_ones = 0 if has_grown else NOT_AGAIN_FOR


def _shortest_sec(found: SegmentMeasurement) -> float:
    """Return how much there is of each track; sound may lie behind all pictures."""
    tracks = ((found.has_video, found.video_sec), (found.has_audio, found.audio_sec))
    return min((length_sec for is_there, length_sec in tracks if is_there), default=0.0)
