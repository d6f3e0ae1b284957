"""When segments are on air, by the wall clock."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from media.hls.playlist import Segment

CLOCKS_OFF = timedelta(hours=1)
"""Program dates further from the present come from a clock that was never set."""


def start_times(segments: Sequence[Segment], edge: datetime) -> dict[int, datetime]:
    """Return the wall clock of each segment's first moment, by media sequence.

    EXT-X-PROGRAM-DATE-TIME where the playlist tells (RFC 8216 4.3.2.6), unless that is a clock that
    was never set; else they follow each other up to `edge`.
    """
    starts: dict[int, datetime] = {}
    for segment in reversed(segments):
        edge -= timedelta(seconds=segment.duration_sec)
        declared = segment.program_date_time
        is_clock = declared is not None and abs(declared - edge) <= CLOCKS_OFF
        starts[segment.sequence] = declared if declared and is_clock else edge
    return starts
