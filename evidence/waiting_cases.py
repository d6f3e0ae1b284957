"""Cases whose evidence is to be made: one of each monitor in turn."""

import asyncio
from collections import OrderedDict, deque
from dataclasses import replace

from evidence.case import Case
from media.watching.footage import Excerpt

MOST_WAITING = 100
MOST_OF_MONITOR = 10
"""Incidents. Each holds a few segments, as far as the cache has room."""

BUSY = "busy"


class WaitingCases:
    """A queue in which no monitor, whatever its evidence costs, keeps all others waiting."""

    def __init__(self) -> None:
        self._of_monitors = OrderedDict[str, deque[Case]]()
        self._more = asyncio.Event()

    def put(self, case: Case) -> None:
        """Queue a case; where too many wait, it has failed."""
        own = self._of_monitors.setdefault(case.monitor_id, deque())
        waiting = sum(map(len, self._of_monitors.values()))
        if waiting >= MOST_WAITING or len(own) >= MOST_OF_MONITOR:
            case = replace(case, failure=BUSY, excerpt=Excerpt(), journal=None)
        own.append(case)
        self._more.set()

    async def take(self) -> Case:
        """Return the next case, as soon as there is one; its monitor's others go to the end."""
        while not self._of_monitors:
            self._more.clear()
            await self._more.wait()
        monitor_id, own = self._of_monitors.popitem(last=False)
        case = own.popleft()
        if own:
            self._of_monitors[monitor_id] = own
        return case
