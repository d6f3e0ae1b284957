"""Watching one stream: following its playlists, measuring each segment, judging what was found.

`stream` follows the stream's tracks and decides when it has ended, `track` follows one playlist,
`track_judge` has its segments measured by `segment_prober` and judges them, `state` is all that a
watch remembers, `resume_hint` what the next watch on the same worker goes on with.
"""

from media.watching.footage import Excerpt, Footage, Picture
from media.watching.replay_journal import Journal, JournalExcerpt
from media.watching.resume_hint import ResumeHint
from media.watching.segment_memory import MemoryBudget, SegmentCache
from media.watching.segment_prober import SegmentListener, SegmentProber, SegmentSeen
from media.watching.state import WatchState
from media.watching.stream import StreamUnavailable, StreamWatch

__all__ = [
    "Excerpt",
    "Footage",
    "Journal",
    "JournalExcerpt",
    "MemoryBudget",
    "Picture",
    "ResumeHint",
    "SegmentCache",
    "SegmentListener",
    "SegmentProber",
    "SegmentSeen",
    "StreamUnavailable",
    "StreamWatch",
    "WatchState",
]
