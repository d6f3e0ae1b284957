"""A stand-in of the activity that serves a destination."""

import asyncio
from collections import deque
from collections.abc import Callable

from temporalio import activity

from activities.destination_declarations import ServeInput, ServeResult


class ScriptedDestination:
    """Answers as scripted; in the end the destination is gone.

    Attributes:
        script: one step an attempt: what is returned, or raised.
        served: what the workflow asked, one an attempt.
        is_busy: whether an attempt waits for its cancellation.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self.script = deque[ServeResult | Exception | None]()
        self.served: list[ServeInput] = []
        self.is_busy = False
        self._changed = changed

    @activity.defn
    async def serve_destination(self, input: ServeInput) -> ServeResult:
        """Take the next step; None: go on until that is cancelled."""
        self.served.append(input)
        step = self.script.popleft() if self.script else ServeResult(is_gone=True)
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
