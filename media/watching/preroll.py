"""What a segment needs of the segments before it to be decoded."""

from media.hls.playlist import InitSegment, Segment
from monitors.measurement import ProbeContext, SegmentMeasurement

MEBI = 1024 * 1024
MOST_BYTES = 2 * MEBI  # 10 s of 1.5 Mbit/s; frames that build on more stay unknown
KEPT_FOR_SEGMENTS = 30  # a lead is kept for this many segments after one that needed it


class Lead:
    """What one stream's next segment may need to be decoded: all since the last keyframe.

    Few segments need any of it: those of streams that repeat their parameter sets rarely, or whose
    pictures build on a keyframe of another segment. So segments are kept only after one was found
    that needs them; the picture of that one stays unknown.
    """

    def __init__(self) -> None:
        self._parameter_sets = b""
        self._segments: list[bytes] = []
        self._init: InitSegment | None = None
        self._init_bytes = b""
        self._last: Segment | None = None
        self._kept_for = 0

    def with_lead(self, context: ProbeContext | None, segment: Segment) -> ProbeContext | None:
        lead = b"".join([self._init_bytes, *self._segments]) if self._goes_on(segment) else b""
        if not lead and not self._parameter_sets:
            return context
        known = {"parameter_sets": self._parameter_sets, "lead": lead}
        return (context or ProbeContext()).model_copy(update=known)

    def with_sets(self) -> ProbeContext:
        return ProbeContext(parameter_sets=self._parameter_sets)

    def note(
        self, segment: Segment, media: bytes, init: bytes, measured: SegmentMeasurement | None
    ) -> None:
        """Remember a segment for those after it; `media` begins with its initialization section."""
        if measured and not measured.has_video:
            return
        if measured and measured.parameter_sets:
            self._parameter_sets = measured.parameter_sets
        needs_lead = measured is None or measured.needs_lead
        self._kept_for = KEPT_FOR_SEGMENTS if needs_lead else max(0, self._kept_for - 1)
        has_keyframe = measured is not None and (not needs_lead or measured.keyframe is not None)
        if measured is None or has_keyframe or not self._goes_on(segment):
            self._segments = []  # nothing that follows builds on what is before a keyframe
        if self._kept_for and (has_keyframe or self._segments):
            self._segments.append(media[len(init) :])
        if sum(map(len, self._segments)) > MOST_BYTES:
            self._segments = []
        self._init, self._init_bytes, self._last = segment.init, init, segment

    def _goes_on(self, segment: Segment) -> bool:
        last = self._last
        return (
            last is not None
            and segment.sequence == last.sequence + 1
            and segment.discontinuity_sequence == last.discontinuity_sequence
            and segment.init == self._init
        )
