"""Watching one stream: following its playlists, measuring each segment, judging what was found.

`state` is all that a watch remembers, `segments` fetches and measures one segment,
`memory` bounds what the segments of all streams take, `track` follows
one playlist, `stream` puts them together and decides when the stream has ended, `standing` lets the
next watch on the same worker go on without asking for anything twice.
"""

from media.watching.memory import MemoryBudget
from media.watching.resume_hint import ResumeHint
from media.watching.segment_cache import SegmentCache
from media.watching.segment_prober import SegmentListener, SegmentProber, SegmentSeen
from media.watching.state import WatchState
from media.watching.stream import StreamUnavailable, StreamWatch

__all__ = [
    "MemoryBudget",
    "ResumeHint",
    "SegmentCache",
    "SegmentListener",
    "SegmentProber",
    "SegmentSeen",
    "StreamUnavailable",
    "StreamWatch",
    "WatchState",
]
