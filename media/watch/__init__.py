"""Watching one stream: following its playlists, measuring each segment, judging what was found.

`state` is all that a watch remembers, `segments` fetches and measures one segment,
`memory` bounds what the segments of all streams take, `track` follows
one playlist, `stream` puts them together and decides when the stream has ended.
"""

from media.watch.memory import MemoryBudget
from media.watch.segments import SegmentMeter, SegmentSeen
from media.watch.state import WatchState
from media.watch.stream import StreamUnavailable, StreamWatch

__all__ = [
    "MemoryBudget",
    "SegmentMeter",
    "SegmentSeen",
    "StreamUnavailable",
    "StreamWatch",
    "WatchState",
]
