"""A stand-in of the activity that serves a destination."""

import asyncio
from collections import deque
from collections.abc import Callable

from temporalio import activity

from activities.destination_declarations import ServeInput, ServeResult

Step = ServeResult | Exception | None


class ScriptedDestination:
    """Answers as scripted; in the end the destination is gone.

    Attributes:
        script: one step an attempt: what is returned, or raised.
        others: the scripts of destinations that have one of their own, by id.
        served: what the workflow asked, one an attempt.
        is_busy: whether an attempt waits for its cancellation.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self.script = deque[Step]()
        self.others: dict[str, deque[Step]] = {}
        self.served: list[ServeInput] = []
        self.is_busy = False
        self._changed = changed

    def count(self, destination_id: str) -> int:
        """Return how often a destination was served, in vain or not."""
        return sum(each.destination_id == destination_id for each in self.served)

    @activity.defn
    async def serve_destination(self, input: ServeInput) -> ServeResult:
        """Take the next step; None: go on until that is cancelled."""
        self.served.append(input)
        script = self.others.get(input.destination_id, self.script)
        step = script.popleft() if script else ServeResult(is_gone=True)
        self._changed()
        if step is None:
            return await self._until_cancelled()
        if isinstance(step, Exception):
            raise step
        return step

    async def _until_cancelled(self) -> ServeResult:
        self.is_busy = True
        self._changed()
        try:
            while True:
                activity.heartbeat()
                await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            return ServeResult(delivery_id=1)
        finally:
            self.is_busy = False
