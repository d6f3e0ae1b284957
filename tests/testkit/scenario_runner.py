"""Where the scenarios of the service tests play, many at the same time.

A scenario takes a minute, because streams take their time, but hardly any CPU once its services
are up: so a test module tells what is to happen in its `SCENARIO`, the runner plays those of all
selected modules together in a thread of its own, and the tests of each module judge what was seen.
"""

import asyncio
import random
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from simulator.origin import LiveOrigin
from tests.testkit.environment import ChaosEnvironment
from tests.testkit.harness import SIGNING_KEY, ServiceHarness, open_harness
from tests.testkit.receiver import Receiver

Scenario = Callable[["ScenarioRunner"], Awaitable[Any]]

START_SEC = 30
APART_SEC = 3.0
"""Between the beginnings of two scenarios: to start services takes most of the CPU."""

AT_ONCE = 8
"""More would keep each other from what they do in time."""

THREADS = 256
"""Each process takes one, which waits for its end."""

PLAY_SEC = 400
END_SEC = 60


class ScenarioRunner:
    """An origin and a receiver, and a service for the scenarios that disturb nothing.

    Attributes:
        folder: for all that the scenarios keep.
        cache: of rendered programmes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache = folder / "programmes"
        self.origin = LiveOrigin()
        self.receiver = Receiver(SIGNING_KEY)
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(THREADS))
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._stack = AsyncExitStack()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._house: asyncio.Task[ServiceHarness] | None = None
        self._playing: dict[Scenario, Future[Any]] = {}

    def open(self, scenarios: Sequence[Scenario]) -> None:
        """Begin to play `scenarios`."""
        self._thread.start()
        self._soon(self._start()).result(START_SEC)
        self._playing = {
            scenario: self._soon(self._play(scenario, after_sec=number * APART_SEC))
            for number, scenario in enumerate(scenarios)
        }

    def seen(self, scenario: Scenario) -> Any:
        """Return what `scenario` returns, or raise what it raises."""
        return self._playing[scenario].result(PLAY_SEC)

    def close(self) -> None:
        """Stop what still plays, then everything else."""
        for playing in self._playing.values():
            playing.cancel()
        try:
            self._soon(self._end()).result(END_SEC)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    async def harness(self) -> ServiceHarness:
        """Return the shared service: an orchestrator and a probe worker."""
        if self._house is None:
            opening = open_harness(self.folder / "service", "orchestrator", "probe")
            self._house = asyncio.ensure_future(self._stack.enter_async_context(opening))
        return await asyncio.shield(self._house)

    def environment(self, name: str) -> ChaosEnvironment:
        """Return one for the experiments of the chaos suite, with a folder of its own."""
        folder = self.folder / name
        folder.mkdir()
        return ChaosEnvironment(
            folder, self.cache, self.origin, self.receiver, random.Random(1), say=_say_nothing
        )

    async def _start(self) -> None:
        self._stack.push_async_callback(self.receiver.stop)
        await self.receiver.start()
        await self._stack.enter_async_context(self.origin)

    async def _play(self, scenario: Scenario, *, after_sec: float) -> Any:
        await asyncio.sleep(after_sec)
        async with self._turns:
            return await scenario(self)

    async def _end(self) -> None:
        here = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task.get_name().startswith(_NAME)]
        await asyncio.gather(*(each for each in others if each is not here), return_exceptions=True)
        await self._stack.aclose()
        await self._loop.shutdown_asyncgens()
        await self._loop.shutdown_default_executor()

    def _soon(self, work: Awaitable[Any]) -> Future[Any]:
        async def doing() -> Any:
            task = asyncio.current_task()
            assert task
            task.set_name(f"{_NAME} {work}")
            return await work

        return asyncio.run_coroutine_threadsafe(doing(), self._loop)


_NAME = "runner:"


def _say_nothing(_text: str) -> None:
    pass
