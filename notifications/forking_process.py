"""A child process that forks for each request, so that what takes long to load is loaded once."""

import asyncio
import itertools
import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from media.processes.framing import pack_json
from media.processes.run_once import ProcessFailed, ProcessTimedOut, kill_group, reap
from media.processes.warm_pool import Program, read_frame, spawn

MAX_ANSWER_BYTES: Final = 4096

START_SEC: Final = 20.0  # until the child is ready; then it says so
GRACE_SEC: Final = 1.0


class ForkingProcess:
    """Asks the forks of one child process, many at a time. Close it after use.

    The child is started when it is needed, and again when it is gone.

    Args:
        module: what the child runs. It reads `setup`, writes a message when it is ready, and reads
            requests; its forks write answers with the `id` of their request. Each fork ends by
            itself after `max_job_sec`.
        setup: JSON.
        max_job_sec: an answer that takes longer will not come.
    """

    def __init__(self, module: str, setup: Mapping[str, Any], *, max_job_sec: float) -> None:
        self._program = Program(
            command=[sys.executable, "-P", "-m", module], setup=pack_json(dict(setup))
        )
        self._max_job_sec = max_job_sec
        self._ids = itertools.count()
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._child: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._newborn: asyncio.subprocess.Process | None = None
        self._is_closed = False

    async def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Send `request` to a fork, return its answer.

        Raises:
            ProcessTimedOut: the fork took too long, or died.
            ProcessFailed: the child cannot be started, or is gone, or this is closed.
        """
        child, number = await self._running(), next(self._ids)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        try:
            async with asyncio.timeout(self._max_job_sec + GRACE_SEC):
                _write(child, pack_json({**request, "id": number}))
                return await answer
        except TimeoutError:
            raise ProcessTimedOut(f"still running after {self._max_job_sec:g} s") from None
        finally:
            del self._asked[number]

    async def close(self) -> None:
        """Kill the child and its forks, also while it starts; nobody is answered any more."""
        self._is_closed = True
        self._kill_newborn()
        async with self._starting:
            await self._end()

    def process_id(self) -> int | None:
        return self._child.pid if self._child and self._is_read() else None

    def _is_read(self) -> bool:
        return self._reading is not None and not self._reading.done()

    async def _running(self) -> asyncio.subprocess.Process:
        async with self._starting:
            if self._is_closed:
                raise ProcessFailed("is closed")
            if self._child is None or self._child.returncode is not None or not self._is_read():
                await self._end()
                self._child = await self._start()
                self._reading = asyncio.create_task(self._read(self._child))
            return self._child

    async def _end(self) -> None:
        if self._child is not None and self._reading is not None:
            if not self._reading.done():
                kill_group(self._child.pid)
            await self._reading
            self._child = self._reading = None

    async def _start(self) -> asyncio.subprocess.Process:
        try:
            # What is raised there may have secrets.
            child = await spawn(self._program, stderr=asyncio.subprocess.DEVNULL)
        except OSError as error:
            raise ProcessFailed(f"cannot be started: {error.strerror}") from error
        self._newborn = child
        if self._is_closed:
            self._kill_newborn()
        try:
            _write(child, self._program.setup)
            async with asyncio.timeout(START_SEC):
                await read_frame(_output(child), MAX_ANSWER_BYTES)
        except BaseException as error:
            kill_group(child.pid)
            await reap(child)
            if isinstance(error, EOFError | ValueError | TimeoutError):
                raise ProcessFailed("does not get ready") from None
            raise
        finally:
            self._newborn = None
        return child

    def _kill_newborn(self) -> None:
        if self._newborn is not None:
            kill_group(self._newborn.pid)

    async def _read(self, child: asyncio.subprocess.Process) -> None:
        """Hand out answers until the child and its forks are gone."""
        with suppress(EOFError, ValueError, KeyError, TypeError):
            while True:
                answer = json.loads(await read_frame(_output(child), MAX_ANSWER_BYTES))
                asked = self._asked.get(answer["id"])
                if asked is not None and not asked.done():
                    asked.set_result(answer)
        if child.returncode is None:
            kill_group(child.pid)
        await reap(child)
        for asked in self._asked.values():
            if not asked.done():
                asked.set_exception(ProcessFailed("is gone"))


def _output(child: asyncio.subprocess.Process) -> asyncio.StreamReader:
    assert child.stdout is not None  # noqa: S101
    return child.stdout


def _write(child: asyncio.subprocess.Process, message: bytes) -> None:
    """Requests are few and small: nothing waits for the pipe."""
    assert child.stdin is not None  # noqa: S101
    child.stdin.write(message)
