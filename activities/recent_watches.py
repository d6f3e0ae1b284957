"""What the last watch of a stream left in memory, for the next one on the same worker."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from media.outbound.stream_client import StreamClient
from media.watching import ResumeHint, SegmentProber

KEPT_SEC = 30.0
"""The workflow starts the next watch at once; later than this, nothing kept is of use."""

MAX_KEPT = 1000


@dataclass(frozen=True)
class RecentWatch:
    """The parts of a watch that go on in the next one."""

    client: StreamClient
    prober: SegmentProber
    hint: ResumeHint


class RecentWatches:
    """Keeps watches for a short time, by monitor and by the state that they returned."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[float, dict[str, Any], RecentWatch]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, monitor_id: str, state: dict[str, Any], watch: RecentWatch) -> None:
        self._drop_old()
        self._kept.pop(monitor_id, None)  # the newest are last
        self._kept[monitor_id] = (_clock(), state, watch)
        if len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)

    def pop(self, monitor_id: str, state: dict[str, Any] | None) -> RecentWatch | None:
        """Return the last watch if the next one begins from the state that it returned.

        The states differ when another worker watched in between.
        """
        self._drop_old()
        _, returned, watch = self._kept.pop(monitor_id, (0.0, None, None))
        return watch if returned == state else None

    def _drop_old(self) -> None:
        while self._kept:
            monitor_id, (kept_at, _, _) = next(iter(self._kept.items()))
            if _clock() - kept_at < KEPT_SEC:
                return
            del self._kept[monitor_id]


def _clock() -> float:
    return asyncio.get_running_loop().time()
