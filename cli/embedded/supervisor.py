"""Supervises child processes: starts them, starts them again when they die, stops them."""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import structlog

logger = structlog.get_logger(__name__)

RESTART_MIN_SEC = 0.5
RESTART_MAX_SEC = 10.0
STEADY_SEC = 30.0  # a service that ran this long resets the backoff
MAKE_LEVEL = "MAKELEVEL"  # variable that make sets for what it runs
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Service:
    """A process of the embedded mode, which gets `stop_sec` from SIGTERM to SIGKILL.

    Its output goes to `log`, or to our own standard error.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    stop_sec: float
    log: Path | None = None


class Supervisor:
    """Starts a service, and again whenever it exits by itself, which `exits` counts."""

    def __init__(
        self,
        service: Service,
        *,
        restart_min_sec: float = RESTART_MIN_SEC,
        restart_max_sec: float = RESTART_MAX_SEC,
    ) -> None:
        self.exits = 0
        self._service = service
        self._restart_min_sec = restart_min_sec
        self._restart_max_sec = restart_max_sec
        self._process: asyncio.subprocess.Process | None = None
        self._supervision: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def name(self) -> str:
        return self._service.name

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start the service and supervise it; raises OSError if it cannot be started at all."""
        await self._spawn()
        self._supervision = asyncio.create_task(self._supervise())

    async def stop(self) -> None:
        self._stopping = True
        process = self._process
        if process is not None and process.returncode is None:
            _signal(process, signal.SIGTERM)
            try:
                async with asyncio.timeout(self._service.stop_sec):
                    await process.wait()
            except TimeoutError:
                logger.warning("service killed", service=self._service.name)
                _signal(process, signal.SIGKILL)
                await process.wait()
        if self._supervision:
            self._supervision.cancel()
            await asyncio.gather(self._supervision, return_exceptions=True)

    async def _supervise(self) -> None:
        clock = asyncio.get_running_loop().time
        delay_sec = self._restart_min_sec
        while self._process:
            started = clock()
            code = await self._process.wait()
            if self._stopping:
                return
            self.exits += 1
            is_steady = clock() - started > STEADY_SEC
            delay_sec = self._restart_min_sec if is_steady else delay_sec * 2
            logger.warning("service died, starting it again", service=self._service.name, code=code)
            await asyncio.sleep(min(delay_sec, self._restart_max_sec))
            await self._spawn_again()

    async def _spawn_again(self) -> None:
        """Start the service, however often that fails: memory or descriptors had run out."""
        while True:
            try:
                return await self._spawn()
            except OSError as error:
                why = error.strerror
                logger.error("service cannot be started", service=self._service.name, error=why)
            await asyncio.sleep(self._restart_max_sec)

    async def _spawn(self) -> None:
        service = self._service
        output = open(service.log, "ab") if service.log else None  # noqa: SIM115, ASYNC230
        try:
            self._process = await asyncio.create_subprocess_exec(
                *service.command,
                env=dict(service.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Ctrl-C reaches only us, so that we stop everything in order.
                start_new_session=True,
                preexec_fn=partial(die_with_parent, os.getpid()),
            )
        finally:
            if output:
                output.close()


def die_with_parent(parent: int) -> None:
    """Have this process killed when its parent ends.

    Killed, not asked to stop: the parent was killed too, nobody waits for what is handed back, and
    the next start needs the ports. All state is durable.
    """
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before, and sends no signal any more
            os.kill(os.getpid(), signal.SIGKILL)


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
