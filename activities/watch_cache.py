"""Watches that returned a moment ago, for the next one of their streams."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from media.outbound.stream_client import StreamClient
from media.watching import ResumeHint, SegmentProber

KEPT_SEC = 30.0
"""The workflow starts the next watch at once; later than this, what is kept would be of no use."""

MOST_KEPT = 1000


@dataclass(frozen=True)
class CachedWatch:
    """What a watch left.

    Attributes:
        state: that it returned to its workflow.
        client: with which `meter` fetches.
        at: when, by the event loop's clock.
    """

    state: dict[str, Any]
    standing: ResumeHint
    meter: SegmentProber
    client: StreamClient
    at: float


class RecentWatches:
    """Keeps what watches left in memory, for a short time, by monitor."""

    def __init__(self) -> None:
        self._left: OrderedDict[str, CachedWatch] = OrderedDict()

    def __len__(self) -> int:
        return len(self._left)

    def leave(
        self,
        monitor_id: str,
        state: dict[str, Any],
        *,
        standing: ResumeHint,
        meter: SegmentProber,
        client: StreamClient,
    ) -> None:
        """Keep where a watch stood when it returned `state`."""
        self._forget_old()
        self._left.pop(monitor_id, None)  # the newest are last
        self._left[monitor_id] = CachedWatch(state, standing, meter, client, _clock())
        if len(self._left) > MOST_KEPT:
            self._left.popitem(last=False)

    def take(self, monitor_id: str, state: dict[str, Any] | None) -> CachedWatch | None:
        """Return what the last watch left, if the next one is to go on from the same `state`.

        It is not when another worker watched in between.
        """
        self._forget_old()
        left = self._left.pop(monitor_id, None)
        return left if left and left.state == state else None

    def _forget_old(self) -> None:
        while self._left:
            monitor_id, left = next(iter(self._left.items()))
            if _clock() - left.at < KEPT_SEC:
                return
            del self._left[monitor_id]


def _clock() -> float:
    return asyncio.get_running_loop().time()
