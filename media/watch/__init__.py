"""Watching one stream: following its playlists, measuring each segment, judging what was found.

`state` is all that a watch remembers, `segments` fetches and measures one segment,
`memory` bounds what the segments of all streams take, `track` follows
one playlist, `stream` puts them together and decides when the stream has ended, `standing` lets the
next watch on the same worker go on without asking for anything twice.
"""

from media.watch.memory import MemoryBudget
from media.watch.recent import RecentSegments
from media.watch.segments import SegmentListener, SegmentMeter, SegmentSeen
from media.watch.standing import Standing
from media.watch.state import WatchState
from media.watch.stream import StreamUnavailable, StreamWatch

__all__ = [
    "MemoryBudget",
    "RecentSegments",
    "SegmentListener",
    "SegmentMeter",
    "SegmentSeen",
    "Standing",
    "StreamUnavailable",
    "StreamWatch",
    "WatchState",
]
