"""Where a watch is in one media playlist."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel, Field

from media.hls.cursor import PlaylistCursor
from media.hls.playlist import Segment
from monitors.detectors.media_detectors import MediaDetectors
from monitors.detectors.stream_faults import AbsenceDetector
from monitors.measurement import Track


class TrackState(BaseModel):
    """Where a watch is in one media playlist."""

    cursor: PlaylistCursor = Field(default_factory=PlaylistCursor)
    detectors: MediaDetectors = Field(default_factory=MediaDetectors)
    stream_sec: float = 0.0  # stream time of the next segment's first moment
    playlist: str = ""  # digest of the playlist's URL without its query
    target_duration_sec: float = 0.0
    # wall clock of the end of what was judged last; None before the first segment
    ends_at: AwareDatetime | None = None
    # whether it stops while the stream's other tracks go on
    absence: AbsenceDetector = Field(default_factory=AbsenceDetector)
    codecs: tuple[str, ...] = ()

    def read_from(self, url: str, *, is_other_rendition: bool = False) -> None:
        """Take note of where the playlist is read from now."""
        playlist = hashlib.sha256(url.partition("?")[0].encode()).hexdigest()[:16]
        if playlist == self.playlist:
            return
        if is_other_rendition:
            self.cursor.switch()
        else:
            self.cursor.moved()
        self.detectors.expect_new_timestamps()
        self.playlist = playlist

    @classmethod
    def of_additional_audio(cls) -> "TrackState":
        """The beginning of an additional audio track, at a place of its own."""
        return cls(detectors=MediaDetectors(tracks=frozenset({"audio"}), known=frozenset()))

    def apart(self) -> "TrackState":
        """A track that goes on from here in a playlist whose numbers may be others."""
        track = self.model_copy(deep=True)
        track.cursor.switch()
        return track

    def carrying(
        self, carried: frozenset[Track], detected: Iterable[MediaDetectors]
    ) -> "TrackState":
        """A track at this place that carries something else, with what is known of that."""
        track = self.model_copy(deep=True)
        track.detectors = MediaDetectors(
            tracks=carried, known=frozenset(), next_start_sec=self.detectors.next_start_sec
        ).inheriting(detected)
        return track

    def pass_over(self, duration_sec: float) -> None:
        self.stream_sec += duration_sec
        self.detectors.skip(duration_sec)


CLOCKS_OFF = timedelta(hours=1)  # program dates further off come from a clock that was never set


def start_times(segments: Sequence[Segment], edge: datetime) -> dict[int, datetime]:
    """Return the wall clock of each segment's first moment, by media sequence."""
    # EXT-X-PROGRAM-DATE-TIME where the playlist tells (RFC 8216 4.3.2.6), unless that is a clock
    # that was never set; else they follow each other up to `edge`.
    starts: dict[int, datetime] = {}
    for segment in reversed(segments):
        edge -= timedelta(seconds=segment.duration_sec)
        declared = segment.program_date_time
        is_clock = declared is not None and abs(declared - edge) <= CLOCKS_OFF
        starts[segment.sequence] = declared if declared and is_clock else edge
    return starts
